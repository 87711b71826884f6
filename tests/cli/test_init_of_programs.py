"""`automl init -- COMMAND` for programs in the styles that people write: its file is searched as it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import Ran, automl, files_below, refused, refused_at_last

STYLES = Path(__file__).parents[1] / "programs" / "styles"


@dataclass(frozen=True)
class Style:
    """How a program is started, what its study file must say, and one of the files that it leaves."""

    line: str
    command: str
    searched: tuple[str, ...]
    metric: str
    kept: str | None = None
    more: tuple[tuple[str, Any], ...] = ()
    variables: str = ""


ALL = {
    "argparse": Style(
        "train.py --lr 0.5 --batch-size 32 --epochs 4 --save-dir out",
        "train.py {args} --epochs {epochs} --save-dir {results} --seed {seed}",
        ("lr", "batch-size"),
        "Accuracy",
        "mnist_cnn.pt",
    ),
    "click": Style(
        "train.py", "train.py --n-epochs {epochs} {args}", ("lr", "dropout", "activation"), "val_loss", "model.ckpt"
    ),
    "typer": Style(
        "train.py --learning-rate 0.1", "train.py {args} --epochs {epochs} --seed {seed}", ("learning-rate",), "val_f1"
    ),
    "absl": Style(
        "train.py --learning_rate=0.01 --batch_size=64 --workdir=/nowhere/out",
        "train.py {args} --workdir={results} --num_epochs {epochs}",
        ("learning_rate", "batch_size"),
        "eval_accuracy",
        "weights.npz",
        (("arguments", "flags_equals"),),
    ),
    "overrides": Style(
        "train.py optimizer.lr=0.05 optimizer.weight_decay=0.0 trainer.max_epochs=2 data=small",
        "train.py {args} trainer.max_epochs={epochs} data=small",
        ("optimizer.lr", "optimizer.weight_decay"),
        "loss",
        "last.ckpt",
        (("arguments", "hydra"),),
    ),
    "variables": Style(
        "train.py",
        "train.py",
        ("LR", "LAYERS"),
        "test_accuracy",
        None,
        (("fixed_epochs", True), ("environment", {"LR": "{LR}", "LAYERS": "{LAYERS}"})),
        "LR=0.1 LAYERS=2",
    ),
    "trainer": Style(
        "train.py --learning_rate 5e-5 --num_train_epochs 3 --output_dir out --overwrite_output_dir",
        "train.py {args} --num_train_epochs {epochs} --output_dir {results} --overwrite_output_dir",
        ("learning_rate",),
        "eval_accuracy",
        "model.safetensors",
    ),
    "subcommand": Style(
        "train.py fit --model.lr 0.01 --trainer.max_epochs 3",
        "train.py fit {args} --trainer.max_epochs {epochs}",
        ("model.lr",),
        "val_acc",
        "lightning_logs/version_0/checkpoints/epoch=2-step=30.ckpt",
    ),
}


def begun(folder: Path, style: str, *options: str) -> Ran:
    """`automl init` for the program of a style, in its folder."""
    shutil.copy(STYLES / f"with_{style}.py", folder / "train.py")
    given = ALL[style]
    return automl("init", *options, "--", *given.variables.split(), "python", *given.line.split(), cwd=folder)


@pytest.mark.parametrize("style", ALL)
def test_a_program_in_any_style_is_searched_from_its_command_line(
    style: str, tmp_path: Path, quick_runner: None
) -> None:
    given = ALL[style]
    ran = begun(tmp_path, style, "--try", "--metric", given.metric, "-a", "random")
    assert ran.code == 0, ran
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.yaml", "train.py"], "the trial left nothing"
    text = (tmp_path / "study.yaml").read_text()
    network = yaml.safe_load(text)["network"]
    assert network["command"] == ["python", *given.command.split()]
    assert tuple(network["parameters"]) == given.searched
    assert network["metric"]["name"] == given.metric
    for key, value in given.more:
        assert network[key] == value
    few = text.replace("max_recommendations: 20", "max_recommendations: 2\nfinal: {repeats: 0}")
    (tmp_path / "study.yaml").write_text(few)
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran
    controller = json.loads((tmp_path / "train/controller.json").read_text())
    assert [row["status"] for row in controller["experiments"]] == ["success"] * 2
    if given.kept is not None:
        assert (tmp_path / "train/best_model" / given.kept).is_file()


def test_without_a_trial_the_metric_is_read_from_the_source_and_said_to_be_a_guess(tmp_path: Path) -> None:
    ran = begun(tmp_path, "argparse")
    assert ran.code == 0, ran
    assert "not tried" in ran.out
    network = yaml.safe_load((tmp_path / "study.yaml").read_text())["network"]
    assert network["metric"] == {"name": "Accuracy", "goal": "maximize"}
    assert automl("plan", "study.yaml", cwd=tmp_path).code == 0


def test_every_guess_has_a_comment(tmp_path: Path) -> None:
    begun(tmp_path, "argparse")
    text = (tmp_path / "study.yaml").read_text()
    for says in ("from a hundredth of the value", "powers of two", "guessed from the name", "# gamma:", "# optimizer:"):
        assert says in text


def test_a_commented_parameter_is_searched_when_its_mark_is_taken_away(tmp_path: Path) -> None:
    begun(tmp_path, "argparse")
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text().replace("    # gamma:", "    gamma:"))
    planned = automl("plan", "study.yaml", "-o", "json", cwd=tmp_path)
    assert "gamma" in json.loads(planned.out)["parameters"]


def test_secrets_stay_where_they_are(tmp_path: Path) -> None:
    shutil.copy(STYLES / "with_variables.py", tmp_path / "train.py")
    words = ("WANDB_API_KEY=hunter2", "LR=0.1", "python", "train.py")
    ran = automl("init", "--try", "--metric", "test_accuracy", "--", *words, cwd=tmp_path)
    assert ran.code == 0, ran
    text = (tmp_path / "study.yaml").read_text()
    assert "hunter2" not in text + ran.out + ran.err
    assert "without WANDB_API_KEY" in text


def test_what_lies_beside_the_program_stays_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "last.ckpt").write_text("trained by hand for a week")
    (tmp_path / "out" / "a.txt").write_text("mine")
    (tmp_path / "train.py").write_text(
        (STYLES / "with_overrides.py").read_text() + "open('out/a.txt', 'w').write('x')\n"
    )
    before = files_below(tmp_path)
    words = ("python", "train.py", "optimizer.lr=0.1", "trainer.max_epochs=3")
    assert automl("init", "--try", "--", *words, cwd=tmp_path).code == 0
    (tmp_path / "study.yaml").unlink()
    assert files_below(tmp_path) == before


FAILS = "import sys\nprint('epoch 1 loss=0.5')\nsys.exit('cannot read data.csv')\n"
SEVERAL = "print('epoch 1 val_loss=0.5 val_acc=0.9')\n"
BAD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a program that ends with an error": (FAILS, "--try -- python train.py --lr 0.1", ("--try", "exit code 1")),
    "several metrics": (SEVERAL, "--try -- python train.py --lr 0.1", ("val_acc, val_loss", "--metric val_acc")),
    "a metric that is not there": (
        SEVERAL,
        "--try --metric val_ac -- python train.py --lr 0.1",
        ("'val_ac' is not in", "did you mean 'val_acc'?"),
    ),
    "no metric": ("print('done')\n", "--try -- python train.py --lr 0.1", ("no metric is in",)),
    "no metric in the source": ("print('done')\n", "-- python train.py --lr 0.1", ("--try", "--metric NAME")),
    "a goal that no name says": (
        "print('quality=3')\n",
        "--try -- python train.py --lr 0.1",
        ("quality", "--goal maximize"),
    ),
    "a goal that is none": (SEVERAL, "--goal maximise -- python train.py --lr 0.1", ("did you mean 'maximize'?",)),
    "no program": (SEVERAL, "--", ("-- has no program after it",)),
    "a program that is not there": (
        SEVERAL,
        "--try -- python trian.py --lr 0.1",
        ("trian.py' does not exist", "did you mean 'train.py'?"),
    ),
    "an interpreter that is not there": (SEVERAL, "-- pythom train.py --lr 0.1", ("'pythom' is not a program",)),
    "a secret": (SEVERAL, "-- python train.py --api-key abc", ("--api-key", "secret")),
    "a trial of no program": (SEVERAL, "--try", ("give its command after --",)),
    "nothing to search": (SEVERAL, "--try -- python train.py data", ("no setting of the program", "--lr 0.001")),
    "an algorithm that is none": (SEVERAL, "-a bayesain -- python train.py --lr 0.1", ("bayesian",)),
}


@pytest.mark.parametrize(("source", "line", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_nothing_is_written(
    source: str, line: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(source)
    ran = automl("init", *line.split(), cwd=tmp_path)
    assert ran.code == 2, ran
    for text in says:
        assert text in ran.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


def test_the_last_lines_of_a_failed_trial_are_shown(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(FAILS)
    ran = automl("init", "--try", "--", "python", "train.py", "--lr", "1", cwd=tmp_path)
    assert "  | cannot read data.csv" in ran.err


def test_an_existing_file_is_never_overwritten_and_nothing_is_tried(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("open('/tmp/never', 'w')")
    (tmp_path / "study.yaml").write_text("mine")
    refused(automl("init", "--try", "--", "python", "train.py", cwd=tmp_path), "study.yaml already exists")
    assert (tmp_path / "study.yaml").read_text() == "mine"


def test_a_folder_of_the_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    begun(tmp_path, "argparse")
    assert yaml.safe_load((tmp_path / "study.yaml").read_text())["name"] == "train-search"


def test_braces_of_ones_own_stay(tmp_path: Path) -> None:
    shutil.copy(STYLES / "with_variables.py", tmp_path / "train.py")
    words = ("python", "train.py", "--lr=1", "--steps", "{epochs}", "--json", '{"a": 1}', "--tag", "{run}")
    assert automl("init", "--metric", "test_accuracy", "--", *words, cwd=tmp_path).code == 0
    command = yaml.safe_load((tmp_path / "study.yaml").read_text())["network"]["command"]
    assert command[3:] == ["--steps", "{epochs}", "--json", '{"a": 1}', "--tag", "\\{run}"]


LISTS = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("data", nargs="?")
parser.add_argument("-b", "--batch-size", type=int, default=8)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--layers", type=int, nargs="+", default=[1])
parser.add_argument("--verbose", action="store_true")
parser.add_argument("-e", "--epochs", type=int, default=2)
args = parser.parse_args()
for epoch in range(args.epochs):
    print(f"epoch {epoch}: val_loss={args.lr / (epoch + 1):.4f}")
"""
WORDS = {  # a command line, and the command that it becomes
    "python train.py --layers 16 32 --lr 0.1": "train.py --layers 16 32 {args} --epochs {epochs}",
    "python train.py data.csv --verbose --lr 0.1": "train.py data.csv --verbose {args} --epochs {epochs}",
    "python train.py --verbose data.csv --lr=0.1": "train.py --verbose data.csv {args} --epochs {epochs}",
    "python -u train.py -b 16 --lr 0.1 --epochs 3": "-u train.py -b {batch-size} --lr {lr} --epochs {epochs}",
    "python train.py -e 5 --lr 0.1": "train.py -e {epochs} --lr {lr}",
    "python -m pkg.train --lr 0.1": "-m pkg.train {args} --epochs {epochs}",
    "python pkg/train.py --lr 0.1 --epochs=3": "pkg/train.py --lr {lr} --epochs={epochs}",
    "env CUDA_VISIBLE_DEVICES=0 python train.py --lr 0.1": "train.py {args} --epochs {epochs}",
}


@pytest.mark.parametrize(("line", "command"), WORDS.items())
def test_the_words_that_are_no_setting_stay_where_they_are(line: str, command: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(LISTS)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/train.py").write_text(LISTS)
    (tmp_path / "pkg/__init__.py").touch()
    ran = automl("init", "--", *line.split(), cwd=tmp_path)
    assert ran.code == 0, ran
    network = yaml.safe_load((tmp_path / "study.yaml").read_text())["network"]
    assert network["command"] == ["python", *command.split()]
    assert network["status"]["first_epoch"] == 0
    assert "layers" not in network["parameters"]


def test_one_word_is_taken_apart_as_a_shell_would(tmp_path: Path) -> None:
    shutil.copy(STYLES / "with_argparse.py", tmp_path / "train.py")
    assert automl("init", "--", "python train.py --lr 0.1", cwd=tmp_path).code == 0
    assert "lr" in yaml.safe_load((tmp_path / "study.yaml").read_text())["network"]["parameters"]


def test_an_end_in_the_middle_is_said_after_what_was_shown(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SEVERAL)
    ran = automl("init", "--try", "--goal", "minimize", "--", "python", "train.py", "--lr", "1", cwd=tmp_path)
    assert "  | epoch 1 val_loss=0.5 val_acc=0.9" in ran.out
    refused_at_last(Ran(ran.code, "", ran.err), "several metrics")
