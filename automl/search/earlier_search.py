"""Finished trials of an earlier search, as a study keeps them: what was tried, and in which order it was good.

They are never results of the study. Only their order says anything: the earlier search may have measured in other
units, on other data, or after other numbers of epochs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.search.formats import reading


@dataclass(frozen=True)
class FurtherMetric:
    """What an earlier search measured of another metric of the study, for each of its trials; None where nothing.

    `ranks` and `measured` are those of `EarlierSearch`.
    """

    name: str
    ranks: tuple[float | None, ...]
    measured: tuple[float | None, ...]

    @property
    def count(self) -> int:
        """How many trials have it."""
        return sum(rank is not None for rank in self.ranks)


@dataclass(frozen=True, eq=False)
class EarlierSearch:
    """The trials of one source that fit the search space of the study.

    `values` are complete configurations of that space. `ranks` has for each of them the share of the others that it
    beats, from 0 for the worst to 1 for the best; equal ones share theirs. `measured` is the metric in the source's own
    units, for people. `parameters` are those whose values come from the source; the others are at their defaults.
    `total` is how many trials the source has, and `left_out` says in a sentence each what of it is not used. In a study
    with several metrics `ranks` and `measured` are those of the first, and `further` has one entry for every other.

    Two of them are equal only where they are one object, so that what is learned from one can be kept.
    """

    source: str
    kind: str
    total: int
    parameters: tuple[str, ...]
    left_out: tuple[str, ...]
    values: tuple[Mapping[str, Any], ...]
    ranks: tuple[float, ...]
    measured: tuple[float, ...]
    further: tuple[FurtherMetric, ...] = ()

    @property
    def best_first(self) -> tuple[Mapping[str, Any], ...]:
        """Its configurations in the order of their ranks."""
        order = sorted(range(len(self.values)), key=lambda position: (-self.ranks[position], position))
        return tuple(self.values[position] for position in order)

    @property
    def words(self) -> str:
        """How much of which source is used, in a sentence."""
        trials = f"{len(self.values)} of {self.total} trials"
        return f"{trials} of {self.source} ({self.kind}), with {', '.join(self.parameters)}"

    def summary(self) -> dict[str, Any]:
        """The same without the trials themselves."""
        return {
            "source": self.source,
            "kind": self.kind,
            "trials": len(self.values),
            "total": self.total,
            "parameters": list(self.parameters),
            "left_out": list(self.left_out),
        }

    def to_json(self) -> dict[str, Any]:
        names = list(dict.fromkeys(name for values in self.values for name in values))
        return {
            "source": self.source,
            "kind": self.kind,
            "total": self.total,
            "parameters": list(self.parameters),
            "left_out": list(self.left_out),
            "columns": names,
            # a parameter that does not exist beside the others is told from one that is null by its column
            "rows": [[values.get(name) for name in names] for values in self.values],
            "absent": [[name for name in names if name not in values] for values in self.values],
            "ranks": list(self.ranks),
            "measured": list(self.measured),
            **({"further": [_further_to_json(one) for one in self.further]} if self.further else {}),
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> EarlierSearch:
        """The earlier search stored as `data`. Raises RecordError; `where` names the object."""
        with reading({"format": 1}, where):
            rows = zip(data["rows"], data["absent"], strict=True)
            return cls(
                source=str(data["source"]),
                kind=str(data["kind"]),
                total=int(data["total"]),
                parameters=tuple(data["parameters"]),
                left_out=tuple(data["left_out"]),
                values=tuple(
                    {name: value for name, value in zip(data["columns"], row, strict=True) if name not in absent}
                    for row, absent in rows
                ),
                ranks=tuple(float(rank) for rank in data["ranks"]),
                measured=tuple(float(value) for value in data["measured"]),
                further=tuple(_further_from_json(one) for one in data.get("further", ())),
            )


def _further_to_json(further: FurtherMetric) -> dict[str, Any]:
    return {"metric": further.name, "ranks": list(further.ranks), "measured": list(further.measured)}


def _further_from_json(data: Mapping[str, Any]) -> FurtherMetric:
    ranks, measured = (
        tuple(None if number is None else float(number) for number in data[key]) for key in ("ranks", "measured")
    )
    return FurtherMetric(str(data["metric"]), ranks, measured)


def ranks_of(scores: Sequence[float]) -> tuple[float, ...]:
    """For each score, of which larger is better, the share of the others that it beats; a tie is half a win."""
    if len(scores) < 2:
        return (1.0,) * len(scores)
    wins = (sum((other < score) + 0.5 * (other == score) for other in scores) - 0.5 for score in scores)
    return tuple(win / (len(scores) - 1) for win in wins)
