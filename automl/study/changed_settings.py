"""Settings that a command line changes in a study file: `--set R=27`, `--set parameters.lr.high=0.1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automl.errors import InvalidInput
from automl.networks.spec_formats import flatten
from automl.study.study_file import options_in
from automl.text import strict_yaml

_DOTTED = "train_spec"  # below it a path is one key, as settings of the training may be written
_BY_NAME = "parameters"  # below it stand a name, which may have dots, and one key of its range


def with_settings(text: str, where: str, settings: Sequence[str]) -> str:
    """The text of a study file with these settings, KEY=VALUE, in place of its own or beside them.

    KEY is a dotted path of the study file, VALUE is YAML. The text itself where there are none; otherwise a new one,
    which names them and can be run as it is. Raises InvalidInput.
    """
    if not settings:
        return text
    data = options_in(text, where)
    if isinstance(data.get(_DOTTED), Mapping):
        data[_DOTTED] = flatten(data[_DOTTED])
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key.strip():
            raise InvalidInput(f"--set {setting!r}", allowed="KEY=VALUE, such as R=27 or run.jobs=2")
        parsed = strict_yaml.mapping(f"value: {value or 'null'}\n", f"--set {setting}")
        _set(data, _steps(key.strip()), parsed["value"], setting)
    named = " ".join(f"--set {setting}" for setting in settings).replace("\n", " ")
    return f"# {where} with {named}\n{strict_yaml.dump(data)}"


def _steps(key: str) -> list[str]:
    first, _, rest = key.partition(".")
    if first == _DOTTED and rest:
        return [first, rest]
    if first == _BY_NAME and "." in rest:
        return [first, *rest.rsplit(".", 1)]
    return key.split(".")


def _set(data: dict[str, Any], steps: Sequence[str], value: Any, setting: str) -> None:
    *groups, last = steps
    inner = data
    for depth, group in enumerate(groups, 1):
        below = inner.get(group)
        if below is not None and not isinstance(below, Mapping):
            path = ".".join(steps[:depth])
            raise InvalidInput(f"--set {setting!r}: {path} is no group of settings", advice=f"set {path} itself")
        inner[group] = dict(below or {})
        inner = inner[group]
    inner[last] = value
