"""Programs as people have them, searched as they are: no line changed, about ten lines of YAML, the model kept."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from automl.execution.working_folder import outputs
from automl.networks import Network
from tests.command_line import automl, refused
from tests.simulation.studies import NETWORK

PROGRAMS = Path(__file__).parents[1] / "programs"
METRIC = r"""
  metric: {name: val_acc, goal: maximize}
  status: {reader: regex, patterns: ['epoch (?P<epoch>\d+) val_acc=(?P<val_acc>{number})']}
  keep: [model.pt]
  epochs: 3
"""
SEARCH = "algorithm: random\nmax_recommendations: 3\nfinal: {repeats: 0}\n"
ARGUMENTS = f"""\
name: mine
network:
  command: [python, with_arguments.py, --epochs, "{{epochs}}", --seed, "{{seed}}", "{{args}}"]{METRIC}\
  parameters:
    lr: {{low: 0.0001, high: 0.1, log: true}}
    batch-size: {{options: [16, 32, 64]}}
    shuffle: {{type: bool}}
{SEARCH}"""
OVERRIDES = f"""\
name: mine
network:
  command: [python, with_overrides.py, "epochs={{epochs}}", "seed={{seed}}", "{{args}}"]
  arguments: hydra{METRIC}\
  spec: {{betas: [0.9, 0.95]}}
  parameters:
    lr: {{low: 0.0001, high: 0.1, log: true}}
    model.depth: {{low: 1, high: 4}}
{SEARCH}"""
ENVIRONMENT = f"""\
name: mine
network:
  command: [python, with_environment.py]
  environment: {{LR: "{{lr}}", EPOCHS: "{{epochs}}", DEBUG: "no"}}{METRIC}\
  parameters:
    lr: {{low: 0.0001, high: 0.1, log: true}}
{SEARCH}"""
STYLES = {"arguments": ARGUMENTS, "overrides": OVERRIDES, "environment": ENVIRONMENT}

pytestmark = pytest.mark.usefixtures("quick_runner")


def lay_out(folder: Path, style: str, study: str | None = None) -> None:
    """The program of a style and its study file in a folder, with the data that one of them reads."""
    shutil.copy(PROGRAMS / f"with_{style}.py", folder)
    (folder / "points.json").write_text("200")
    (folder / "study.yaml").write_text(study or STYLES[style])


def searched(folder: Path, *options: str) -> dict[str, Any]:
    """The study of a folder run to its end: its controller."""
    ran = automl("run", "study.yaml", "-j", "2", *options, cwd=folder)
    assert ran.code == 0, ran
    controller: dict[str, Any] = json.loads((folder / "mine/controller.json").read_text())
    return controller


@pytest.mark.parametrize("style", STYLES)
def test_a_program_is_searched_with_no_line_changed(style: str, tmp_path: Path) -> None:
    lay_out(tmp_path, style)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    controller = searched(tmp_path)
    assert [row["status"] for row in controller["experiments"]] == ["success"] * 3
    assert len({row["values"]["lr"] for row in controller["experiments"]}) == 3
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert not list(tmp_path.rglob("spec.*")), "nobody reads a spec file"


def test_the_record_has_the_values_although_no_spec_is_written(tmp_path: Path) -> None:
    lay_out(tmp_path, "arguments")
    searched(tmp_path)
    recommended = (tmp_path / "mine/recommendation_0.yaml").read_text()
    assert recommended.split("\n") == ["batch-size: 32", "lr: 0.00316228", "shuffle: true", ""]


def test_the_program_gets_what_the_record_says(tmp_path: Path) -> None:
    told = ARGUMENTS.replace("with_arguments.py", "told.py")
    told = told.replace("algorithm: random\nmax_recommendations: 3", "algorithm: random\nmax_recommendations: 1")
    (tmp_path / "told.py").write_text(
        "import json, os, sys\n"
        "json.dump([sys.argv[1:], os.getcwd(), sorted(os.listdir())], open(os.environ['TOLD'], 'w'))\n"
        "open('model.pt', 'w').close()\n"
        "for epoch in (1, 2, 3): print(f'epoch {epoch} val_acc=0.5')\n"
    )
    told = told.replace("  epochs: 3", f"  epochs: 3\n  environment: {{TOLD: '{tmp_path}/told.json'}}")
    (tmp_path / "study.yaml").write_text(told)
    searched(tmp_path)
    argv, folder, shown = json.loads((tmp_path / "told.json").read_text())
    seed = json.loads((tmp_path / "mine/controller.json").read_text())["experiments"][0]["seed"]
    assert argv == [
        *("--epochs", "3", "--seed", str(seed)),
        *("--batch-size", "32", "--lr", "0.00316228", "--shuffle"),
    ]
    assert Path(folder).is_relative_to(tmp_path / "mine/.work")
    assert shown == ["study.yaml", "told.py"]  # what lies beside the program, but for the study's own store


@pytest.mark.parametrize("style", STYLES)
def test_the_model_of_the_best_is_kept(style: str, tmp_path: Path) -> None:
    lay_out(tmp_path, style)
    controller = searched(tmp_path)
    best = controller["experiments"][controller["best"]["experiment"]]
    model = json.loads((tmp_path / "mine/best_model/model.pt").read_text())
    assert model["lr"] == best["values"]["lr"]
    assert automl("verify", "study.yaml", cwd=tmp_path).code == 0


def test_an_earlier_model_beside_the_program_stays_what_it_is(tmp_path: Path) -> None:
    lay_out(tmp_path, "arguments")
    (tmp_path / "model.pt").write_text("trained by hand for a week")
    searched(tmp_path)
    assert (tmp_path / "model.pt").read_text() == "trained by hand for a week"
    assert "lr" in json.loads((tmp_path / "mine/best_model/model.pt").read_text())


def test_no_earlier_part_of_a_checkpoint_is_shown_to_a_training() -> None:
    rule = {"pattern": "m_{epoch}.pth", "also": ["m_{epoch}.opt"], "if_there": ["m_{epoch}-EMA.pth"]}
    network = Network.model_validate({**NETWORK, "checkpoints": rule})
    shown = {("m_*.pth",), ("m_*.opt",), ("m_*-EMA.pth",)}
    assert shown <= set(outputs(network))


PLOTS = """\
import pathlib
pathlib.Path("plots").mkdir(exist_ok=True)
for name in ("a.png", "b.png", "c.txt"): pathlib.Path("plots", name).write_text(name)
pathlib.Path("model.pt").write_text("weights")
for epoch in (1, 2, 3): print(f"epoch {epoch} val_acc=0.{10 - epoch}")
"""


@pytest.mark.parametrize("there", [False, True])
def test_files_of_folders_are_kept_by_pattern(there: bool, tmp_path: Path) -> None:
    lay_out(tmp_path, "arguments", ARGUMENTS.replace("keep: [model.pt]", 'keep: [model.pt, "plots/*.png"]'))
    (tmp_path / "with_arguments.py").write_text(PLOTS)
    if there:  # an earlier run by hand left the same files
        (tmp_path / "plots").mkdir()
        (tmp_path / "plots/a.png").write_text("an old one")
        (tmp_path / "plots/style.css").write_text("read by the program")
    searched(tmp_path)
    left = tmp_path / "mine/best_model"
    assert sorted(str(path.relative_to(left)) for path in left.rglob("*.p*")) == [
        "model.pt",
        "plots/a.png",
        "plots/b.png",
    ]
    assert (left / "plots/a.png").read_text() == "a.png"
    if there:
        assert (tmp_path / "plots/a.png").read_text() == "an old one"


def test_files_are_kept_beside_checkpoints(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        "arguments",
        ARGUMENTS.replace(
            "  keep: [model.pt]", '  keep: [model.pt]\n  checkpoints: {pattern: "at_{epoch}", resume: in_place}'
        ),
    )
    checkpoints = 'for epoch in (1, 2, 3): pathlib.Path(f"at_{epoch}").write_text(str(epoch))\n'
    (tmp_path / "with_arguments.py").write_text(PLOTS.replace("for epoch", f"{checkpoints}for epoch", 1))
    controller = searched(tmp_path)
    assert controller["best"]["value"] == 0.9  # at epoch 1
    left = {path.name: path.read_text() for path in (tmp_path / "mine/best_model").iterdir()}
    assert left["model.pt"] == "weights"
    assert left["at_1"] == "1"
    assert "at_3" not in left
    assert automl("verify", "study.yaml", cwd=tmp_path).code == 0


def test_keep_that_matches_nothing_is_told_with_what_is_there(tmp_path: Path) -> None:
    lay_out(tmp_path, "arguments", ARGUMENTS.replace("model.pt", "modle.pt"))
    ran = automl("run", "study.yaml", cwd=tmp_path)
    assert ran.code == 5
    failures = {
        (result["failure"], result["message"])
        for row in json.loads((tmp_path / "mine/controller.json").read_text())["experiments"]
        for result in row["results"]
    }
    assert failures == {
        ("no_checkpoint", "keep: modle.pt matches no file; there are model.pt; did you mean 'model.pt'?")
    }


@pytest.mark.parametrize("keeps", [True, False])
def test_when_no_model_is_kept_the_plan_and_the_end_say_so(keeps: bool, tmp_path: Path) -> None:
    study = ARGUMENTS if keeps else ARGUMENTS.replace("  keep: [model.pt]\n", "")
    lay_out(tmp_path, "arguments", study)
    for command in ("plan", "run"):
        ran = automl(command, "study.yaml", cwd=tmp_path)
        assert ran.code == 0
        assert ("no model is kept" in " ".join(ran.out.split())) is not keeps


BAD: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "a brace that names nothing": ('"{seed}"', '"{sed}"', ("network", "{sed} names nothing", "did you mean 'seed'?")),
    "a parameter that nothing reads": (
        '"{args}"]',
        '--lr, "{lr}", --batch-size, "{batch-size}"]',
        ("shuffle is read by nothing",),
    ),
    "two parameters of one last name": (
        "shuffle: {type: bool}",
        'a.depth: {low: 1, high: 4}\n    b.depth: {low: 1, high: 4}\n  environment: {DEPTH: "{depth}"}',
        ("{depth} stands for a.depth and for b.depth", "write the whole path"),
    ),
    "a program that is not there": (
        "with_arguments.py",
        "with_argument.py",
        ("with_argument.py' does not exist", "did you mean 'with_arguments.py'?"),
    ),
    "an interpreter that is not there": ("[python,", "[pythom,", ("'pythom' is not a program on the PATH",)),
    "a program without a path": ("[python, with_arguments.py,", "[with_arguments.py,", ("write ./with_arguments.py",)),
    "a program that is no program": ("[python, with_arguments.py,", "[./with_arguments.py,", ("chmod +x",)),
    "a folder that is not there": ("  keep: [model.pt]", "  working_directory: runs", ("there is no folder", "runs")),
    "a model where nobody looks": ("  keep:", "  working_directory: .\n  keep:", ("nobody collects", "name {results}")),
    "a GPU given twice": ("final:", "run: {gpus: [0, 1, 0]}\nfinal:", ("run: gpus has 0 twice", "each once")),
    "fewer GPUs than one takes": ("final:", "run: {gpus: [0]}\ncosts: {gpus: 2}\nfinal:", ("run: gpus has 1",)),
    "no epochs": ('--epochs, "{epochs}", ', "", ("fields.epochs is missing; or name {epochs} in the command",)),
    "epochs that are fixed and told": ("  keep:", "  fixed_epochs: true\n  keep:", ("fixed_epochs, or {epochs}",)),
    "a form that is none": ("  keep:", "  arguments: flag\n  keep:", ('network: arguments: "flag"', "'flags'")),
    "a variable that is none": ("  keep:", "  environment: {A-B: '1'}\n  keep:", ("network: environment", "A-B")),
    "no metric": ("  metric:", "  # metric:", ("network: metric is missing",)),
    "a range that is none": ("low: 0.0001", "low: 1.0", ("lr", "above high")),
    "an unknown key": ("  keep:", "  kept:", ("network: kept is not known", "'keep'")),
}


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(("old", "new", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_before_anything_starts(
    command: str, old: str, new: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    assert old in ARGUMENTS
    lay_out(tmp_path, "arguments", ARGUMENTS.replace(old, new))
    refused(automl(command, "study.yaml", cwd=tmp_path), *says)
    assert not (tmp_path / "mine").exists()


ALWAYS = """\
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
lr = parser.parse_args().lr
for step in range(5):
    print(f"score={1 - (lr - 0.5) ** 2 - 0.1 * (step - 3) ** 2}")
"""
FIXED = """\
name: mine
network:
  command: [python, always.py, "{args}"]
  fixed_epochs: true
  epochs: 1
  metric: {name: score, goal: maximize}
  status: {reader: regex, patterns: ['score=(?P<score>{number})'], without_epoch: one, of_epoch: max}
  parameters: {lr: {low: 0.0, high: 1.0}}
algorithm: random
max_recommendations: 3
final: {repeats: 0}
"""


def test_a_program_that_always_trains_as_long_is_searched_by_its_best_value(tmp_path: Path) -> None:
    (tmp_path / "always.py").write_text(ALWAYS)
    (tmp_path / "study.yaml").write_text(FIXED)
    for row in searched(tmp_path)["experiments"]:
        assert row["status"] == "success"
        assert row["results"][0]["value"] == pytest.approx(1 - (row["values"]["lr"] - 0.5) ** 2)


@pytest.mark.parametrize(
    "change",
    [("algorithm: random\nmax_recommendations: 3", "algorithm: hyperband"), ("final:", "max_epochs: 3\nfinal:")],
)
def test_fixed_epochs_go_with_whole_trainings_alone(change: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "always.py").write_text(ALWAYS)
    (tmp_path / "study.yaml").write_text(FIXED.replace(*change).replace("  epochs: 1", "  epochs: 1\n  keep: [a]"))
    refused(automl("plan", "study.yaml", cwd=tmp_path), "algorithm")
