"""The draft of a study of a program, from its command line: what is searched, and what the search itself sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl.drafting.command_line import CommandLine, Form, Setting
from automl.drafting.declared import Declared
from automl.drafting.draft import Draft, Searched
from automl.drafting.metrics import Found, goal
from automl.drafting.names import Role, plain, role
from automl.drafting.ranges import guess, is_known
from automl.errors import InvalidInput
from automl.networks.braces import OURS

_OURS = {Role.EPOCHS: "{epochs}", Role.SEED: "{seed}", Role.RESULTS: "{results}"}
_CHOSEN = re.compile(
    r"opt(im(izer)?)?|(lr_)?schedule(r)?(_type)?|act(ivation)?(_fn)?|norm(alization)?|init(ialization)?"
)
_NAMED = re.compile(r"\{[A-Za-z_]")
_USUAL_EPOCHS = 10


@dataclass(frozen=True)
class Program:
    """A command line, what its program declares, and what follows: the roles of its settings."""

    line: CommandLine
    flags: tuple[Declared, ...] = ()

    def role_of(self, setting: Setting) -> Role | None:
        if setting.name == "hydra.run.dir":
            return Role.RESULTS
        known = role(setting.name, setting.text)
        return Role.FIXED if known is None and setting.name.startswith("hydra.") else known

    @property
    def added(self) -> tuple[Declared, ...]:
        """Flags that the program declares and the command lacks: of the epochs and the seed."""
        given = {self.role_of(setting) for setting in self.line.settings} | {role(name) for name in self.line.variables}
        given |= {known for known, brace in _OURS.items() if any(brace in word for word in self.line.words)}
        flags: dict[Role, Declared] = {}
        for flag in self.flags:
            known = role(flag.name)
            if known in {Role.EPOCHS, Role.SEED} and known not in given and not flag.is_switch:
                flags.setdefault(known, flag)
        return tuple(flags.values())

    @property
    def secrets(self) -> tuple[str, ...]:
        """The variables of the command that hold secrets, which no file may have."""
        return tuple(name for name, text in self.line.variables.items() if role(name, text) is Role.SECRET)

    @property
    def epochs(self) -> int | None:
        """The epochs of a full training; None where nothing tells the program how long to train."""
        given = [setting.text for setting in self.line.settings if self.role_of(setting) is Role.EPOCHS]
        given += [text for name, text in self.line.variables.items() if role(name, text) is Role.EPOCHS]
        given += [str(flag.default or "") for flag in self.added if role(flag.name) is Role.EPOCHS]
        if given:
            return int(given[0]) if given[0].isdigit() and int(given[0]) > 0 else _USUAL_EPOCHS
        words = (*self.line.words, *self.line.variables.values())
        return _USUAL_EPOCHS if any("{epochs}" in word for word in words) else None

    def trial(self, results: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """The words and variables that train for one epoch, with all other values as they are given."""
        braces = {"{epochs}": "1", "{seed}": "1", "{results}": results, "{gpus}": "1"}
        words = [_filled(word, braces) for word in self.line.words]
        for setting in self.line.settings:
            if (
                value := {Role.EPOCHS: "1", Role.RESULTS: results}.get(self.role_of(setting) or Role.FIXED)
            ) is not None:
                words[setting.index] = setting.before + value
        for flag in self.added:
            words += [flag.flag, "1"]
        variables = {
            name: "1" if role(name, text) is Role.EPOCHS else _filled(text, braces)
            for name, text in self.line.variables.items()
        }
        return tuple(words), variables


def draft(program: Program, name: str, metric: Found, keep: Sequence[str], options: Mapping[str, Any]) -> Draft:
    """The draft. `options` are those of the study beside the network. Raises InvalidInput for a secret on the line."""
    searched, others = _parameters(program)
    network, comments = _described(program, searched, metric)
    if keep:
        network["keep"] = list(keep)
        comments["keep"] = "files that it left; those of the best lie in best_model/"
    else:
        network["keep"] = None
        comments["keep"] = "keep: [model.pt]  what a training leaves and you want kept; without it, numbers alone are"
    others = others if "{args}" in network["command"] else ()
    head = ("'automl plan' says what this takes, 'automl run' does it.",)
    return Draft(name, network, searched, options, comments, others, head)


def with_program(drafted: Draft, program: Program, metric: Found) -> Draft:
    """A draft whose program was not known, with this one; its parameters and its metric stay. Raises InvalidInput."""
    _check_secrets(program)
    network, comments = _described(program, drafted.searched, metric)
    network["metric"] = drafted.network["metric"]
    network |= {key: value for key, value in drafted.network.items() if key in {"spec", "image"}}
    return replace(drafted, network=network, comments=comments)


def _described(program: Program, searched: Sequence[Searched], metric: Found) -> tuple[dict[str, Any], dict[str, str]]:
    """The keys of a network that say how the program is started and read, and comments on them."""
    words, form = _command(program, searched)
    epochs = program.epochs
    comments = {"command": "values of the search take the place of {...}"}
    network: dict[str, Any] = {"command": words}
    if form not in {None, Form.FLAG} and "{args}" in words:
        network["arguments"] = str(form)
    if (variables := _environment(program, searched)) or program.secrets:
        network["environment"] = variables
    if program.secrets:
        left_out = ", ".join(program.secrets)
        comments["environment"] = f"without {left_out}: a training inherits what your shell exports"
    network["metric"] = {"name": metric.name, "goal": metric.goal}
    if metric.goal == goal(metric.name):
        comments["metric"] = "the goal is guessed from the name"
    network["status"] = dict(metric.status)
    if epochs is None and metric.status.get("without_epoch") == "counted":
        network["status"] |= {"without_epoch": "one", "of_epoch": "last"}
    comments["status"] = f"reads: {metric.line[:90]}"
    if network["status"].get("without_epoch") == "counted":
        comments["status"] = f"no epoch stands beside it: the n-th value is that of epoch n; reads: {metric.line[:50]}"
    network["epochs"] = epochs or metric.epochs
    if epochs is None:
        network["fixed_epochs"] = True
        comments["fixed_epochs"] = "no setting says how long to train; write {epochs} in the command if there is one"
    return network, comments


def _check_secrets(program: Program) -> None:
    for setting in program.line.settings:
        if program.role_of(setting) is Role.SECRET:
            raise InvalidInput(
                f"{setting.flag or setting.name}: a secret on the command line would be stored with the study",
                advice="let the program read it from a variable of its environment, which trainings inherit",
            )


def _parameters(program: Program) -> tuple[tuple[Searched, ...], tuple[Searched, ...]]:
    """What is searched, and what might be. Flags of the command line are; if there are none, those that names tell."""
    _check_secrets(program)
    declared = {flag.name: flag for flag in program.flags}
    searched: dict[str, Searched] = {}
    for setting in program.line.settings:
        if setting.form is Form.SWITCH or program.role_of(setting) is not None or _NAMED.search(setting.text):
            continue
        flag = declared.get(setting.name)
        if (found := _guessed(setting.name, _value(setting.text), flag)) is not None:
            searched.setdefault(setting.name, found)
    for name, text in program.line.variables.items():
        if role(name, text) is None and not _NAMED.search(text) and (found := _guessed(name, _value(text), None)):
            searched.setdefault(name, found)
    rest = [flag for flag in program.flags if flag.name not in searched and _may_be_searched(program, flag)]
    offered = [found for flag in rest if (found := _guessed(flag.name, flag.default, flag)) is not None]
    if searched:
        return tuple(searched.values()), tuple(offered)
    return tuple(offered), ()


def _may_be_searched(program: Program, flag: Declared) -> bool:
    given = {setting.name for setting in program.line.settings}
    if flag.is_switch or flag.name in given or role(flag.name) is not None or not flag.flag.startswith("--"):
        return False
    return is_known(flag.name) or (bool(flag.choices) and _CHOSEN.fullmatch(plain(flag.name)) is not None)


def _guessed(name: str, value: Any, flag: Declared | None) -> Searched | None:
    if flag is None:
        return guess(name, value)
    if flag.kind == "list" or (flag.kind == "str" and not flag.choices):
        return None
    found = guess(name, value, flag.choices, is_float=flag.kind == "float")
    if found is not None and "step" not in found.row and flag.kind == "int" and "low" in found.row:
        whole = all(float(found.row[key]).is_integer() for key in ("low", "high", "default") if key in found.row)
        return found if whole else None
    return found


def _command(program: Program, searched: Sequence[Searched]) -> tuple[list[str], Form | None]:
    """The words with braces, and the form of `{args}` in them, None where each value has a brace of its own."""
    line = program.line
    names = {parameter.name for parameter in searched}
    form = line.form or (Form.FLAG if all(setting.form is Form.SWITCH for setting in line.settings) else None)
    form = form if names - set(line.variables) else None
    words: list[str | None] = [_escaped(word) for word in line.words]
    place = None
    for setting in line.settings:
        known = program.role_of(setting)
        if known in _OURS and setting.form is not Form.SWITCH:
            words[setting.index] = setting.before + _OURS[known]
        elif setting.name in names and form is None:
            words[setting.index] = f"{setting.before}{{{setting.name}}}"
        elif setting.name in names and setting.form is not Form.SWITCH:
            place = setting.index if place is None else place
            words[setting.index] = "{args}" if place == setting.index else None
            if setting.form is Form.FLAG:
                words[setting.index - 1] = None
    for flag in program.added:
        words += [flag.flag, _OURS[role(flag.name) or Role.SEED]]
    given = {setting.name for setting in line.settings} | set(line.variables)
    more = [parameter.name for parameter in searched if parameter.name not in given]
    if form is None:
        words += [word for name in more for word in (f"--{name}", f"{{{name}}}")]
    elif place is None:
        words.append("{args}")
    return [word for word in words if word is not None], form


def _environment(program: Program, searched: Iterable[Searched]) -> dict[str, str]:
    """The variables of the command with braces. Secrets are left out: a training inherits those of the shell."""
    names = {parameter.name for parameter in searched}
    result = {}
    for name, text in program.line.variables.items():
        known = role(name, text)
        if known is not Role.SECRET:
            result[name] = f"{{{name}}}" if name in names else _OURS.get(known or Role.FIXED, _escaped(text))
    return result


def _escaped(word: str) -> str:
    """The word with '\\' before a brace that would name something, but for the search's own names."""
    return re.sub(r"\{(?=\s*[A-Za-z_])(?!(?:" + "|".join(OURS) + r")\})", r"\\{", word)


def _filled(word: str, braces: Mapping[str, str]) -> str:
    for brace, text in braces.items():
        word = word.replace(brace, text)
    return word


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if abs(value) < 1e300 else text  # nan is not
    return text
