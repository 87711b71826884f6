"""The page: well-formed, static, small, and true to the record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from automl.errors import InvalidInput, StudyFailed
from automl.networks import definition as networks
from automl.reporting.figures.facts import Facts, read_facts
from automl.reporting.figures.ledger import entries
from automl.reporting.page import page
from automl.reporting.page.answer import minus
from automl.search.history import Failure, Recommendation
from automl.study import summary
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.study.verdict import verdict as verdict_of
from automl.text.formatting import number, setting, shortened
from tests.reporting.page.made_records import Outcome, accuracy, by_batch, made, opened
from tests.small_network import write_small_network

HEAD = "name: fashion\nnetwork: fashion_mnist\n"
HYPERBAND = f"{HEAD}R: 9\nfinal: {{repeats: 3}}\n"
HOSTILE = "</style><script>alert(1)</script><img src=x onerror=y> ]]> {{tag}} & \x00\x1b[31m"


def failing(asked: Recommendation) -> Outcome:
    return (), Failure.ERROR if asked.number % 2 else Failure.KILLED, f"{HOSTILE} {asked.number % 3}"


def of_failures() -> Record:
    """All of its search has failed, so that the final judgement cannot be."""
    with pytest.raises(StudyFailed):
        made(HYPERBAND, failing)
    return made(HYPERBAND, failing, rungs=5)


RECORDS: dict[str, Callable[[], Record]] = {
    "not begun": lambda: made(HYPERBAND, rungs=0),
    "twelve": lambda: made(HYPERBAND, pace=by_batch),
    "running": lambda: made(f"{HEAD}R: 27\nmax_epochs: 27\n", rungs=3),
    "failures only": of_failures,
    "two hundred": lambda: made(f"{HEAD}algorithm: random\nmax_recommendations: 200\nmax_epochs: 3\n", pace=by_batch),
    "bayesian": lambda: made(f"{HEAD}algorithm: bayesian\nmax_recommendations: 12\n"),
    "defaults only": lambda: made(f"{HEAD}automl_enabled: false\n"),
}


@pytest.fixture(scope="module", params=RECORDS)
def record(request: pytest.FixtureRequest) -> Record:
    return RECORDS[request.param]()


def shown(record: Record) -> str:
    return page.render(OpenedStudy.read(record))


def root(text: str) -> ElementTree.Element:
    """The page, by a parser that forgives nothing."""
    return ElementTree.fromstring(text)  # noqa: S314 - our own page


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def rows(element: ElementTree.Element) -> Iterator[list[str]]:
    for row in element.iter("tr"):
        yield [words(cell) for cell in row]


def section(text: str, name: str) -> ElementTree.Element:
    (found,) = (each for each in root(text).iter("section") if each.get("id") == name)
    return found


# -- every page -------------------------------------------------------------------------------------------------------


class Balance(HTMLParser):
    """Counts what is open; raises where an element closes that is not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_startendtag(self, tag: str, _attributes: object) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_html_and_well_formed_xml(record: Record) -> None:
    text = shown(record)
    assert text.startswith("<!DOCTYPE html>\n<!-- argo-automl report -->\n")
    assert root(text).tag == "html"
    balance = Balance()
    balance.feed(text)
    balance.close()
    assert balance.open == []


def test_the_page_is_static_and_loads_nothing(record: Record) -> None:
    text = shown(record)
    tags = {each.tag for each in root(text).iter()}
    assert not tags & {
        "script",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "img",
        "image",
        "use",
        "form",
        "foreignObject",
    }
    for element in root(text).iter():
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert name not in {"src", "srcset", "xlink:href", "action", "background"}
            assert "://" not in value or name == "title"
            if name == "href":
                assert re.fullmatch(r"#[a-z-]+|best_model/|report-interactive\.html|experiment_\d+/log\.txt", value)
    (style,) = (each.text or "" for each in root(text).iter("style"))
    assert not re.search(r"url\(|@import|data:|expression", style)


def test_every_link_leads_to_a_section_and_no_id_stands_twice(record: Record) -> None:
    tree = root(shown(record))
    names = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(names) == len(set(names))
    links = {each.get("href", "")[1:] for each in tree.iter("a") if each.get("href", "").startswith("#")}
    assert links <= set(names)
    assert "reproduce" in links


def test_no_coordinate_is_lost(record: Record) -> None:
    for element in root(shown(record)).iter():
        for name in ("d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            assert not re.search(r"nan|inf|None|e[+-]?\d", element.get(name, "")), element.attrib


def test_the_page_is_the_same_bytes_again_and_from_what_is_stored_alone(record: Record) -> None:
    definition = opened(record)
    study = record.history(definition)
    assert page.render(OpenedStudy.read(record)) == page.render(OpenedStudy.read(record), study)


def test_every_decisions_reason_is_on_the_page(record: Record) -> None:
    definition = opened(record)
    study = record.history(definition)
    text = words(root(shown(record)))
    for decision in study.decisions:
        for reason in {each.reason for each in decision.issued}:
            assert " ".join(reason.split()) in text


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_records() -> None:
    record = made(HYPERBAND)
    definition = opened(record)
    study = record.history(definition)
    best, verdict = summary.best(definition, study), verdict_of(definition, study)
    assert best is not None
    assert verdict is not None
    answer = words(section(shown(record), "answer"))
    assert minus(verdict.sentence) in answer
    assert f"Experiment {best.experiment} has a mean val_accuracy of {number(verdict.best.mean)}" in answer
    assert "(Student's t of 3 pairs of trainings)" in answer


def test_every_experiment_has_a_row_with_its_values_and_its_result() -> None:
    record = made(HYPERBAND)
    definition = opened(record)
    facts = Facts(definition, record.history(definition), record.metadata(), "")
    found = {row[0]: row for row in rows(section(shown(record), "experiments")) if row[0].isdigit()}
    assert len(found) == definition.plan.experiments
    for each in facts.searched:
        _, _, epochs, value, *settings, _ = found[str(each.number)]
        assert (epochs, value) == (str(each.experiment.epochs), number(each.value))
        assert setting(each.experiment.values["train.lr"]) == settings[[axis.short for axis in facts.axes].index("lr")]


def test_the_experiments_are_sorted_by_length_and_value() -> None:
    facts = read_facts(OpenedStudy.read(made(HYPERBAND)))
    numbers = [int(row[0]) for row in rows(section(shown(made(HYPERBAND)), "experiments")) if row[0].isdigit()]
    longest = [each for each in facts.valued if each.experiment.epochs == facts.epochs[-1]]
    assert numbers[: len(longest)] == [each.number for each in longest]


@pytest.mark.parametrize("slope", [-0.1, 0.1])
def test_a_judgement_that_the_defaults_did_not_need_is_no_gap(slope: float) -> None:
    """Experiment 0 is the defaults: where they are the best, half of the judgement is left out."""
    settings = f"{HEAD}algorithm: random\nmax_recommendations: 2\nfinal: {{repeats: 1}}\n"
    text = words(section(shown(made(settings, lambda asked: (((9, 0.5 + slope * asked.number),), None, ""))), "answer"))
    if slope < 0:
        said = "ended; none failed. 1 training of the final judgement was not needed: the defaults are the best"
        assert f"Experiments 3 of 3 {said}" in text.replace("Experiments3 of 3", "Experiments 3 of 3 ")
    else:
        assert "4 of 4" in text
        assert "not needed" not in text


def test_a_judgement_of_nothing_is_no_gap() -> None:
    text = words(section(shown(of_failures()), "answer"))
    assert "0 of 12" in text
    assert "12 failed. 6 trainings of the final judgement were not needed: there is nothing to judge" in text


def test_the_ledger_adds_up_to_the_plan() -> None:
    record = made(HYPERBAND)
    definition = opened(record)
    facts = Facts(definition, record.history(definition), record.metadata(), "")
    found = entries(facts)
    plan = definition.plan
    assert sum(line.planned for line in found) == plan.trained(plan.stages, resume=True)
    assert sum(line.trained for line in found) == sum(facts.trained.values())
    assert all(line.trained + line.to_come + line.away == line.planned for line in found)
    whole = plan.trained(plan.stages, resume=False) - plan.trained(plan.stages, resume=True)
    assert sum(line.saved for line in found) == whole  # nothing has failed that would be promoted
    *_, total = rows(section(shown(record), "epochs"))
    assert total[5:8] == [f"{sum(getattr(line, name) for line in found):,}" for name in ("planned", "trained", "saved")]


def test_epochs_that_failures_took_away_are_not_to_come() -> None:
    record = of_failures()
    definition = opened(record)
    facts = Facts(definition, record.history(definition), record.metadata(), "")
    found = entries(facts)
    assert sum(line.to_come for line in found) == 0
    assert sum(line.away for line in found) == sum(line.planned for line in found)


def test_failures_are_grouped_by_kind_and_message() -> None:
    text = words(section(shown(of_failures()), "failures"))
    assert "error: 6 experiments" in text
    assert "killed: 6 experiments" in text
    assert "experiments 1, 7" in text  # odd, and the same rest of the division by three


def test_an_experiment_that_was_lost_at_a_later_rung_has_a_value_and_no_curve() -> None:
    def lost_later(asked: Recommendation) -> Outcome:
        return ((), Failure.LOST, "its pod ended") if asked.resume_epoch else accuracy(asked)

    assert "its pod ended" in words(root(shown(made(f"{HEAD}R: 9\nfinal: {{repeats: 0}}\n", lost_later))))


# -- hostile text -----------------------------------------------------------------------------------------------------


def test_a_hostile_message_is_text() -> None:
    text = shown(of_failures())
    assert "<script" not in text.lower()
    assert "<img" not in text.lower()
    assert "</style><script>alert(1)</script><img src=x onerror=y> ]]> {{tag}} &" in words(root(text))
    text.encode()


def test_a_hostile_study_file_and_metric_are_text(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    path = tmp_path / "small.yaml"
    network = path.read_text().replace("A parabola", "'<script>a</script>'").replace("name: score", "name: '<b>&\"'")
    path.write_text(network)
    settings = "name: study\nnetwork: small.yaml\nR: 3\n# </pre><script>b</script>\n"
    record = made(settings, lambda asked: (((asked.epochs, asked.values["train.x"]),), None, ""), tmp_path)
    text = shown(record)
    assert "<script" not in text
    assert "<b>" not in text
    assert settings.strip() in next(
        each.text or "" for each in root(text).iter("pre") if each.get("id") == "study-yaml"
    )


# -- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        f"{HEAD}algorithm: random\nmax_recommendations: 1000\nmax_epochs: 80\nsampler: sobol\n",
        f"{HEAD}algorithm: successive_halving\nmax_recommendations: 1000\nR: 81\nmax_epochs: 81\n",
    ],
)
def test_a_thousand_experiments_take_less_than_a_megabyte(settings: str) -> None:
    text = shown(made(settings, pace=by_batch))
    assert len(text.encode()) < 1_000_000
    assert len([row for row in rows(section(text, "experiments")) if row[0].isdigit()]) == 1000
    assert root(text).tag == "html"


def test_beyond_a_thousand_the_page_says_what_it_leaves_out() -> None:
    def quick(asked: Recommendation) -> Outcome:
        return accuracy(asked)[0][:1] or ((1, 0.1),), None, ""

    text = shown(made(f"{HEAD}algorithm: random\nmax_recommendations: 1500\nmax_epochs: 1\n", quick))
    assert len(text.encode()) < 1_000_000
    assert "Drawn are the best 500, and 500 of the other 1,000." in words(root(text))
    assert "and 510 other experiments; all are in controller.json" in words(root(text))


# -- names ------------------------------------------------------------------------------------------------------------


def test_a_parameter_is_called_by_what_tells_it_apart() -> None:
    names = ["train.lr", "model.block_1.attention.size", "model.block_2.attention.size", "size"]
    assert [shortened(name, names) for name in names[:1]] == ["lr"]
    assert [shortened(name, names[:3]) for name in names[1:3]] == ["block_1.size", "block_2.size"]
    assert [shortened(name, names) for name in names[1:]] == [*names[1:3], "size"]


# -- to make it again -------------------------------------------------------------------------------------------------


def test_the_network_on_the_page_is_the_network_of_the_study(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    settings = "name: study\nnetwork: small.yaml\nR: 3\n"
    record = made(settings, lambda asked: (((asked.epochs, asked.values["train.x"]),), None, ""), tmp_path)
    text = next(each.text or "" for each in root(shown(record)).iter("pre") if each.get("id") == "network-yaml")
    assert networks.parse(text, "the page") == opened(record).network


def test_the_page_names_version_seed_and_digest() -> None:
    record = made(HYPERBAND, rungs=0)
    found = dict(row for row in rows(section(shown(record), "reproduce")) if len(row) == 2)
    assert found["version"] == f"argo-automl {record.metadata()['version']}"
    assert (found["seed"], found["sha256 of the settings"]) == ("42", record.metadata()["sha256"])


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_page_is_written_over_a_page_and_over_nothing_else(tmp_path: Path) -> None:
    text = shown(made(HYPERBAND, rungs=0))
    target = tmp_path / "report.html"
    page.write(text, target)
    page.write(text.replace("fashion", "again"), target)
    assert target.read_text() == text.replace("fashion", "again")
    other = tmp_path / "other.html"
    other.write_text("<!DOCTYPE html>\nmine\n")
    for path, says in (
        (other, "not a report of argo-automl"),
        (tmp_path, "is a folder"),
        (tmp_path / "no/x.html", "does not exist"),
    ):
        with pytest.raises(InvalidInput, match=says):
            page.write(text, path)
    assert other.read_text() == "<!DOCTYPE html>\nmine\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["other.html", "report.html"]
