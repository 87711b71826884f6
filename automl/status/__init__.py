"""What a training program says of itself while it trains: which files it writes, and the readers of their formats."""

from automl.status.follow import PARSERS, Follower
from automl.status.rule import StatusRule
from automl.status.said import Said, status_lines

__all__ = ["PARSERS", "Follower", "Said", "StatusRule", "status_lines"]
