"""An account of what was read and what was not, for the message of a training that reported nothing.

It names the file, how many lines were read, what was found instead of what was expected, and the setting that helps.
"""

from __future__ import annotations

import os
from pathlib import Path

from automl.execution.plain_files import readable
from automl.execution.status_readers.follower import Follower
from automl.execution.status_readers.readings import MetricReadings
from automl.text.formatting import counted

_MOST = 5  # names that a message lists
_NAMED = {"csv": "columns", "tensorboard": "tags"}  # what the numbers of a format are called; members where not said


def why_no_epoch(follower: Follower) -> str:
    """Why no epoch could be read, as a sentence; empty if one was."""
    if follower.rule.without_epoch == "counted" and not follower.readings.furthest:
        return why_no_metric(follower)
    reason = _why_no_epoch(follower)
    return f"{follower.metric} was never reported: {reason}" if reason else ""


def _why_no_epoch(follower: Follower) -> str:
    readings, rule = follower.readings, follower.rule
    if readings.furthest > follower.start or readings.epoch:
        return ""
    if reason := _why_nothing(follower):
        return reason
    where = _where(follower)
    if readings.fractional_epoch is not None:
        return (
            f"{where}: epochs such as {readings.fractional_epoch:g} are no whole numbers; set status.round_epochs: true"
        )
    epoch = rule.epoch or "epoch"
    if epoch in readings.refused:
        return f"{where}: {readings.refused[epoch]}"
    if epoch in readings.not_numbers:
        return f"{where}: the epoch {readings.not_numbers[epoch]!r} is no number; status.epoch names another one"
    if rule.reader == "regex":
        return f"{where}: {_lines(readings)}, and no pattern found an epoch there; see status.patterns"
    kind = _NAMED.get(rule.reader, "members")
    return f"{where}: {_lines(readings)}, none with {epoch!r}; its {kind} are {_names(readings)}; see status.epoch"


def why_no_metric(follower: Follower, name: str = "") -> str:
    """Why a metric was never reported, as a sentence; without a name the one that is followed."""
    readings, name = follower.readings, name or follower.metric
    if reason := readings.refused.get(name) or _why_nothing(follower):
        return (
            f"{name} cannot be read: {reason}" if name in readings.refused else f"{name} was never reported: {reason}"
        )
    where = _where(follower)
    if name in readings.not_numbers:
        return f"{name} was never reported as a number: {where} says {readings.not_numbers[name]!r}"
    if follower.rule.reader == "regex":
        return f"{name} was never reported: no pattern found it in {where}, {_lines(readings)}"
    others = _listed(sorted(readings.values)) or "none"
    return f"{name} was never reported in {where}, {_lines(readings)}; reported were: {others}"


def _why_nothing(follower: Follower) -> str:
    """Why not a single line gave a number; empty if one did."""
    readings = follower.readings
    if readings.problem:
        return f"{_where(follower)}: {readings.problem}"
    if follower.trouble:
        return follower.trouble
    if not follower.paths():
        names = _files(follower.results)
        beside = f"there are: {_listed(names)}" if names else "it is empty"
        return f"no file {follower.path or follower.log.name} in the results folder, {beside}; see status.path"
    if readings.lines:
        return ""
    where = _where(follower)
    if not readings.all_lines:
        return f"{where} is empty" if follower.rule.reader != "tensorboard" else f"{where} holds no scalar"
    if follower.rule.reader == "csv":
        return f"no line of {where} could be read: its columns are {_names(readings)}"
    if follower.rule.reader == "regex":
        return f"none of the {readings.all_lines:,} lines of {where} matches a pattern; see status.patterns"
    return f"no line of {where} could be read: {_lines(readings)}"


def _where(follower: Follower) -> str:
    paths = follower.paths()
    names = [path.relative_to(follower.results).as_posix() if path != follower.log else path.name for path in paths]
    return readable(names[0]) if len(names) == 1 else f"the {len(names)} files {follower.path}"


def _lines(readings: MetricReadings) -> str:
    read = counted(readings.all_lines - readings.bad_lines, "line")
    return f"{read} read" + (f", {readings.bad_lines:,} could not be" if readings.bad_lines else "")


def _names(readings: MetricReadings) -> str:
    return _listed(list(readings.names)) or "none"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _files(results: Path) -> list[str]:
    names = []
    for folder, _, files in os.walk(results):
        names += [(Path(folder) / file).relative_to(results).as_posix() for file in files]
    return sorted(readable(name) for name in names)
