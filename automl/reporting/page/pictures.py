"""What the best model and the defaults see: the pictures that a training program leaves with its checkpoints.

They come from the best checkpoint of the experiment, the one that best_model would hold, so that a picture and its
number belong together. Argo's UI forbids pictures and shows their text instead; any browser shows them.
"""

from __future__ import annotations

import base64

from automl.errors import CheckpointError
from automl.reporting.figures.facts import Facts
from automl.reporting.page.drawing import figure
from automl.reporting.page.markup import Markup, joined, tag
from automl.search.history import Experiment
from automl.study.record import Record
from automl.text.formatting import number

MOST_BYTES = 300_000  # of one picture: the page is to stay small
MOST = 4  # pictures of an experiment
_PNG = b"\x89PNG\r\n\x1a\n"


def pictures(record: Record, facts: Facts) -> Markup | None:
    """The section; None when the network draws no pictures or no experiment has left any."""
    caption = facts.definition.network.pictures
    if caption is None:
        return None
    sides = _judged(facts) or _searched(facts)
    shown = [_of(record, facts, title, experiment) for title, experiment in sides]
    drawn = [experiment for experiment in shown if experiment is not None]
    return joined(tag("p", caption), *drawn) if drawn else None


def _judged(facts: Facts) -> list[tuple[str, Experiment]]:
    """The first training of each side in the final judgement. Both have the same length and the same seed.

    There is only one side where the defaults are the best.
    """
    if facts.verdict is None or facts.state != "done":
        return []
    by_number = {experiment.number: experiment for experiment in facts.experiments}
    is_best = facts.best is not None and facts.best.experiment == facts.verdict.candidate
    sides = (
        ("The defaults, trained anew for the final judgement", facts.verdict.default),
        (f"The best{'' if is_best else ' candidate'}, trained anew for it", facts.verdict.best),
    )
    return [(title, by_number[number]) for title, side in sides for number in side.experiments[:1]]


def _searched(facts: Facts) -> list[tuple[str, Experiment]]:
    """Both sides as the search trained them; their lengths may differ."""
    if facts.winner is facts.defaults:
        sides = [("The best of the search, which are the defaults", facts.winner)]
    else:
        sides = [("The defaults in the search", facts.defaults), ("The best of the search", facts.winner)]
    return [(title, candidate.experiment) for title, candidate in sides if candidate is not None]


def _of(record: Record, facts: Facts, title: str, experiment: Experiment) -> Markup | None:
    results = [result for result in experiment.results if result.failure is None and result.best is not None]
    if not results or results[-1].best is None:
        return None
    best = results[-1].best
    try:
        manifest = record.manifest(best.manifest)
    except CheckpointError:
        return None  # 'automl verify' reports a damaged one
    if manifest is None:
        return None
    images = []
    for index, file in enumerate(manifest.files):
        if file.name.endswith(".png") and file.size <= MOST_BYTES:
            data = record.store.get(manifest.file_key(index))
            if data is not None and data.startswith(_PNG):
                text = base64.b64encode(data).decode()
                name = f"experiment {experiment.number}, epoch {best.epoch}: {file.name}"
                images.append(tag("img", src=f"data:image/png;base64,{text}", alt=name, class_="seen"))
    if not images:
        return None
    value = results[-1].best_value
    value_text = "" if value is None else f", {facts.metric} {number(value)}"
    return figure(title, joined(*images[:MOST]), f"Experiment {experiment.number}, epoch {best.epoch}{value_text}.")
