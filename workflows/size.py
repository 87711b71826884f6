"""How large a workflow's object becomes: known before it is submitted, from the plan alone.

Argo keeps the state of every node in the object itself, compressed when it nears 1 MiB, and Kubernetes refuses a
larger one. scripts/measure_workflow_size.py measures the figures below; docs/speed.md says in which workflows.
"""

from __future__ import annotations

from automl.search.plan import Plan
from automl.study.definition import Definition
from automl.text import strict_json

MOST_BYTES = 1_000_000
RUNG_BYTES = 540  # compressed, of a rung's own nodes: the rung, its two groups, its brain step; measured 272 to 524
TURN_BYTES = 560  # of a turn without a barrier, likewise; with its training 620 were measured in a study of 14
RUN_BYTES = 300  # of one training with its name; 185 to 240 in small studies of one parameter, more with longer names
# Of what does not grow: the templates, the first and the last step; measured 18,000 to 22,453. From a template it is
# 37,000 to 46,000, for which there is room between MOST_BYTES and Argo's 1,048,576.
SPEC_BYTES = 23_000


def workflow_bytes(plan: Plan) -> int:
    """The size of the object at its end, in bytes, without the study that travels in it."""
    rungs = sum(len(stage.rungs) for stage in plan.stages if stage.overlap is None)
    turns = sum(stage.turns for stage in plan.stages if stage.overlap is not None)
    return SPEC_BYTES + rungs * RUNG_BYTES + turns * TURN_BYTES + plan.starts * RUN_BYTES


def study_bytes(definition: Definition) -> int:
    """The same with the study that travels in it."""
    return workflow_bytes(definition.plan) + len(strict_json.dump(definition.to_json()))
