"""The figure of two metrics against each other: the front, what it dominates, what is infeasible; and how it grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from automl.analysis.trade_off import Place, TradeOff, TradePoint, check_names, metrics_of, share_dominated
from automl.errors import InvalidInput
from automl.problem.metric import Metric
from automl.reporting.figures.scales import Numbers, of_metric
from automl.search import pareto
from automl.study.definition import Definition

_KEYS = {
    Place.DOMINATED: ("level3", "dominated"),
    Place.FRONT: ("front", "on the front"),
    Place.CHOSEN: ("best", "on the front, chosen"),
    Place.INFEASIBLE: ("failed", "infeasible"),
    Place.SHORTER: ("level1", "trained for less"),
}
FEWEST = 2  # points of a picture
Pair = tuple[str, str]


@dataclass(frozen=True)
class FrontFigure:
    """The axes and the points of two metrics. `stairs` are the points that no other is better than in these two."""

    x: Metric
    y: Metric
    across: Numbers
    up: Numbers
    points: tuple[TradePoint, ...]
    stairs: tuple[tuple[float, float], ...]

    def at(self, point: TradePoint) -> tuple[float, float]:
        """The values of a point on the two axes."""
        return point.values[self.x.name], point.values[self.y.name]

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The legend of what there is, as classes of the report's legends with their meanings."""
        return [key for place, key in _KEYS.items() if self.of(place)]

    @property
    def note(self) -> str:
        """What a reader must know."""
        far = any(self.across.beyond(x) or self.up.beyond(y) for x, y in map(self.at, self.points))
        edge = " Much worse values are drawn at the edge." if far else ""
        return f"Values of the kept checkpoints, on validation data. The line joins what is best in these two.{edge}"

    def of(self, *places: Place) -> list[tuple[float, float]]:
        """The values of the points of these places."""
        return [self.at(point) for point in self.points if point.place in places]


def named(metric: Metric) -> str:
    """The label of an axis."""
    return f"{metric.name} ({'lower' if metric.goal == 'minimize' else 'higher'} is better)"


def pairs(aim: Metric) -> tuple[Pair, ...]:
    """The pairs of metrics that a page shows: the first one with each of the others."""
    return tuple((name, aim.name) for name in aim.further)


def front_figure(trade_off: TradeOff, pair: Pair) -> FrontFigure | None:
    """The figure of two metrics, the first of the pair from left to right; None for fewer than two points."""
    x, y = (metrics_of(trade_off.aim)[name] for name in pair)
    points = tuple(point for point in trade_off.points if x.name in point.values and y.name in point.values)
    if len(points) < FEWEST:
        return None
    across = of_metric([point.values[x.name] for point in points], minimize=x.goal == "minimize")
    up = of_metric([point.values[y.name] for point in points], minimize=y.goal == "minimize")
    compared = [point for point in points if point.place in {Place.CHOSEN, Place.FRONT, Place.DOMINATED}]
    return FrontFigure(x, y, across, up, points, _stairs(x, y, compared))


def _stairs(x: Metric, y: Metric, points: Sequence[TradePoint]) -> tuple[tuple[float, float], ...]:
    losses = [(-x.score(point.values[x.name]), -y.score(point.values[y.name])) for point in points]
    front = {loss for loss, rank in zip(losses, pareto.ranks(losses), strict=True) if rank == 0}
    return tuple((x.score(-across), y.score(-up)) for across, up in sorted(front))


def growth(trade_off: TradeOff) -> tuple[tuple[int, float], ...]:
    """(number of an experiment, hypervolume of all up to it), at every experiment that is compared.

    The hypervolume is a share of the box of all that are compared in the end; empty where there is no such box.
    """
    scored = [
        (point.experiment, trade_off.aim.scores(point.values.get(trade_off.aim.name), point.values))
        for point in trade_off.points
        if point.place in {Place.CHOSEN, Place.FRONT, Place.DOMINATED}
    ]
    compared = [(number, scores) for number, scores in scored if scores is not None]
    everything = [scores for _, scores in compared]
    shares = [
        (number, share_dominated(everything[: place + 1], everything)) for place, (number, _) in enumerate(compared)
    ]
    return tuple((number, share) for number, share in shares if share is not None)


def chosen_pair(definition: Definition, given: Sequence[str] = ()) -> Pair | None:
    """The two metrics of a picture; None for value against training time, where nothing is given and one is improved.

    Raises InvalidInput for what is no pair of this study's metrics, and where there are three and none is given.
    """
    aim = definition.aim
    names = aim.names
    if not given:
        if len(definition.metric_rules) > FEWEST:
            count, example = len(definition.metric_rules), f"{names[1]},{names[0]}"
            raise InvalidInput(
                f"pareto of {count} metrics: a picture shows two",
                allowed=", ".join(names),
                advice=f"name them: --metrics {example}",
            )
        return pairs(aim)[0] if aim.is_several else None
    if len(names) < FEWEST:
        raise InvalidInput(f"--metrics {','.join(given)}: this study has one metric, {names[0]}", advice="leave it out")
    check_names(aim, given, "--metrics: ")
    if len(given) != FEWEST or given[0] == given[1]:
        raise InvalidInput(f"--metrics {','.join(given)}", allowed="two different metrics, with a comma between them")
    return given[0], given[1]
