"""Parts of a network file: the `fields` that the search sets in the train spec, the data, what a training takes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from automl.networks import spec_formats

DottedPath = Annotated[str, Field(pattern=rf"^{spec_formats.PATH}$", examples=["train.lr"])]


class Fields(BaseModel):
    """The paths in the train spec of what the search itself sets, and of what people look for first."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    epochs: DottedPath | None = Field(
        None, description="train until this many epochs are done in total; needed unless the command names {epochs}"
    )
    schedule_epochs: DottedPath | None = Field(None, description="the epochs that a learning-rate schedule spans")
    seed: DottedPath | None = Field(None, description="the seed of the training")
    resume_from: DottedPath | None = Field(None, description="the checkpoint file to resume from")
    results: DottedPath | None = Field(None, description="the folder that the program writes to")
    dataset: DottedPath | None = Field(None, description="the path of the data")
    held_out: DottedPath | None = Field(None, description="true asks for a judgement on held-out data at the end")
    checkpoint_interval: DottedPath | None = Field(None, description="epochs between checkpoints")
    validation_interval: DottedPath | None = Field(None, description="epochs between validations")
    first_validation: DottedPath | None = Field(None, description="the first epoch that is validated")
    examples: DottedPath | None = Field(
        None, description="examples of an epoch: with it the intervals are in steps, epochs x examples / batch_size"
    )
    batch_size: DottedPath | None = Field(None, description="examples of one step")
    learning_rate: DottedPath | None = None
    pretrained: DottedPath | None = Field(None, description="weights to start from, a path inside the container")

    def paths(self) -> tuple[str, ...]:
        """All paths that are known."""
        return tuple(path for path in self.model_dump().values() if path is not None)


class Dataset(BaseModel):
    """The data that a network reads, where it lies in more than one file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: str | None = Field(None, max_length=300, description="what the data must look like")
    files: dict[DottedPath, str | list[Any]] = Field(
        {}, description="what a study file's 'dataset' puts at these paths; {dataset} stands for it"
    )
    settings: list[DottedPath] = Field(
        [], description="what else of the spec depends on the data, and is set under 'train_spec'"
    )


class Usual(BaseModel):
    """What one experiment usually takes; a study file's `costs` override it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    minutes_per_epoch: float | None = Field(None, gt=0)
    start_minutes: float = Field(0.0, ge=0)
    checkpoint_megabytes: float | None = Field(None, gt=0)
    gpus: int = Field(0, ge=0)
