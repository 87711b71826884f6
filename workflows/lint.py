"""What is checked of a compiled workflow before anyone sees it: Argo's caps, references, and that nothing is injected.

Argo's substitution is textual, so a tag may stand in the value of an environment variable and nowhere else that a
program would run; text of a user must hold none at all (see automl/execution/submission.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from automl.errors import StudyFileError
from automl.search.plan import Plan
from workflows.size import MOST_BYTES, workflow_bytes

MOST_TASKS = 200  # of one DAG; this and the next two are in Argo's own schema
MOST_TEMPLATES = 200
NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")
MOST_VALUE = 120_000  # bytes of a parameter: it becomes an environment variable, and Linux takes 128 KiB for one
_TAG = re.compile(r"\{\{(.*?)\}\}")
_REFERENCE = re.compile(r"(?:tasks|steps)\.([-a-zA-Z0-9]+)\.outputs\.parameters\.([-a-zA-Z0-9]+)")


def refuse_long(text: str, what: str) -> None:
    """Raises StudyFileError when a text is too long to travel in a workflow."""
    size = len(text.encode())
    if size > MOST_VALUE:
        raise StudyFileError(
            f"{what} takes {size:,} bytes",
            allowed=f"{MOST_VALUE:,}",
            advice="put it into the bucket and give its address to the WorkflowTemplate: -p study=s3://bucket/study.yaml",
        )


def problems(workflow: Mapping[str, Any], plan: Plan | None = None) -> list[str]:
    """What is wrong with a compiled workflow; empty when nothing is. With `plan` its size at the end is checked too."""
    templates = {template["name"]: template for template in workflow["spec"]["templates"]}
    wrong = list(_caps(workflow, templates, plan))
    for template in templates.values():
        wrong += _template(template, templates)
    return wrong


def _caps(workflow: Mapping[str, Any], templates: Mapping[str, Any], plan: Plan | None) -> Iterator[str]:
    if len(templates) > MOST_TEMPLATES:
        yield f"{len(templates)} templates; Argo takes {MOST_TEMPLATES}"
    size = len(json.dumps(workflow).encode())
    later = 0 if plan is None else workflow_bytes(plan)
    if size + later > MOST_BYTES:
        runs = 0 if plan is None else plan.runs
        yield (
            f"{size:,} bytes and about {later:,} of status for {runs:,} trainings; Kubernetes takes about "
            f"{MOST_BYTES:,}: split the study, or lower R or max_recommendations, or raise 'parallel'"
        )


def _template(template: Mapping[str, Any], templates: Mapping[str, Any]) -> Iterator[str]:
    name = template["name"]
    if not NAME.fullmatch(name):
        yield f"the template name {name!r}"
    containers = [template.get("container"), *template.get("initContainers", ()), *template.get("sidecars", ())]
    for container in containers:
        for word in [*(container or {}).get("command", ()), *(container or {}).get("args", ())]:
            if _TAG.search(word):
                yield f"{name}: a tag in a command: {word[:60]!r}"
    if "script" in template:
        yield f"{name}: an inline script, into which Argo would paste values"
    yield from _dag(template, templates)


def _dag(template: Mapping[str, Any], templates: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the tasks of a DAG, or with steps, which are checked in the same way."""
    tasks = {task["name"]: task for task in template.get("dag", {}).get("tasks", ())}
    if len(tasks) > MOST_TASKS:
        yield f"{template['name']}: {len(tasks)} tasks in one DAG; Argo takes {MOST_TASKS}"
    tasks |= {step["name"]: step for group in template.get("steps", ()) for step in group}
    for task in tasks.values():
        called = templates.get(task["template"])
        if called is None:
            yield f"{task['name']}: there is no template {task['template']!r}"
            continue
        needed = {
            parameter["name"]
            for parameter in called.get("inputs", {}).get("parameters", ())
            if "value" not in parameter
        }
        passed = {argument["name"] for argument in task.get("arguments", {}).get("parameters", ())}
        if needed != passed:
            yield f"{task['name']}: given are {sorted(passed)}, {task['template']} takes {sorted(needed)}"
        for dependency in re.findall(r"([-a-zA-Z0-9]+)\.[A-Z]", task.get("depends", "")):
            if dependency not in tasks:
                yield f"{task['name']}: depends on {dependency!r}, which is no task"
        for before, parameter in _REFERENCE.findall(json.dumps(task)):
            outputs = (
                templates.get(tasks.get(before, {}).get("template", ""), {}).get("outputs", {}).get("parameters", ())
            )
            if parameter not in {output["name"] for output in outputs}:
                yield f"{task['name']}: {before} has no output {parameter!r}"
