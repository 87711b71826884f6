"""A command line taken apart: variables before it, how the program is started, and the settings after that.

`LR=0.1 python train.py data --lr 0.1 --batch-size=32 -v model.depth=4` has the variable LR, the start `python train.py`
and three settings; `data` and `-v` are words that stay what they are.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from types import MappingProxyType

from automl.errors import InvalidInput
from automl.networks.braces import OPTIONS, interpreter, script_of

_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OVERRIDE = re.compile(r"(\+{0,2})([A-Za-z_][\w-]*(?:\.[\w-]+)*)=(.*)", re.DOTALL)
_FLAG = re.compile(r"(--?)([A-Za-z][\w-]*(?:\.[\w-]+)*)(?:=(.*))?", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


class Form(StrEnum):
    """How a program takes a setting."""

    FLAG = "flags"
    EQUALS = "flags_equals"
    OVERRIDE = "hydra"
    VARIABLE = "variable"
    SWITCH = "switch"  # a flag without a value


@dataclass(frozen=True)
class Setting:
    """One setting. `index` is the place of the word that holds its value; `before` is what that word has before it.

    `flag` is the flag as it is written, `text` the value, empty for a switch.
    """

    name: str
    text: str
    form: Form
    index: int
    before: str = ""
    flag: str = ""


@dataclass(frozen=True)
class CommandLine:
    """All words of a command; `start` is how many of them start the program, before its first setting."""

    variables: Mapping[str, str]
    words: tuple[str, ...]
    start: int
    settings: tuple[Setting, ...]

    @property
    def script(self) -> str | None:
        """The path of the script or program that is started, as it is written; None for a name.

        That of a module is the one that it has below the folder in which it is started.
        """
        if "-m" in self.words[: self.start]:
            return self.words[self.words.index("-m") + 1].replace(".", "/") + ".py"
        for word in reversed(self.words[: self.start]):
            if PurePosixPath(word).suffix or "/" in word:
                return word
        return None

    @property
    def form(self) -> Form | None:
        """The form of all settings that have a value; None when they have several, or none."""
        forms = {setting.form for setting in self.settings if setting.form is not Form.SWITCH}
        plain = all(
            setting.form is Form.SWITCH or setting.before in {"", f"--{setting.name}=", f"{setting.name}="}
            for setting in self.settings
        ) and all(not setting.flag or setting.flag.startswith("--") for setting in self.settings)
        return forms.pop() if len(forms) == 1 and plain else None


def taken_apart(
    words: Sequence[str], switches: frozenset[str] = frozenset(), names: Mapping[str, str] = MappingProxyType({})
) -> CommandLine:
    """The command line of these words. Raises InvalidInput.

    `switches` are names of flags that take no value, `names` the names of flags that have a short form, by that.
    """
    if len(words) == 1 and " " in words[0]:  # "python train.py --lr 0.1" as one word
        words = _split(words[0])
    rest = list(words)
    if rest[:1] == ["env"] and len(rest) > 1 and _VARIABLE.fullmatch(rest[1]):
        rest = rest[1:]
    variables: dict[str, str] = {}
    while rest and (match := _VARIABLE.fullmatch(rest[0])):
        variables[match[1]] = match[2]
        rest = rest[1:]
    if not rest:
        raise InvalidInput(
            "-- has no program after it", allowed="the command that trains", advice="as in: -- python train.py --lr 0.1"
        )
    start = _start(rest)
    settings = [replace(each, name=names.get(each.name, each.name)) for each in _settings(rest, start, switches)]
    return CommandLine(variables, tuple(rest), start, tuple(settings))


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise InvalidInput(f"{line!r} is no command line: {error}") from error


def _start(words: Sequence[str]) -> int:
    """How many words start the program: up to the script, the module of `-m`, or bare words such as `main.py fit`."""
    script = script_of(words)
    if "-m" in words[:6] and words.index("-m") + 1 < len(words) and script is None:
        end = words.index("-m") + 2
    elif script is not None:
        end = script + 1
    else:
        is_interpreter = interpreter(words[0]) in OPTIONS
        scripts = [index for index, word in enumerate(words) if index and PurePosixPath(word).suffix == ".py"]
        end = scripts[0] + 1 if is_interpreter and scripts else 1
    while end < len(words) and re.fullmatch(r"[A-Za-z][\w-]*", words[end]):
        end += 1  # a command of the program's own: main.py fit
    return end


def _settings(words: Sequence[str], start: int, switches: frozenset[str]) -> list[Setting]:
    found: list[Setting] = []
    index = start
    while index < len(words):
        word = words[index]
        if _NUMBER.fullmatch(word):
            index += 1
            continue
        if (match := _FLAG.fullmatch(word)) is not None:
            dashes, name, text = match.groups()
            flag = f"{dashes}{name}"
            if text is not None:
                found.append(Setting(name, text, Form.EQUALS, index, f"{flag}=", flag))
            elif index + 1 < len(words) and _is_value(words[index + 1]) and name not in switches:
                values = _values(words, index + 1)
                if values == 1:
                    found.append(Setting(name, words[index + 1], Form.FLAG, index + 1, "", flag))
                index += values
            else:
                found.append(Setting(name, "", Form.SWITCH, index, "", flag))
        elif (match := _OVERRIDE.fullmatch(word)) is not None:
            plus, name, text = match.groups()
            found.append(Setting(name, text, Form.OVERRIDE, index, f"{plus}{name}="))
        index += 1
    return found


def _is_value(word: str) -> bool:
    return not word.startswith("-") or _NUMBER.fullmatch(word) is not None


def _values(words: Sequence[str], index: int) -> int:
    """How many words from there are the value of one flag: several numbers in a row are a list."""
    count = 1
    if _NUMBER.fullmatch(words[index]):
        while index + count < len(words) and _NUMBER.fullmatch(words[index + count]):
            count += 1
    return count
