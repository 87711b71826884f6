"""What a training program says of itself while it trains: which files it writes, and the readers of their formats."""

from automl.execution.status_readers.account import why_no_epoch, why_no_metric
from automl.execution.status_readers.follower import AT_A_LOOK, PARSERS, Follower
from automl.execution.status_readers.readings import MetricReadings, status_lines
from automl.networks.status_rule import StatusRule

__all__ = [
    "AT_A_LOOK",
    "PARSERS",
    "Follower",
    "MetricReadings",
    "StatusRule",
    "status_lines",
    "why_no_epoch",
    "why_no_metric",
]
