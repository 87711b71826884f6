"""How a workflow shows in Argo's list: its title and description, and labels that the list is filtered by.

A compiled study is known when these are written. A template's study is not: Argo reads what it can out of the
parameters when the workflow begins, by expressions that give some text for any study and never fail.
"""

from __future__ import annotations

from typing import Any

from hera.workflows import models as m

from automl.execution import submission
from automl.study.definition import Definition

TITLE, DESCRIPTION = "workflows.argoproj.io/title", "workflows.argoproj.io/description"  # the list shows 24 characters
_STUDY = "workflow.parameters.study"
_IS_ADDRESS = f"{_STUDY} startsWith 's3://'"


def of_study(definition: Definition, store: str) -> dict[str, Any]:
    """The annotations and labels of a compiled study; Argo labels the store, which is a parameter."""
    name, metric = definition.file.name, definition.metric_rule
    labels = submission.labels(definition, store)
    return {
        "annotations": {
            TITLE: f"{name}: {definition.file.algorithm} on {definition.network.name}",
            DESCRIPTION: f"{metric.name} of {definition.plan.experiments} experiments ({metric.goal}) in {store}",
        },
        "labels": {key: value for key, value in labels.items() if key != submission.STORE_LABEL},
        "workflow_metadata": m.WorkflowMetadata(labels_from=_store_label("workflow.parameters.store")),
    }


def of_any_study(algorithm: str) -> m.WorkflowMetadata:
    """What Argo writes on a workflow from a template, from the parameters that it was submitted with."""
    found = f"sprig.regexFind('(?m)^[{{]?[ ]?.?name.?[ ]*:[ ]*.?[a-z0-9-]+', {_STUDY})"
    from_text = f"sprig.regexReplaceAll('^.*[^a-z0-9-]', {found}, '')"
    from_address = f"sprig.regexReplaceAll('^.*?/([^/]+?)(/study)?[.]ya?ml$', {_STUDY}, '${{1}}')"
    name = _as_label(f"({_IS_ADDRESS} ? {from_address} : {from_text})")
    in_study = f"sprig.regexFind('store.?[ ]*:[ ]*.?s3://[A-Za-z0-9._=/+@-]+', {_STUDY})"
    given = "workflow.parameters.store"
    store = f"sprig.regexFind('s3://[A-Za-z0-9._=/+@-]+', {given} != '' ? {given} : {in_study})"
    return m.WorkflowMetadata(
        annotations={TITLE: f"{{{{={name}}}}}: {algorithm}", DESCRIPTION: f"in {{{{={store}}}}}"},
        labels_from={submission.STUDY_LABEL: m.LabelValueFrom(expression=name), **_store_label(store)},
    )


def _store_label(store: str) -> dict[str, m.LabelValueFrom]:
    """The label of a store that an expression gives."""
    return {submission.STORE_LABEL: m.LabelValueFrom(expression=_as_label(f"sprig.trimPrefix('s3://', {store})"))}


def _as_label(expression: str) -> str:
    return f"sprig.trimAll('-._', sprig.trunc(-63, sprig.regexReplaceAll('[^A-Za-z0-9._-]', {expression}, '-')))"
