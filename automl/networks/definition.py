"""What a network is: the image and command that train it, its train spec, its metric, its checkpoints, its parameters.

A network is one YAML file, ours in `catalogue/` or a user's own beside the study file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from automl.errors import InvalidInput, NetworkError, SpaceError, nearest
from automl.networks import spec_formats
from automl.networks.braces import CHECKPOINT, RESULTS, SEED, Words
from automl.networks.checkpoints import Checkpoints
from automl.networks.command_words import as_words
from automl.networks.completion import completed
from automl.networks.fields import Dataset, DottedPath, Fields, Usual
from automl.networks.metric_rules import METRICS, MOST_METRICS, MetricRule, check_metrics, first_as_metric, not_read
from automl.networks.status_rule import StatusRule, below
from automl.problem.search_space import Parameter
from automl.text import strict_yaml
from automl.text.schema_errors import first_error

_ROW = ("automl_enabled", "path", "changes_at_resume")  # what a row of the table says beside what a Parameter says


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Network(_Model):
    """One network file, checked."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_]{0,62}$", description="letters a-z, digits and '_', at most 63", examples=["my_net"]
    )
    title: str = Field("", max_length=200)
    task: str = Field("", max_length=60)
    aliases: tuple[str, ...] = Field((), description="other names that a study file may use")
    framework: str | None = Field(None, max_length=60)
    trains_like: str | None = Field(
        None, description="the network of the catalogue that does the same task by other means, and trains anywhere"
    )
    refused: str | None = Field(None, max_length=300, description="why it cannot be searched; it is only listed")
    image: str | None = Field(
        None, min_length=1, max_length=300, description="the container image that trains; needed on a cluster"
    )
    command: tuple[str, ...] = Field(
        min_length=1,
        description="argv, without a shell; {spec}, {args}, {epochs}, {seed}, {checkpoint}, {results}, {gpus} and "
        "values of the train spec such as {lr} are filled in",
    )
    arguments: Literal["flags", "flags_equals", "hydra", "json"] = Field("flags", description="the form of {args}")
    booleans: Literal["no_flag", "true_false", "present"] = Field(
        "no_flag",
        description="of flags: --amp and --no-amp, or --amp true and --amp false, or --amp and nothing",
    )
    environment: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$", examples=["LR"])], str] = Field(
        {}, description="environment variables of the training, filled in like the command"
    )
    spec_format: Literal["yaml", "json", "toml", "protobuf"] = "yaml"
    status_file: str = Field("status.json", description="in TAO's dialect; 'status' says more")
    status: StatusRule | None = Field(None, description="what the program writes while it trains, and in which format")
    fields: Fields = Fields()
    metric: MetricRule
    metrics: tuple[MetricRule, ...] = Field((), max_length=MOST_METRICS, description=METRICS)
    held_out_metric: str | None = None
    checkpoints: Checkpoints | None = None
    resume: Literal["none"] | None = Field(
        None,
        description="none: the program cannot resume from a checkpoint, so that each rung of hyperband and the like is "
        "trained anew from epoch 0; default: it can with 'checkpoints', and cannot without",
    )
    may_end_early: bool = Field(
        False,
        description="the program stops by itself when it gets no better: one that ends before the last epoch is no "
        "failure, and its last value counts",
    )
    stop_at_rung: bool = Field(
        False,
        description="the program is told the epochs of a full training, and stopped when it has those of its rung: for "
        "one whose schedules span the epochs that it is told. Without it, it is told the epochs of the rung",
    )
    pictures: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="what the PNG files of a checkpoint show, which checkpoints.also names: report.html has them",
    )
    epochs: int = Field(ge=1, description="epochs of one full training")
    fixed_epochs: bool = Field(
        False, description="the program takes no number of epochs: it always trains 'epochs'. For random and bayesian"
    )
    dataset: Dataset = Dataset()
    usual: Usual = Usual()
    spec: dict[str, Any] = Field({}, description="the default train spec; or the path of a file that holds it")
    handed_over: tuple[DottedPath, ...] | None = Field(
        None,
        description="what the program gets of the default spec beside what a study sets, for programs that fill in "
        "the rest from defaults of their own. Without it, all",
    )
    one_of: tuple[tuple[DottedPath, ...], ...] = Field(
        (), description="groups of the train spec of which only one may have values"
    )
    keep: tuple[str, ...] = Field(
        (),
        description="files of a training's folder that belong to its experiment when it has ended, such as model.pt or "
        "plots/*.png; the best's lie in best_model/",
    )
    working_directory: str | None = Field(
        None,
        min_length=1,
        description="the folder that the program runs in, relative to the file that names it; without it, one of the "
        "experiment's own that shows what lies beside that file",
    )
    parameters: dict[DottedPath, dict[str, Any]] = Field(
        description="the search parameters; automl_enabled: true is searched by default, false never, else on request. "
        "path: where the value goes, when that is not the name. changes_at_resume: whether a training may resume from "
        "a checkpoint with another value; default: a real number may"
    )

    @field_validator("image")
    @classmethod
    def _one_word(cls, image: str | None) -> str | None:
        if image is not None and ("{{" in image or image.split() != [image]):
            raise ValueError("the name of an image, without blanks and '{{'")
        return image

    @field_validator("trains_like")
    @classmethod
    def _in_the_catalogue(cls, name: str | None) -> str | None:
        if name is not None and name not in catalogue():
            near = nearest(name, catalogue())
            raise ValueError(f"the name of a network that comes with the package{near and f'; {near}'}")
        return name

    @field_validator("status_file")
    @classmethod
    def _in_results(cls, path: str) -> str:
        return below(path)

    @field_validator("keep")
    @classmethod
    def _below_results(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(below, patterns))

    @model_validator(mode="before")
    @classmethod
    def _metric(cls, data: Any) -> Any:
        return first_as_metric(data)

    @field_validator("command", "aliases", "handed_over", "keep", "metrics", mode="before")
    @classmethod
    def _words(cls, words: Any) -> Any:
        return as_words(words)

    @field_validator("one_of", mode="before")
    @classmethod
    def _groups(cls, groups: Any) -> Any:
        return tuple(map(as_words, groups)) if isinstance(groups, list) else groups

    @model_validator(mode="after")
    def _reads_its_values(self) -> Network:
        self.words.check({name: self.spec_path(name) for name in self.parameters})
        self.words.check_epochs(self.fields.epochs, fixed=self.fixed_epochs)
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Network:
        if self.held_out_metric is not None and self.fields.held_out is None:
            raise ValueError("held_out_metric needs fields.held_out, the spec field that asks for it")
        if self.status is not None and self.status_file != "status.json":
            raise ValueError("status_file and status say the same: keep status, with path: ...")
        check_metrics(self.metric, self.metrics)
        names = self.status_rule.names
        for name in not_read((rule.name for rule in self.metrics or (self.metric,)), names):
            key = "metrics" if self.metrics else "metric.name"
            raise ValueError(f"{key}: {name} is found by no pattern; (?P<NAME>...) are: {', '.join(sorted(names))}")
        rule = self.checkpoints
        if self.pictures is not None and not (rule and any(pattern.endswith(".png") for pattern in rule.also)):
            raise ValueError("pictures needs a pattern in checkpoints.also that ends in .png, as 'shown_{epoch}.png'")
        if self.stop_at_rung and self.fields.schedule_epochs is not None:
            raise ValueError("stop_at_rung, or fields.schedule_epochs for a program that is told both, not the two")
        if self.fields.examples is not None and self.fields.batch_size is None:
            raise ValueError("fields.examples needs fields.batch_size: an interval is epochs x examples / batch_size")
        for name in self.parameters:
            if self.enabled(name) or self.has_range(name):
                self.parameter(name)
        paths = [*self.fields.paths(), *map(self.spec_path, self.parameters), *self.dataset.files]
        spec_formats.set_paths(self.spec, dict.fromkeys(paths))  # refuses a path through a value
        for key, named in {"handed_over": self.handed_over or (), "dataset.settings": self.dataset.settings}.items():
            for path in named:
                if not spec_formats.has_path(self.spec, path):
                    near = nearest(path, spec_formats.flatten(self.spec))
                    raise ValueError(f"{key}: paths of the spec, which has no {path}{near and f'; {near}'}")
        return self

    @model_validator(mode="after")
    def _can_resume(self) -> Network:
        rule = self.checkpoints if self.resume is None else None
        if self.resume is not None and CHECKPOINT in self.words.names:
            raise ValueError(f"command: {{checkpoint}} with resume: {self.resume}, which hands no checkpoint over")
        if rule and rule.resume == "path" and self.fields.resume_from is None and CHECKPOINT not in self.words.names:
            raise ValueError(
                "checkpoints.resume: path needs fields.resume_from, the spec field that takes the path, "
                "or {checkpoint} in the command"
            )
        if rule is None and CHECKPOINT in self.words.names:
            raise ValueError("command: {checkpoint} needs 'checkpoints', the rule that says which files are one")
        if rule and (rule.resume == "arguments") > bool(rule.arguments):
            raise ValueError("checkpoints.resume: arguments needs checkpoints.arguments, the words to add")
        if self.keep and self.stop_at_rung:
            raise ValueError("keep, or stop_at_rung: a program that is stopped does not come to leave its files")
        return self

    @property
    def status_rule(self) -> StatusRule:
        """The rule by which its status is read."""
        return self.status or StatusRule(path=self.status_file)

    @property
    def words(self) -> Words:
        """What its program is started with."""
        paths = {name: self.spec_path(name) for name in self.parameters}
        paths |= {path: path for path in spec_formats.flatten(self.spec)}
        return Words(self.command, self.environment, self.arguments, self.booleans, paths)

    @property
    def is_of_tao(self) -> bool:
        """Whether NVIDIA's images hold its program, also where a user's copy of the file names it."""
        return "nvidia/tao/" in (self.image or "")

    @property
    def keeps_a_model(self) -> bool:
        """Whether anything that a training leaves is stored beside its metrics and its log."""
        return self.checkpoints is not None or bool(self.keep)

    @property
    def can_resume(self) -> bool:
        """Whether its program can go on from a checkpoint."""
        return self.checkpoints is not None and self.resume is None

    @property
    def takes_seed(self) -> bool:
        """Whether its program is told a seed; if not, nobody knows whether two trainings differ by chance."""
        return self.fields.seed is not None or SEED in self.words.names

    @property
    def takes_results(self) -> bool:
        """Whether the program is told where to write; if not, it runs in the results folder."""
        return RESULTS in self.words.names or self.fields.results is not None

    def enabled(self, name: str) -> bool | None:
        """The table's column automl_enabled: True is by default, False never, None on request."""
        return self._flag(name, "automl_enabled")

    def changes_at_resume(self, name: str) -> bool | None:
        """Whether a training may go on from a checkpoint with another value; None where the table does not say."""
        return self._flag(name, "changes_at_resume")

    def _flag(self, name: str, key: str) -> bool | None:
        value = self.parameters[name].get(key)
        if value is not None and not isinstance(value, bool):
            raise SpaceError(f"{name}: {key} is {value!r}", allowed="true, false or nothing")
        return value

    def spec_path(self, name: str) -> str:
        """Where in the train spec a parameter's value goes."""
        return str(self.parameters[name].get("path") or name)

    def has_range(self, name: str) -> bool:
        """Whether the table says what to draw from; if not, a study file has to."""
        row = self.parameters[name]
        kind = row.get("type", row.get("kind"))
        return kind == "bool" or any(row.get(key) is not None for key in ("low", "high", "min", "max", "options"))

    def parameter(self, name: str, changes: Mapping[str, Any] | None = None) -> Parameter:
        """A search parameter of the table, with a study file's changes over it.

        Its default is the train spec's where the table names none. Raises SpaceError where neither the table nor the
        changes say what to draw from.
        """
        self.enabled(name)
        self.changes_at_resume(name)
        row = {key: value for key, value in self.parameters[name].items() if key not in _ROW}
        if "default" not in row:
            row["default"] = spec_formats.get_path(self.spec, self.spec_path(name))
        if self.has_range(name):
            parameter = Parameter.from_mapping(name, row)
            return parameter.replaced(changes) if changes else parameter
        if not changes:
            raise SpaceError(
                f"{name} has no range in the table of {self.name}",
                advice=f"give one under 'parameters': {{{name}: {{low: ..., high: ...}}}}, or options: [...]",
            )
        if "options" in changes and row.get("type") not in {"ordered", "int", "float"}:
            row["type"] = "categorical"
        return Parameter.from_mapping(name, {**row, **changes})


def parse(text: str, where: str, base: Path | None = None) -> Network:
    """The network of a file's text; a train spec in a file of its own is looked up from `base`. Raises InvalidInput."""
    data = strict_yaml.mapping(text, where)
    # one that reads a spec file has always spelt out its table
    return of_mapping(data if _names_spec(data) else completed(data), where, base)


def of_mapping(data: dict[str, Any], where: str, base: Path | None = None) -> Network:
    """The network that a mapping describes; `where` names it in errors. Raises InvalidInput."""
    try:
        if base is not None and isinstance(data.get("spec"), str):
            data = {**data, "spec": spec_formats.of_file(base / data["spec"], str(data.get("spec_format", "yaml")))}
        return Network.model_validate(data)
    except ValidationError as error:
        problem, allowed, advice = first_error(error, Network, data)
        raise NetworkError(f"{where}: {problem}", allowed=allowed, advice=advice) from error
    except InvalidInput as error:
        raise NetworkError(f"{where}: {error.given}", allowed=error.allowed, advice=error.advice) from error


def _names_spec(data: Mapping[str, Any]) -> bool:
    command = data.get("command")
    return isinstance(command, list) and any("{spec}" in str(word) for word in command)


def catalogue() -> tuple[str, ...]:
    """The names of the networks that come with the package, sorted."""
    return tuple(
        sorted(entry.name.removesuffix(".yaml") for entry in _folder().iterdir() if entry.name.endswith(".yaml"))
    )


def _folder() -> Traversable:
    return resources.files("automl.networks") / "catalogue"


def shipped_text(name: str) -> str:
    """The text of a network file of the catalogue."""
    return (_folder() / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def shipped(name: str) -> Network:
    """A network of the catalogue, by its own name. Its file is parsed once: that takes longer than all that follows."""
    try:
        return parse(shipped_text(name), f"catalogue/{name}.yaml")
    except InvalidInput as error:  # for us to fix, not for the user
        raise AssertionError(f"the shipped network {name} is broken: {error}") from error


def aliases() -> dict[str, str]:
    """The aliases of the catalogue's networks -> their names. This reads one line of each file; parsing all is slow."""
    names = {}
    for name in catalogue():
        lines = shipped_text(name).splitlines()
        line = next((header for header in lines if header.startswith("aliases:")), "aliases: []")
        names.update(dict.fromkeys(strict_yaml.mapping(line, name)["aliases"], name))
    return names


def load_network(name: str, base: Path) -> Network:
    """The network that a study file names: one of the catalogue, or the file at a path relative to `base`.

    A path is what ends in .yaml or .yml. Raises InvalidInput.
    """
    if name.endswith((".yaml", ".yml")):
        path = base / name
        if not path.exists():
            files = {file.stem: file for file in path.parent.glob("*.y*ml") if file.is_file()}
            near = difflib.get_close_matches(path.stem, files, n=1)
            advice = f"did you mean {files[near[0]].name!r}?" if near else "the path is relative to the study file"
            raise NetworkError(f"network: file {path} does not exist", advice=advice)
        return parse(strict_yaml.read_text(path, "a network file, in YAML"), str(path), path.parent)
    names = catalogue()
    if name in names:
        return shipped(name)
    others = aliases()
    if name in others:
        return shipped(others[name])
    raise NetworkError(
        f"network: {name!r} is not known",
        allowed=f"{', '.join(names)}, or the path of a network file ending in .yaml",
        advice=nearest(name, [*names, *others]) or "'automl networks' lists them",
    )
