"""Values of a search space that a user wants tried: checked, and the parameters not named filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automl.errors import SpaceError, StudyFileError
from automl.problem.completion import completed
from automl.problem.search_space import SearchSpace


def enqueued(space: SearchSpace, listed: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """The completed values of a study file's `enqueue`. Raises StudyFileError."""
    queue = []
    for index, values in enumerate(listed):
        try:
            queue.append(completed(space, values))
        except SpaceError as error:
            where = f"enqueue[{index}]: {error.given}"
            raise StudyFileError(where, allowed=error.allowed, advice=error.advice) from error
    return tuple(queue)


def check_room(listed: Sequence[Mapping[str, Any]], experiments: int, planned: int) -> None:
    """Raises StudyFileError unless a search of so many experiments has one for each of the listed values.

    `planned` is how many it would have if the space had enough configurations.
    """
    if listed and len(listed) >= experiments:
        raise StudyFileError(
            f"enqueue: {len(listed)} values",
            allowed=f"up to {experiments - 1}: the search has {experiments} experiments, and the first is the defaults",
            advice="'repeat_configurations: true' trains a configuration again" if experiments < planned else "",
        )
