"""A log folder of TensorBoard, read back by TensorBoard: curves, and the table of HPARAMS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

from automl.export import export
from automl.stores.memory import MemoryStore
from automl.study.experiments import experiments
from tests.recorded_studies import mixed, recorded
from tests.simulation.studies import HYPERBAND_9


def run_of(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder)).Reload()


def values_of(run: Any) -> dict[str, Any]:
    """The hyperparameters that a run names."""
    content = run.summary_metadata[metadata.SESSION_START_INFO_TAG].plugin_data.content
    found = metadata.parse_session_start_info_plugin_data(content).hparams
    return {name: getattr(found[name], found[name].WhichOneof("kind")) for name in found}


def test_tensorboard_reads_every_curve_and_every_value(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, failing=(3,))
    count = export(definition, study, "tensorboard", tmp_path / "logs")
    found = experiments(study, definition.plan)
    assert count == len(found) == len(list((tmp_path / "logs").iterdir()))
    for each in found:
        run = run_of(tmp_path / "logs" / f"experiment_{each.number}")
        values = values_of(run)
        wanted = {name: value for name, value in each.values.items() if value is not None}
        assert values == {**wanted, "train.betas": str(each.values["train.betas"])}
        if each.number == 3:
            assert run.Tags()["scalars"] == []
            assert metadata.SESSION_END_INFO_TAG not in run.summary_metadata
            continue
        curve = [(point.step, round(point.value, 5)) for point in run.Scalars("loss")]
        assert curve == [(epoch, round(value, 5)) for epoch, value in each.history]
        (best,) = run.Scalars("best/loss")
        assert abs(best.value - min(value for _, value in each.history)) < 1e-6
