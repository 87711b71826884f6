"""How large a workflow's object becomes: known before it is submitted, from the plan alone.

Argo keeps the state of every node in the object itself, compressed when it nears 1 MiB, and Kubernetes refuses a
larger one. scripts/measure_workflow_size.py measures the two figures below.
"""

from __future__ import annotations

from automl import strict_json
from automl.plan import Plan
from automl.study_file import Definition

MOST_BYTES = 1_000_000
RUNG_BYTES = 450  # compressed, of a rung's own nodes: the rung, its two groups, its brain step
RUN_BYTES = 160  # of one training
SPEC_BYTES = 24_000  # of the templates, which the status holds once more


def workflow_bytes(plan: Plan) -> int:
    """The size of the object at its end, in bytes, without the study that travels in it."""
    rungs = sum(len(stage.rungs) for stage in plan.stages)
    return SPEC_BYTES + rungs * RUNG_BYTES + plan.runs * RUN_BYTES


def study_bytes(definition: Definition) -> int:
    """The same with the study that travels in it."""
    return workflow_bytes(definition.plan) + len(strict_json.dump(definition.to_json()))
