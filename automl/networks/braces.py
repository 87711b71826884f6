r"""The braces of a command: `{lr}` stands for a value, `{args}` for all values that no other brace names.

A brace that a name follows is filled in, `\{` is a brace that stands for itself, and so is every other brace. No shell
ever sees a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from automl.errors import SpecError, nearest
from automl.networks import argument_forms
from automl.networks.spec_formats import flatten, get_path

SPEC, ARGS, EPOCHS, SEED, CHECKPOINT, RESULTS = "spec", "args", "epochs", "seed", "checkpoint", "results"
OURS = (EPOCHS, SEED, CHECKPOINT, RESULTS, "gpus", SPEC, ARGS)  # all but ARGS come from whoever starts the training
SHELLS = ("sh", "bash", "dash", "zsh")
OPTIONS: Mapping[str, frozenset[str]] = {  # of interpreters, those after which the script still comes
    "python": frozenset({"-u", "-B", "-E", "-I", "-O", "-OO", "-P", "-S", "-s", "-v"}),
    **dict.fromkeys(SHELLS, frozenset({"-e", "-u", "-x", "-eu", "-ex", "-eux"})),
}
_SCRIPTS = frozenset({".py", ".sh", ".bash", ".R", ".jl", ".pl", ".rb", ".js", ".lua"})
_BRACE = re.compile(r"\\([{}])|\{(\s*[A-Za-z_][^{}]*)\}")

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Words:
    """The words that a training program is started with, and its environment variables, with their braces.

    `form` and `booleans` are those of argument_forms.py. `paths` are the values that there are: a name, and its path in
    the train spec.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    form: str
    booleans: str
    paths: Mapping[str, str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in all braces."""
        return frozenset(_names([*self.command, *self.environment.values()]))

    def check(self, parameters: Mapping[str, str]) -> None:
        """Raises ValueError for a brace that names nothing or two things, and for a value that nothing reads.

        `parameters` are the paths in the train spec of what may be searched, by name.
        """
        for word in (*self.command, *self.environment.values()):
            if "{{" in word:
                raise ValueError(f"command: {word!r}: '{{{{' may not stand in a command: a cluster would fill it in")
            if ARGS in _names([word]) and word != _braced(ARGS) and self.form != "json":
                raise ValueError(f"command: {word!r}: {{args}} stands alone in its word, unless arguments: json")
        if ARGS in _names(self.environment.values()) and self.form != "json":
            raise ValueError("environment: {args} is many words; one variable takes it with arguments: json only")
        named = {self.path_of(name) for name in self.names if name not in OURS}
        if self.names & {SPEC, ARGS}:
            return
        if unread := [name for name, path in parameters.items() if path not in named]:
            read = [*(name for name in self.names if name not in OURS)]
            advice = (
                like(unread[0], read)
                or f"name {_braced(unread[0])} in the command, or {{args}} or {{spec}} for all values"
            )
            raise ValueError(f"{unread[0]} is read by nothing: no brace of the command names it; {advice}")

    def check_epochs(self, field: str | None, *, fixed: bool) -> None:
        """Raises ValueError unless the program is told how long to train, or always trains equally long (`fixed`).

        `field` is the path in the train spec of the epochs, if it has one.
        """
        is_told = field is not None or EPOCHS in self.names
        if not is_told and not fixed:
            raise ValueError(
                "fields.epochs is missing; or name {epochs} in the command or in environment; or set "
                "fixed_epochs: true for a program that always trains equally long"
            )
        if is_told and fixed:
            raise ValueError("fixed_epochs, or {epochs} in the command and fields.epochs: not both")

    def path_of(self, name: str) -> str:
        """The path in the train spec of what a brace names. Raises ValueError when that is nothing, or two things."""
        if name in self.paths:
            return self.paths[name]
        if name in self.paths.values():
            return name
        alike = sorted({path for known, path in self.paths.items() if _last(known) == name})
        if len(alike) == 1:
            return alike[0]
        if alike:
            advice = f"write the whole path, such as {_braced(alike[0])}"
            raise ValueError(f"command: {_braced(name)} stands for {' and for '.join(alike)}; {advice}")
        known = [*dict.fromkeys([*map(_last, self.paths), *OURS])]
        advice = like(name.strip(), [*known, *self.paths]) or "a brace that stands for itself is written \\{"
        raise ValueError(f"command: {_braced(name)} names nothing; allowed: {', '.join(known)}; {advice}")

    def argv(self, spec: Values, ours: Values) -> tuple[str, ...]:
        """The command with its braces filled in. `ours` are the values of OURS but {args}; `spec` has all others.

        `{args}` alone in a word becomes as many words as it takes. A word with a null is left out, and so is the
        option before it whose value it is. Raises SpecError for a value that cannot be written.
        """
        result: list[str] = []
        for word in self.command:
            if word == _braced(ARGS):
                result += argument_forms.words(self._all(spec), self.form, self.booleans)
                continue
            filled = self._filled(word, spec, ours)
            if filled is not None:
                result.append(filled)
            elif _BRACE.fullmatch(word) and result and result[-1].startswith("-") and "=" not in result[-1]:
                result.pop()
        return tuple(result)

    def written(self, path: str, value: Any) -> tuple[str, ...]:
        """The words in which the program gets a value, wherever it gets it but in a file. Raises SpecError."""
        named = {self.path_of(name) for name in self.names if name not in OURS}
        if path in named:
            return () if value is None else (argument_forms.text(value, self.form),)
        if ARGS not in self.names:
            return ()
        return argument_forms.words({"value" if "[" in path else path: value}, self.form, self.booleans)

    def variables(self, spec: Values, ours: Values) -> dict[str, str]:
        """The environment variables with their braces filled in, without those that have a null. Raises SpecError."""
        filled = {name: self._filled(word, spec, ours) for name, word in self.environment.items()}
        return {name: word for name, word in filled.items() if word is not None}

    def _all(self, spec: Values) -> dict[str, Any]:
        """The values of {args}: all of the spec that no brace names by itself, sorted, for a record has no order."""
        named = {self.path_of(name) for name in self.names if name not in OURS}
        return {path: value for path, value in sorted(flatten(spec).items()) if path not in named and value != {}}

    def _filled(self, word: str, spec: Values, ours: Values) -> str | None:
        """The word filled in; None when one of its values is null."""

        def value(name: str) -> Any:
            if name == ARGS:
                return argument_forms.words(self._all(spec), self.form, self.booleans)[0]
            return ours[name] if name in OURS else get_path(spec, self.path_of(name))

        values = {name: value(name) for name in _names([word])}
        if None in values.values():
            return None
        filled = _BRACE.sub(lambda match: match[1] or argument_forms.text(values[match[2]], self.form), word)
        if "\0" in filled:
            raise SpecError(f"the word {filled!r} of the command", allowed="text without NUL, which no program can get")
        return filled


def script_of(words: Sequence[str]) -> int | None:
    """The index of the script that an interpreter is to run, when it is named by a relative path."""
    options = OPTIONS.get(interpreter(words[0]))
    begins = options is not None  # whether only options without a value came so far
    for index, word in enumerate(words[1:], 1):
        if word in {"-m", "-c"}:
            return None
        if word.startswith("-"):
            begins = begins and options is not None and word in options
        elif "{" not in word and (begins or PurePosixPath(word).suffix in _SCRIPTS):
            return None if word.startswith("/") else index
        else:
            begins = False
    return None


def interpreter(program: str) -> str:
    """The name under which OPTIONS has a program, if it has it: python3.12 is python."""
    name = PurePosixPath(program).name
    return "python" if re.fullmatch(r"python3(\.\d+)?", name) else name


def like(name: str, others: Iterable[str]) -> str:
    """Advice that names the one that was meant: spelt alike, or the initials of the other (lr, learning_rate)."""
    others = [*dict.fromkeys(others)]
    short = [other for other in others if name == _initials(other) or _last(other) == _initials(name)]
    return f"did you mean {short[0]!r}?" if short else nearest(name, others)


def _names(words: Iterable[str]) -> list[str]:
    return [match[2] for word in words for match in _BRACE.finditer(word) if match[2] is not None]


def _braced(name: str) -> str:
    return f"{{{name}}}"


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _initials(name: str) -> str:
    return "".join(part[0] for part in re.split(r"[-_]", _last(name)) if part)
