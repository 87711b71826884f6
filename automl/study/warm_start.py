"""What a study keeps of earlier searches (`warm_start`): copied when it begins, then read from its own record.

What the option takes is checked here; importing/earlier_searches.py reads the sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automl.errors import StudyFileError
from automl.search.algorithms import SAMPLERS, Algorithm
from automl.search.earlier_search import EarlierSearch
from automl.study.options import StudyFile

KEY = "earlier"  # in the record, beside 'study' and 'network'


def check(file: StudyFile, sampler: str, algorithm: Algorithm) -> None:
    """Raises StudyFileError for earlier searches that nothing could learn from, and for one that is named twice."""
    sources = file.warm_start
    if sources is None:
        return
    if not file.automl_enabled:
        advice = "leave it out, or set 'automl_enabled: true'"
        raise StudyFileError(
            "warm_start: a search learns from it, and 'automl_enabled: false' trains once", advice=advice
        )
    for position, source in enumerate(sources):
        if source in sources[:position]:
            raise StudyFileError(f"warm_start: {source} is given twice", advice="keep one of the two")
    if not SAMPLERS[sampler].warms:
        able = [name for name in algorithm.samplers if SAMPLERS[name].warms]
        others = [name for name, row in SAMPLERS.items() if row.warms]
        named = "" if file.sampler else f", the usual one of algorithm: {file.algorithm}"
        raise StudyFileError(
            f"warm_start with sampler: {sampler}{named}, which cannot learn from earlier searches",
            allowed=f"sampler: {', '.join(able or others)}",
            advice=f"set sampler: {able[0]}" if able else "use algorithm: bayesian, or leave warm_start out",
        )


def check_read(file: StudyFile, earlier: Sequence[EarlierSearch]) -> None:
    """Raises StudyFileError where a new study would begin without the earlier searches that its file names."""
    if len(file.warm_start or ()) != len(earlier):
        raise StudyFileError(
            f"warm_start: {len(file.warm_start or ())} sources, and {len(earlier)} were read",
            advice="a program that begins a study reads them first: automl.importing.earlier_searches.with_earlier",
        )


def to_json(earlier: Sequence[EarlierSearch]) -> dict[str, Any]:
    """What a record holds of them: nothing where there are none, as in every study before there was a warm start."""
    return {KEY: [search.to_json() for search in earlier]} if earlier else {}


def stored(data: Mapping[str, Any]) -> tuple[EarlierSearch, ...]:
    """The earlier searches of a record. Raises RecordError."""
    return tuple(
        EarlierSearch.from_json(search, f"the study's record: {KEY}[{position}]")
        for position, search in enumerate(data.get(KEY) or ())
    )
