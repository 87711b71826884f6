r"""The braces of a command: what they stand for, what is refused, and how a brace is written that stands for itself."""

from __future__ import annotations

from typing import Any

import pytest

from automl.networks.braces import Words, like, script_of

PATHS = {"lr": "train.lr", "model.depth": "model.depth", "head.depth": "head.depth", "train.wd": "train.wd"}
SPEC = {"train": {"lr": 0.01, "wd": None}, "model": {"depth": 4}, "head": {"depth": 2}}
OURS = {
    "epochs": 9,
    "seed": 7,
    "checkpoint": None,
    "results": "/r",
    "gpus": 2,
    "spec": "/s.yaml",
}


def words(*command: str, environment: dict[str, str] | None = None, form: str = "flags") -> Words:
    return Words(command, environment or {}, form, "no_flag", PATHS)


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        (["run", "--lr", "{lr}"], ["run", "--lr", "0.01"]),
        (["run", "--lr={train.lr}"], ["run", "--lr=0.01"]),
        (["run", "{model.depth}x{head.depth}"], ["run", "4x2"]),
        (["run", "{epochs}", "{seed}", "{gpus}", "{results}", "{spec}"], ["run", "9", "7", "2", "/r", "/s.yaml"]),
        (["run", "--resume", "{checkpoint}", "--lr", "{lr}"], ["run", "--lr", "0.01"]),
        (["run", "--resume={checkpoint}", "end"], ["run", "end"]),
        (["run", "--wd", "{wd}"], ["run"]),
        (["run", "a", "{wd}"], ["run", "a"]),
        (
            ["run", r"\{lr\}", r"\{lr}", "{}", '{"lr": {lr}}', "{0}"],
            ["run", "{lr}", "{lr}", "{}", '{"lr": 0.01}', "{0}"],
        ),
        (["run", "{args}"], ["run", "--head.depth", "2", "--model.depth", "4", "--train.lr", "0.01"]),
        (["run", "{lr}", "{args}", "last"], ["run", "0.01", "--head.depth", "2", "--model.depth", "4", "last"]),
        (["run", "$HOME; rm -rf /", "{lr}"], ["run", "$HOME; rm -rf /", "0.01"]),
    ],
)
def test_a_command_is_filled_in(command: list[str], argv: list[str]) -> None:
    assert list(words(*command).argv(SPEC, OURS)) == argv


def test_a_value_is_never_filled_in_again() -> None:
    assert words("{results}", "{lr}").argv({"train": {"lr": "{results}"}}, OURS) == ("/r", "{results}")


def test_variables_are_filled_in_and_one_without_a_value_is_not_set() -> None:
    environment = {"LR": "{lr}", "WD": "{wd}", "DEBUG": "1", "BOTH": "{lr},{model.depth}"}
    assert words("run", environment=environment).variables(SPEC, OURS) == {
        "LR": "0.01",
        "DEBUG": "1",
        "BOTH": "0.01,4",
    }


def test_json_may_stand_inside_of_a_word() -> None:
    given = words("--config={args}", environment={"CONFIG": "{args}"}, form="json")
    assert given.argv({"lr": 1, "a": {"b": None}}, OURS) == ('--config={"lr":1}',)
    assert given.variables({"lr": 1}, OURS) == {"CONFIG": '{"lr":1}'}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a name that nothing has": (
        {"command": ["{modle.depth}"]},
        r"\{modle.depth\} names nothing; allowed: lr, depth, wd, epochs, .*; did you mean 'model.depth'\?",
    ),
    "a name near one of ours": ({"command": ["{epoch}"]}, r"\{epoch\} names nothing.*did you mean 'epochs'\?"),
    "a brace of another language": ({"command": ["{epoch:03d}"]}, "names nothing"),
    "initials": ({"command": ["{learning_rate}"]}, "did you mean 'lr'"),
    "nothing like it": ({"command": ["{zzzzz}"]}, r"a brace that stands for itself is written \\\{"),
    "two of one last name": (
        {"command": ["{depth}"]},
        r"\{depth\} stands for head.depth and for model.depth; write the whole path, such as \{head.depth\}",
    ),
    "Argo's tags": ({"command": ["{{lr}}"]}, "a cluster would fill it in"),
    "all values inside of a word": ({"command": ["--all={args}"]}, "stands alone in its word"),
    "all values in a variable": ({"command": ["x"], "environment": {"ALL": "{args}"}}, "one variable takes it"),
    "a value that nothing reads": (
        {"command": ["{epochs}", "{model.depth}", "{head.depth}", "{wd}"]},
        r"lr is read by nothing: no brace of the command names it",
    ),
}


@pytest.mark.parametrize(("given", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        words(*given["command"], environment=given.get("environment")).check(PATHS)


def test_what_nothing_reads_is_told_with_the_one_that_was_meant() -> None:
    given = Words(("{lr}", "{epochs}"), {}, "flags", "no_flag", {"lr": "lr", "learning_rate": "learning_rate"})
    with pytest.raises(ValueError, match=r"learning_rate is read by nothing.*did you mean 'lr'\?"):
        given.check({"lr": "lr", "learning_rate": "learning_rate"})


@pytest.mark.parametrize(
    ("name", "others", "advice"),
    [
        ("learning_rate", ["lr", "wd"], "did you mean 'lr'?"),
        ("lr", ["optim.learning-rate"], "did you mean 'optim.learning-rate'?"),
        ("momentun", ["momentum"], "did you mean 'momentum'?"),
        ("lr", ["depth"], ""),
    ],
)
def test_names_that_are_alike(name: str, others: list[str], advice: str) -> None:
    assert like(name, others) == advice


@pytest.mark.parametrize(
    ("command", "script"),
    [
        (["python", "train.py", "--lr", "1"], 1),
        (["python", "-u", "src/train.py"], 2),
        (["python", "/opt/train.py"], None),
        (["python", "-m", "mine.train", "other.py"], None),
        (["torchrun", "--nproc-per-node", "2", "train.py", "second.py"], 3),
        (["sh", "-c", "train.sh"], None),
        (["./train.sh"], None),
        (["Rscript", "train.R"], 1),
        (["python", "{lr}.py"], None),
    ],
)
def test_the_script_that_an_interpreter_runs(command: list[str], script: int | None) -> None:
    assert script_of(command) == script
