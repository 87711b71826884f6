"""What a study, its plan and an experiment show of themselves in a notebook, and the progress while it runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from nbclient import NotebookClient

from automl.errors import CheckpointError, InvalidInput, RecordError
from automl.notebook import Study
from automl.reporting.notebook.html import NotebookResult, curve, table
from automl.reporting.notebook.progress import Lines, progress_display
from tests.command_line import search
from tests.small_network import write_small_study

HOSTILE = "<script>alert('1')</script> & \"more\""


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study that has run to its end; half of its trainings crash."""
    folder = tmp_path_factory.mktemp("studied")
    search(folder, "train_spec: {train.fault: crash}\n")
    return Study.read(folder / "study.yaml")


def parsed(shown: Any) -> ElementTree.Element:
    """Its HTML, which is XML as well. Fails unless it is whole and leaves the colours to the notebook."""
    html = shown._repr_html_()
    assert "color:" not in html.replace("border-bottom:1px solid #8884", "")
    return ElementTree.fromstring(html)  # noqa: S314 - our own


def text_of(element: ElementTree.Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def test_everything_that_comes_from_a_study_is_escaped() -> None:
    picture = curve([(1, 0.5), (2, 0.75)], HOSTILE)
    shown = NotebookResult(None, lambda _: None, [(HOSTILE, "x"), ("y", HOSTILE)], HOSTILE, [HOSTILE], picture)
    element = parsed(shown)
    assert element.find(".//script") is None
    assert text_of(element).count(HOSTILE) == 6  # title, head, cell, line, and the picture's name twice


def test_columns_of_numbers_stand_at_the_right() -> None:
    rows = [("no.", "state", "score", "lr"), ("1", "failed", "-", "1e-4"), ("2", "done 2", "0.9000", "-3")]
    cells = [cell for row in ElementTree.fromstring(table(rows)) for cell in row]  # noqa: S314
    assert {cell.text for cell in cells if "right" not in cell.attrib["style"]} == {"state", "failed", "done 2"}


def test_a_curve_has_a_point_for_each_epoch_and_stays_inside() -> None:
    element = ElementTree.fromstring(f"<p>{curve([(1, 0.2), (2, 0.9), (4, 0.4)], 'score')}</p>")  # noqa: S314
    line = next(each for each in element.iter() if each.tag.endswith("polyline"))
    places = [tuple(map(float, each.split(","))) for each in line.attrib["points"].split()]
    assert [x for x, _ in places] == [4.0, 108.0, 316.0]
    assert places[1][1] < places[2][1] < places[0][1]  # the greatest value is at the top
    assert "score from epoch 1 to 4: 0.2000 to 0.9000, 0.4000 at the end" in text_of(element)
    assert curve([(1, 0.2)], "score") == ""
    assert "4.0,86.0" in curve([(1, 0.5), (2, 0.5)], "flat")


def test_a_plan_shows_its_rungs_and_totals(studied: Study) -> None:
    plan = studied.plan()
    element = parsed(plan)
    assert len(element.findall(".//tr")) == 1 + sum(len(stage["rungs"]) for stage in plan.data["stages"])
    assert f"{plan.data['totals']['experiments']} experiments in" in text_of(element)
    assert "hyperband on small" in text_of(element)


def test_an_experiment_shows_its_values_its_story_and_its_curve(studied: Study) -> None:
    best = studied.experiment(studied.best().data["experiment"])
    element = parsed(best)
    assert len(best.data["history"]) == 3
    for line in best.data["story"]:
        assert line in text_of(element)
        assert line[:40] in repr(best)
    assert any(each.tag.endswith("polyline") for each in element.iter())
    failed = next(each["experiment"] for each in studied.experiments().data if each["status"] == "failure")
    assert "it crashed" in text_of(parsed(studied.experiment(failed)))
    with pytest.raises(InvalidInput, match="there is no experiment 99"):
        studied.experiment(99)


def test_a_study_says_where_it_stands(studied: Study) -> None:
    said = text_of(parsed(studied))
    assert "study search hyperband on small" in said
    assert "state done" in said
    assert "best so far" in said


def test_a_study_that_is_not_begun_or_cannot_be_read_says_so(tmp_path: Path) -> None:
    study = Study.read(write_small_study(tmp_path))
    assert "state not begun" in text_of(parsed(study))
    (tmp_path / "study.yaml").write_text("R: <3\n")
    assert "cannot be read" in text_of(parsed(study))
    (tmp_path / "study.yaml").unlink()
    assert "cannot be read" in text_of(parsed(study))


def test_there_is_no_verdict_where_no_candidate_is_left(studied: Study) -> None:
    with pytest.raises(RecordError, match="there is no verdict yet"):
        studied.verdict()


def test_replay_and_frame_are_those_of_the_commands(studied: Study) -> None:
    assert studied.replay().data["same"]
    assert "all the same, computed again" in text_of(parsed(studied.replay()))
    frame = studied.frame()
    assert set(frame["experiment"]) == {each["experiment"] for each in studied.experiments().data}


# -- the best model ---------------------------------------------------------------------------------------------------


def test_the_best_model_is_copied_whole_or_not_at_all(studied: Study, tmp_path: Path) -> None:
    place = Path(studied.store) / "best_model"
    found = studied.best_model(tmp_path / "best")
    assert {each["file"] for each in found.data["files"]} == {path.name for path in place.iterdir()}
    for path in place.iterdir():
        assert (tmp_path / "best" / path.name).read_bytes() == path.read_bytes()
    assert "model_3.json" in text_of(parsed(found))
    with pytest.raises(InvalidInput, match="already exists"):
        studied.best_model(tmp_path / "best")
    with pytest.raises(InvalidInput, match=r"folder .* does not exist"):
        studied.best_model(tmp_path / "none" / "best")
    checkpoint = place / json.loads((place / "manifest.json").read_text())["files"][0]["name"]
    kept = checkpoint.read_bytes()
    checkpoint.write_bytes(b"another")
    try:
        with pytest.raises(CheckpointError, match="not as its manifest says"):
            studied.best_model(tmp_path / "torn")
    finally:
        checkpoint.write_bytes(kept)
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_before_the_end_there_is_no_best_model(tmp_path: Path) -> None:
    study = Study.read(write_small_study(tmp_path))
    with pytest.raises(RecordError):
        study.best_model(tmp_path / "best")


# -- progress ---------------------------------------------------------------------------------------------------------


def shown(state: str) -> NotebookResult:
    return NotebookResult(None, lambda console: console.print(state), [("", ""), ("state", state)])


def test_outside_of_a_notebook_it_is_lines_of_what_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_display() as display:
        assert isinstance(display, Lines)
        for state, share in (("running", 0.25), ("running", 0.5), ("done", 1.0)):
            display.show(shown(state), share)
    assert capsys.readouterr().out == " 25%  state: running\n100%  state: done\n"


CELL = """
import sys
{without}
from automl.reporting.notebook.progress import progress_display
from automl.reporting.notebook.html import NotebookResult

with progress_display() as display:
    for share in (0.0, 0.5, 1.0):
        result = NotebookResult(None, lambda console: console.print(share), [("", ""), ("share", str(share))])
        display.show(result, share)
        {then}
print(type(display).__name__, getattr(getattr(display, "_bar", None), "value", None))
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], list[Any]]:
    """Runs the cell in a kernel of its own; gives its outputs."""

    def run(without: str, then: str) -> list[Any]:
        source = CELL.format(without=without, then=then)
        cell = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
        notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
        NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True).execute()
        outputs: list[Any] = notebook.cells[0].outputs
        return outputs

    return run


def test_widgets_show_it_and_a_table_stays(kernel: Callable[[str, str], list[Any]]) -> None:
    shown, said = kernel("", "pass")
    assert "share" in shown.data["text/html"]
    assert "1.0" in shown.data["text/html"]
    assert "application/vnd.jupyter.widget-view+json" not in shown.data
    assert said.text == "Bar 1.0\n"


def test_while_it_runs_it_is_a_widget_with_a_bar(kernel: Callable[[str, str], list[Any]]) -> None:
    """What is displayed in the middle, taken from the widget itself."""
    outputs = kernel("", "share == 0.5 and print(display._box.children, display._bar.value, display._text.value[:4])")
    said = "".join(each.get("text", "") for each in outputs)
    assert "FloatProgress(value=0.5, description='epochs', max=1.0)" in said
    assert "0.5 <div" in said


def test_without_widgets_it_is_one_table(kernel: Callable[[str, str], list[Any]]) -> None:
    shown, said = kernel("sys.modules['ipywidgets'] = None", "pass")
    assert "1.0" in shown.data["text/html"]
    assert said.text == "Table None\n"
