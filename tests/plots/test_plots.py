"""The pictures: they show what the facts say, whatever a study is given as; and the command that writes them."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.figure import Figure

from automl import plots
from automl.errors import AutoMLError, InvalidInput, RecordError
from automl.notebook import Study
from automl.reporting.figures.facts import Facts, read_facts
from automl.reporting.figures.importance import importances
from automl.reporting.figures.landscape import CELLS
from automl.reporting.figures.ledger import entries
from automl.stores.memory import MemoryStore
from automl.study.opened_study import OpenedStudy
from automl.text.extras import install_command
from tests.command_line import automl, files_below, refused, search
from tests.recorded_studies import mixed, recorded
from tests.reporting.page.made_records import made, with_times

SETTINGS = "name: fashion\nnetwork: fashion_mnist\nalgorithm: hyperband\nR: 27\nmax_epochs: 27\nseed: 3\n"
MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture(scope="module")
def facts() -> Facts:
    record = with_times(made(SETTINGS), jobs=2)
    return plots.facts_in(OpenedStudy.read(record))


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that has run to its end."""
    folder = tmp_path_factory.mktemp("studied")
    search(folder, "seed: 7\n")
    return folder


def rendered(figure: Figure, folder: Path) -> bytes:
    plots.write(figure, folder / "it.svg")
    return (folder / "it.svg").read_bytes()


def collections(figure: Figure, kind: type) -> list[Any]:
    return [each for axes in figure.axes for each in axes.collections if isinstance(each, kind)]


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_is_drawn_and_always_alike(kind: str, facts: Facts, tmp_path: Path) -> None:
    figure = getattr(plots, kind)(facts)
    assert isinstance(figure, Figure)
    first = rendered(figure, tmp_path)
    assert rendered(plots.draw(kind, facts), tmp_path) == first
    assert figure._repr_png_().startswith(MAGIC[".png"])  # type: ignore[attr-defined]  # what a notebook shows


@pytest.mark.parametrize("kind", plots.KINDS)
def test_every_kind_takes_every_kind_of_parameter(kind: str) -> None:
    definition = mixed({"algorithm": "random", "max_recommendations": 30})
    record, study = recorded(MemoryStore(), definition, failing={3, 5})
    assert study.results
    figure = plots.draw(kind, plots.facts_in(OpenedStudy.read(with_times(record, jobs=2))))
    figure.canvas.draw()


def test_the_history_shows_every_value_and_the_best_up_to_each(facts: Facts) -> None:
    (axes,) = plots.history(facts).axes
    lines: list[Any] = list(axes.lines)
    course = next(line for line in lines if line.get_drawstyle() == "steps-post")
    last = facts.searched[-1].number
    assert list(zip(*course.get_data(), strict=True)) == [*facts.best_so_far, (last, facts.best_so_far[-1][1])]
    dots: list[Any] = [each for each in axes.collections if isinstance(each, PathCollection)]
    shown = {tuple(point) for each in dots for point in each.get_offsets()}
    shown |= {(line.get_xdata()[0], line.get_ydata()[0]) for line in lines if line.get_marker() in {"o", "D"}}
    assert {(each.number, each.value) for each in facts.valued} <= shown


def test_the_bars_are_the_importances(facts: Facts) -> None:
    (axes,) = plots.importance(facts).axes
    bars: list[Any] = list(axes.patches)
    marks: list[Any] = list(axes.lines)
    found = importances(facts)
    assert [bar.get_width() for bar in bars] == [max(0.002, each.share) for each in found]
    assert [line.get_xdata()[0] for line in marks] == [each.chance for each in found]
    assert [label.get_text() for label in axes.get_yticklabels()] == [each.axis.short for each in found]


def test_a_share_stands_in_a_column_of_its_own_and_not_beside_the_mark(facts: Facts) -> None:
    figure = plots.importance(facts)
    figure.canvas.draw()
    (axes,) = figure.axes
    shares = [text for text in axes.texts if text.get_text().endswith("%")]
    assert [text.get_text() for text in shares] == [f"{each.share:.0%}" for each in importances(facts)]
    right = axes.get_window_extent().x1
    assert all(text.get_window_extent().x0 > right for text in shares)


def test_the_stairs_are_the_front_and_every_result_is_a_dot(facts: Facts) -> None:
    (axes,) = plots.pareto(facts).axes
    lines: list[Any] = list(axes.lines)
    stairs = next(line for line in lines if line.get_drawstyle() == "steps-post")
    times, values = stairs.get_data()
    unit = facts.front[0].seconds / times[0]
    assert axes.get_xlabel().startswith("training time in ")
    assert [time * unit for time in times[:-1]] == pytest.approx([each.seconds for each in facts.front])
    assert list(values) == [each.value for each in facts.front] + [facts.front[-1].value]
    dots: list[Any] = [each for each in axes.collections if isinstance(each, PathCollection)]
    assert sum(len(each.get_offsets()) for each in dots) == len(facts.points) > len(facts.valued)


def test_a_note_is_as_wide_as_its_picture(facts: Facts) -> None:
    figure = plots.pareto(facts)
    figure.canvas.draw()
    note = next(text for text in figure.texts if text.get_text().startswith("A dot is"))
    assert note.get_window_extent().x1 <= figure.bbox.x1


def test_the_map_has_a_cell_for_each_mean_rank(facts: Facts) -> None:
    (mesh,) = collections(plots.contour(facts), QuadMesh)[:1]
    assert mesh.get_array().shape == (CELLS, CELLS)
    assert mesh.get_array().max() == 1


def test_the_ledger_has_a_bar_for_each_rung(facts: Facts) -> None:
    (axes,) = plots.ledger(facts).axes
    lines = entries(facts)
    assert sum(bar.get_width() for bar in axes.patches) == sum(line.planned for line in lines)  # type: ignore[attr-defined]
    assert len(axes.get_yticklabels()) == len(lines)


def test_curves_and_parallel_coordinates_have_a_line_for_each_experiment(facts: Facts) -> None:
    for figure in (plots.parallel_coordinates(facts), plots.curves(facts)):
        lines = sum(len(each.get_segments()) for each in collections(figure, LineCollection))
        single = sum(len(each.get_offsets()) for each in collections(figure, PathCollection))
        assert lines + single >= len(facts.valued)


def test_failures_are_counted_by_kind(facts: Facts) -> None:
    (axes,) = plots.failures(facts).axes
    failed = sum(each.failed for each in facts.searched)
    assert failed > 1
    assert sum(bar.get_width() for bar in axes.patches) == failed  # type: ignore[attr-defined]


def test_a_study_may_be_given_as_its_folder_its_file_or_itself(studied: Path, tmp_path: Path) -> None:
    folder, file = studied / "study", studied / "study.yaml"
    sources: list[plots.Source] = [str(folder), folder, file, Study.read(file), plots.facts_of(str(folder))]
    assert len({rendered(plots.history(source), tmp_path) for source in sources}) == 1


def test_a_name_with_a_dollar_is_a_name(tmp_path: Path) -> None:
    record = made(SETTINGS.replace("name: fashion", "name: fashion\nmetric: {name: '$val_accuracy$', goal: maximize}"))
    plots.write(plots.history(read_facts(OpenedStudy.read(record))), tmp_path / "x.png")


def test_what_is_not_known_yet_is_said(tmp_path: Path) -> None:
    record = made("name: fashion\nnetwork: fashion_mnist\nalgorithm: random\nmax_recommendations: 4\n", rungs=0)
    facts = read_facts(OpenedStudy.read(record))
    for kind in set(plots.KINDS) - {"ledger"}:
        with pytest.raises(RecordError):
            plots.draw(kind, facts)


def test_no_window_is_opened_and_pyplot_is_left_alone(studied: Path) -> None:
    program = "import sys; from automl import plots; plots.history('study'); print('matplotlib.pyplot' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=studied, capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", MAGIC)
def test_a_picture_is_written_in_the_form_of_its_suffix(suffix: str, studied: Path, tmp_path: Path) -> None:
    ran = automl("plot", "history", str(studied / "study"), "--file", f"it{suffix}", cwd=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, f"wrote it{suffix}\n", "")
    assert (tmp_path / f"it{suffix}").read_bytes().startswith(MAGIC[suffix])
    assert list(files_below(tmp_path)) == [f"it{suffix}"]


def test_the_list_names_every_kind(tmp_path: Path) -> None:
    ran = automl("plot", "--list", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines()] == list(plots.KINDS)


def test_the_command_explains_itself_with_an_example(tmp_path: Path) -> None:
    assert "Example: automl plot" in automl("plot", "--help", cwd=tmp_path).out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("plot", "KIND is missing"),
        ("plot history", "STUDY is missing"),
        ("plot history study", "--file is missing"),
        ("plot histroy study --file x.svg", "did you mean 'history'?"),
        ("plot parallel-coordinate study --file x.svg", "did you mean 'parallel_coordinates'?"),
        ("plot history study --file x.pgn", "did you mean '.png'?"),
        ("plot history study --file x", "allowed: .svg, .png, .pdf"),
        ("plot history study --file no/x.svg", "folder no does not exist"),
        ("plot history nowhere --file x.svg", "no study lies in"),
        ("plot failures study --file x.svg", "no experiment has failed"),
        ("plot history study --file study.svg", "study.svg already exists"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_is_written(
    words: str, says: str, studied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (studied / "study.svg").write_text("mine")
    before = files_below(studied)
    refused(automl(*words.split(), cwd=studied), says)
    assert files_below(studied) == before


def test_force_writes_over_a_file(studied: Path, tmp_path: Path) -> None:
    (tmp_path / "x.svg").write_text("old")
    ran = automl("plot", "history", str(studied / "study"), "--file", "x.svg", "--force", cwd=tmp_path)
    assert ran.code == 0
    assert (tmp_path / "x.svg").read_bytes().startswith(MAGIC[".svg"])


def test_without_matplotlib_it_says_what_to_install(studied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith(("automl.plots.", "matplotlib"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    importlib.invalidate_caches()
    ran = automl("plot", "history", "study", "--file", "y.svg", cwd=studied)
    assert ran.code == AutoMLError.exit_code
    assert f"matplotlib is not installed; {install_command('plots')}" in ran.err
    assert not (studied / "y.svg").exists()
    assert automl("plot", "--list", cwd=studied).code == 0


def test_a_kind_that_is_not_known_is_refused_in_python_too(facts: Facts) -> None:
    with pytest.raises(InvalidInput, match="did you mean 'slices'"):
        plots.draw("slice", facts)


def test_a_store_may_be_given_beside_the_file(studied: Path, tmp_path: Path) -> None:
    words = ("plot", "history", str(studied / "study.yaml"), "--store", str(studied / "study"), "--file", "x.png")
    assert automl(*words, cwd=tmp_path).code == 0
