"""What a network is: the image and command that train it, its train spec, its metric, its checkpoints, its parameters.

A network is one YAML file, ours in `catalogue/` or a user's own beside the study file.
"""

from __future__ import annotations

import difflib
import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from automl import strict_yaml
from automl.errors import InvalidInput, NetworkError, SpaceError, nearest
from automl.networks import spec_formats
from automl.space import Parameter
from automl.study import Metric
from automl.validation import first_error

PLACEHOLDERS = ("{spec}", "{results}", "{gpus}")
DottedPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", examples=["train.lr"])]


def _below(path: str) -> str:
    """The path, when it leads to a file below the folder that it is relative to."""
    if path.startswith("/") or not path.strip("./") or ".." in Path(path).parts:
        raise ValueError("the path of a file below the results folder")
    return path


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Fields(_Model):
    """Where in the train spec the things lie that the search itself sets."""

    epochs: DottedPath = Field(description="train until this many epochs are done in all")
    schedule_epochs: DottedPath | None = Field(None, description="the epochs that a learning-rate schedule spans")
    seed: DottedPath | None = Field(None, description="the seed of the training")
    resume_from: DottedPath | None = Field(None, description="the checkpoint file to go on from")
    results: DottedPath | None = Field(None, description="the folder that the program writes to")
    dataset: DottedPath | None = Field(None, description="the path of the data")
    held_out: DottedPath | None = Field(None, description="true asks for a judgement on held-out data at the end")
    checkpoint_interval: DottedPath | None = Field(None, description="epochs between checkpoints")
    validation_interval: DottedPath | None = Field(None, description="epochs between validations")


class MetricRule(_Model):
    """The metric that is searched for, by the name that the status lines give it."""

    name: str = Field(min_length=1, max_length=100)
    goal: Literal["minimize", "maximize"]

    def metric(self) -> Metric:
        return Metric(self.name, self.goal)


class Checkpoints(_Model):
    """How checkpoints are named below the results folder, and how a training goes on from one."""

    pattern: str = Field(description="path below the results folder; {epoch} stands for the epochs done")
    resume: Literal["path", "in_place"] = Field(
        "path", description="path: the field resume_from names the file; in_place: the file lies in the results folder"
    )

    @field_validator("pattern")
    @classmethod
    def _one_epoch(cls, pattern: str) -> str:
        if pattern.count("{epoch}") != 1:
            raise ValueError("a path with {epoch} in it once")
        return _below(pattern)

    def epoch_of(self, path: str) -> int | None:
        """The epochs in a file's path below the results folder; None when it is no checkpoint."""
        before, after = self.pattern.split("{epoch}")
        match = re.fullmatch(re.escape(before) + r"(\d{1,9})" + re.escape(after), path)
        return int(match[1]) if match else None


class Usual(_Model):
    """What one experiment usually takes; a study file's `costs` say it better."""

    minutes_per_epoch: float | None = Field(None, gt=0)
    start_minutes: float = Field(0.0, ge=0)
    checkpoint_megabytes: float | None = Field(None, gt=0)
    gpus: int = Field(0, ge=0)


class Network(_Model):
    """One network file, checked."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_]{0,62}$", description="letters a-z, digits and '_', at most 63", examples=["my_net"]
    )
    title: str = Field(max_length=200)
    task: str = Field(max_length=60)
    image: str = Field(min_length=1, max_length=300, description="the container image that trains")
    command: tuple[str, ...] = Field(min_length=1, description="argv; {spec}, {results} and {gpus} are filled in")
    spec_format: Literal["yaml", "json"] = "yaml"
    status_file: str = "status.json"
    fields: Fields
    metric: MetricRule
    held_out_metric: str | None = None
    checkpoints: Checkpoints | None = None
    epochs: int = Field(ge=1, description="epochs of one full training")
    usual: Usual = Usual()
    spec: dict[str, Any]
    parameters: dict[DottedPath, dict[str, Any]] = Field(
        description="the search parameters; automl_enabled: true is searched by default, false never, else on request"
    )

    @field_validator("image")
    @classmethod
    def _one_word(cls, image: str) -> str:
        if "{{" in image or image.split() != [image]:
            raise ValueError("the name of an image, without blanks and '{{'")
        return image

    @field_validator("status_file")
    @classmethod
    def _in_results(cls, path: str) -> str:
        return _below(path)

    @field_validator("command", mode="before")
    @classmethod
    def _argv(cls, command: Any) -> Any:
        return tuple(command) if isinstance(command, list) else command

    @field_validator("command")
    @classmethod
    def _known_placeholders(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        for word in command:
            if "{{" in word:
                raise ValueError("'{{' may not stand in a command: a cluster would fill it in")
            for found in re.findall(r"\{[^}]*\}", word):
                if found not in PLACEHOLDERS:
                    raise ValueError(f"only the placeholders {', '.join(PLACEHOLDERS)}, and {found} is none of them")
        if not any("{spec}" in word for word in command):
            raise ValueError("a command that names {spec}, the file that the program reads")
        return command

    @model_validator(mode="after")
    def _consistent(self) -> Network:
        if self.held_out_metric is not None and self.fields.held_out is None:
            raise ValueError("held_out_metric needs fields.held_out, the spec field that asks for it")
        if self.checkpoints and self.checkpoints.resume == "path" and self.fields.resume_from is None:
            raise ValueError("checkpoints.resume: path needs fields.resume_from, the spec field that takes the path")
        for name in self.parameters:
            self.parameter(name)
        fields = [path for path in self.fields.model_dump().values() if path is not None]
        spec_formats.set_paths(self.spec, dict.fromkeys([*fields, *self.parameters]))  # refuses a path through a value
        return self

    def enabled(self, name: str) -> bool | None:
        """The table's column: True by default, False never, None on request."""
        value = self.parameters[name].get("automl_enabled")
        if value is not None and not isinstance(value, bool):
            raise SpaceError(f"{name}: automl_enabled is {value!r}", allowed="true, false or nothing")
        return value

    def parameter(self, name: str) -> Parameter:
        """A search parameter of the table. Its default is the train spec's where the table names none."""
        self.enabled(name)
        row = {key: value for key, value in self.parameters[name].items() if key != "automl_enabled"}
        if "default" not in row:
            row["default"] = spec_formats.get_path(self.spec, name)
        return Parameter.from_mapping(name, row)


def parse(text: str, where: str) -> Network:
    """The network of a file's text. Raises InvalidInput."""
    data = strict_yaml.mapping(text, where)
    try:
        return Network.model_validate(data)
    except ValidationError as error:
        given, allowed, advice = first_error(error, Network, data)
        raise NetworkError(f"{where}: {given}", allowed=allowed, advice=advice) from error
    except InvalidInput as error:
        raise NetworkError(f"{where}: {error.given}", allowed=error.allowed, advice=error.advice) from error


def catalogue() -> tuple[str, ...]:
    """The names of the networks that come with the package, sorted."""
    folder = resources.files("automl.networks") / "catalogue"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def load_network(name: str, base: Path) -> Network:
    """The network that a study file names: one of the catalogue, or the file at a path relative to `base`.

    A path is what ends in .yaml or .yml. Raises InvalidInput.
    """
    if name.endswith((".yaml", ".yml")):
        path = base / name
        if not path.exists():
            found = {each.stem: each for each in path.parent.glob("*.y*ml") if each.is_file()}
            near = difflib.get_close_matches(path.stem, found, n=1)
            advice = f"did you mean {found[near[0]].name!r}?" if near else "the path is relative to the study file"
            raise NetworkError(f"network: there is no file {path}", advice=advice)
        return parse(strict_yaml.read_text(path, "a network file, in YAML"), str(path))
    names = catalogue()
    if name not in names:
        raise NetworkError(
            f"network: {name!r} is not known",
            allowed=f"{', '.join(names)}, or the path of a network file ending in .yaml",
            advice=nearest(name, names),
        )
    text = (resources.files("automl.networks") / "catalogue" / f"{name}.yaml").read_text(encoding="utf-8")
    try:
        return parse(text, f"catalogue/{name}.yaml")
    except InvalidInput as error:  # ours to mend, not the user's
        raise AssertionError(f"the shipped network {name} is broken: {error}") from error
