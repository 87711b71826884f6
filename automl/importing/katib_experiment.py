"""An Experiment of Katib, from its YAML: objective, parameters, algorithm, and the container of the trial's template.

Source: the v1beta1 API of kubeflow.org/katib (Experiment, TrialTemplate, MetricsCollectorSpec).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from automl.drafting.command_line import taken_apart
from automl.drafting.draft import Draft, Searched
from automl.drafting.names import Role, role
from automl.errors import InvalidInput
from automl.importing.imported import USUAL_TRIALS, FinishedTrial, Imported, leftovers
from automl.problem.conditions import as_number
from automl.study.study_file import study_name
from automl.text.formatting import shown

_ALGORITHMS = {
    "random": ("random", {}),
    "grid": ("random", {"sampler": "grid"}),
    "sobol": ("random", {"sampler": "sobol"}),
    "bayesianoptimization": ("bayesian", {"sampler": "process"}),
    "tpe": ("bayesian", {"sampler": "tpe"}),
    "cmaes": ("bayesian", {"sampler": "cma_es"}),
    "multivariate-tpe": ("bayesian", {"sampler": "tpe"}),
}
_SPEC = (
    *("objective", "parameters", "algorithm", "parallelTrialCount", "maxTrialCount", "trialTemplate"),
    *("metricsCollectorSpec", "maxFailedTrialCount", "resumePolicy"),
)
_OF_SERVER = ("creationTimestamp", "generation", "resourceVersion", "uid", "managedFields", "finalizers", "selfLink")
_STRATEGIES = {"max": "max", "min": "min", "latest": "last"}
_TRIAL = re.compile(r"\$\{trialParameters\.([\w.-]+)\}")
_METRICS_LOG = "/var/log/katib/metrics.log"  # where the collector of kind File looks, unless said
_RESOURCES = {"cpu": "cpu", "memory": "memory", "ephemeral-storage": "ephemeral_storage"}


def imported(data: Mapping[str, Any], where: str) -> Imported:
    """The study of an Experiment. Raises InvalidInput when it is none."""
    spec = data.get("spec")
    if data.get("kind") != "Experiment" or not isinstance(spec, Mapping) or "objective" not in spec:
        kind = data.get("kind")
        missing = "kind is missing" if kind is None else f"kind: {shown(kind)}"
        what = missing if kind != "Experiment" else "spec.objective is missing"
        raise InvalidInput(f"{where} is no Experiment of Katib: {what}", allowed="kind: Experiment, with its spec")
    about = data.get("metadata") or {}
    left_out = leftovers(data, ("apiVersion", "kind", "metadata", "spec", "status"))
    left_out += [*leftovers(about, ("name", *_OF_SERVER), "metadata."), *leftovers(spec, _SPEC)]
    if "maxFailedTrialCount" in spec:
        left_out.append(
            f"maxFailedTrialCount: {spec['maxFailedTrialCount']}; run: failures_in_a_row pauses a study here"
        )
    objective = spec["objective"]
    left_out += leftovers(objective, ("type", "objectiveMetricName", "metricStrategies"), "objective.")
    searched = tuple(_parameter(each, where, left_out) for each in spec.get("parameters") or ())
    words, network, options = _training(spec.get("trialTemplate") or {}, where, left_out)
    words, epochs = _with_epochs(words)
    status = _status(spec, objective, epochs, left_out)
    network = {
        **({"image": network["image"]} if "image" in network else {}),
        "command": words,
        **{key: value for key, value in network.items() if key != "image"},
        "metric": {"name": _group(objective["objectiveMetricName"]), "goal": objective.get("type", "minimize")},
        "status": status,
        "epochs": epochs or 1,
        **({} if epochs else {"fixed_epochs": True}),
    }
    algorithm = spec.get("algorithm") or {}
    options = {
        **_algorithm(algorithm, left_out),
        "max_recommendations": spec.get("maxTrialCount", USUAL_TRIALS),
        **options,
    }
    if "parallelTrialCount" in spec:
        options["run"] = {"jobs": spec["parallelTrialCount"]}
    comments = (
        {} if epochs else {"fixed_epochs": "a whole training is one epoch; name {epochs} in the command if it can be"}
    )
    name = study_name(str(about.get("name", "experiment")))
    head = (f"From the Katib Experiment {where}. 'run: store' must be a bucket, s3://bucket/prefix, on a cluster.",)
    return Imported(
        Draft(name, network, searched, options, comments, head=head), tuple(left_out), tuple(_optimum(data, objective))
    )


def _optimum(data: Mapping[str, Any], objective: Mapping[str, Any]) -> Iterator[FinishedTrial]:
    """The best trial so far, the only one whose values an Experiment has in its status."""
    best = (data.get("status") or {}).get("currentOptimalTrial") or {}
    metrics = (best.get("observation") or {}).get("metrics") or ()
    key = "max" if objective.get("type") == "maximize" else "min"
    for metric in metrics:
        if metric.get("name") == objective["objectiveMetricName"] and best.get("parameterAssignments"):
            assigned = {each["name"]: as_number(each["value"]) for each in best["parameterAssignments"]}
            value = _number(metric.get(key, metric.get("latest")))
            yield FinishedTrial(assigned, "success", float(value))


def _parameter(given: Mapping[str, Any], where: str, left_out: list[str]) -> Searched:
    name, kind, space = str(given.get("name")), given.get("parameterType"), given.get("feasibleSpace") or {}
    known = ("min", "max", "step", "list", "distribution")
    left_out += leftovers(space, known, f"{name}.")
    if kind in {"categorical", "discrete"}:
        listed = [_number(option) if kind == "discrete" else option for option in space.get("list") or ()]
        return Searched(name, {"type": "categorical" if kind == "categorical" else "ordered", "options": listed})
    if kind not in {"int", "double"} or "min" not in space or "max" not in space:
        raise InvalidInput(
            f"{where}: the parameter {name} is {shown(kind)} with {', '.join(space) or 'no feasibleSpace'}",
            allowed="double and int with min and max, discrete and categorical with list",
        )
    cast = int if kind == "int" else float
    row: dict[str, Any] = {"low": cast(_number(space["min"])), "high": cast(_number(space["max"]))}
    distribution = str(space.get("distribution", "uniform"))
    if "log" in distribution.lower():
        row["log"] = True
    if "normal" in distribution.lower():
        left_out.append(f"{name}: distribution {distribution} is searched evenly over its range")
    if "step" in space and row.get("log"):
        left_out.append(f"{name}.step: {space['step']}; a range over magnitudes has no steps here")
    elif "step" in space and (kind == "double" or int(_number(space["step"])) != 1):
        row["step"] = cast(_number(space["step"]))
    return Searched(name, row)


def _number(text: Any) -> Any:
    value = as_number(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return float(str(text)) if re.search(r"[.eE]", str(text)) else int(str(text))
    except ValueError as error:
        raise InvalidInput(f"{text!r} in a feasibleSpace", allowed="a number") from error


def _training(
    template: Mapping[str, Any], where: str, left_out: list[str]
) -> tuple[list[str], dict[str, Any], dict[str, Any]]:
    """The words of the container that trains, the rest of its network, and options of the study."""
    left_out += leftovers(template, ("trialSpec", "trialParameters", "primaryContainerName"), "trialTemplate.")
    found = list(_containers(template.get("trialSpec") or {}))
    wanted = template.get("primaryContainerName")
    named = [pair for pair in found if pair[1].get("name") == wanted] or found
    if not named:
        raise InvalidInput(
            f"{where}: trialTemplate has no container",
            allowed="a trialSpec in the file itself",
            advice="put the template of the ConfigMap in its place" if "configMap" in template else "",
        )
    pod, container = named[0]
    left_out += [
        f"container {other.get('name')}: a training here is one container"
        for _, other in found
        if other is not container
    ]
    left_out += _around(template.get("trialSpec"), pod, "trialSpec")
    references = {
        str(each["name"]): str(each["reference"])
        for each in template.get("trialParameters") or ()
        if "reference" in each
    }
    for name, reference in references.items():
        if reference.startswith("${"):
            left_out.append(f"trialParameters.{name}: {reference} of Katib; its name stands in the command")
            references[name] = ""
    words = [*map(str, container.get("command") or ()), *map(str, container.get("args") or ())]
    if not words:
        left_out.append("command: the container names none, so its image's own is not known; correct 'command'")
        words = ["python", "train.py"]
    network: dict[str, Any] = {"image": container["image"]} if "image" in container else {}
    variables = {}
    for variable in container.get("env") or ():
        if "value" in variable:
            variables[variable["name"]] = _braced(str(variable["value"]), references)
        else:
            left_out.append(
                f"env {variable.get('name')}: from elsewhere; 'cluster: secrets' names secrets of a training"
            )
    if variables:
        network["environment"] = variables
    left_out += leftovers(container, ("name", "image", "command", "args", "env", "resources"), "container.")
    left_out += leftovers(container.get("resources") or {}, ("limits",), "container.resources.")
    left_out += leftovers(pod, ("containers", "restartPolicy"), "pod.")
    options = _resources((container.get("resources") or {}).get("limits") or {}, left_out)
    return [_braced(word, references) for word in words], network, options


def _around(tree: Any, pod: Any, path: str) -> list[str]:
    """A sentence for all that stands around a pod's spec, in a Job or another kind."""
    found = []
    for key, below in tree.items() if isinstance(tree, Mapping) else ():
        if below is pod or key in {"apiVersion", "kind"}:
            continue
        holds = any(inner is pod for inner, _ in _containers(below))
        found += _around(below, pod, f"{path}.{key}") if holds else leftovers({key: below}, (), f"{path}.")
    return found


def _containers(tree: Any) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Every container with its pod's spec, wherever a Job, a PyTorchJob or another kind has them."""
    if isinstance(tree, Mapping):
        if isinstance(tree.get("containers"), list):
            yield from ((tree, container) for container in tree["containers"] if isinstance(container, Mapping))
        for below in tree.values():
            yield from _containers(below)
    elif isinstance(tree, list):
        for below in tree:
            yield from _containers(below)


def _braced(word: str, references: Mapping[str, str]) -> str:
    word = re.sub(r"\{(?=[A-Za-z_])(?<!\$\{)", r"\\{", word)
    return _TRIAL.sub(lambda match: f"{{{name}}}" if (name := references.get(match[1], match[1])) else match[1], word)


def _resources(limits: Mapping[str, Any], left_out: list[str]) -> dict[str, Any]:
    cluster: dict[str, Any] = {}
    options: dict[str, Any] = {}
    for name, amount in limits.items():
        if name == "cpu":
            cores = float(str(amount).removesuffix("m")) / (1000 if str(amount).endswith("m") else 1)
            cluster["cpu"] = cores
        elif name in _RESOURCES and re.fullmatch(r"[1-9]\d*(Mi|Gi|Ti)", str(amount)):
            cluster[_RESOURCES[name]] = str(amount)
        elif name.endswith("/gpu"):
            options["costs"] = {"gpus": int(amount)}
            if name != "nvidia.com/gpu":
                cluster["gpu_resource"] = name
        else:
            left_out.append(f"container.resources.limits.{name}: {amount}")
    return {**options, **({"cluster": cluster} if cluster else {})}


def _with_epochs(words: list[str]) -> tuple[list[str], int | None]:
    """The words with {epochs} in the place of a number of epochs, and that number; None where there is none."""
    for setting in taken_apart(words).settings if len(words) > 1 else ():
        if role(setting.name, setting.text) is Role.EPOCHS and setting.text.isdigit() and int(setting.text) > 0:
            words = [*words]
            words[setting.index] = f"{setting.before}{{epochs}}"
            return words, int(setting.text)
    return words, None


def _algorithm(algorithm: Mapping[str, Any], left_out: list[str]) -> dict[str, Any]:
    name = str(algorithm.get("algorithmName", "random"))
    ours, more = _ALGORITHMS.get(name, ("bayesian", {}))
    if name not in _ALGORITHMS:
        left_out.append(f"algorithm: {name}; bayesian stands in its place")
    options: dict[str, Any] = {"algorithm": ours, **more}
    for setting in algorithm.get("algorithmSettings") or ():
        if setting.get("name") == "random_state" and str(setting.get("value")).isdigit():
            options["seed"] = int(setting["value"])
        else:
            left_out.append(f"algorithmSettings.{setting.get('name')}: {setting.get('value')}")
    return options


def _status(
    spec: Mapping[str, Any], objective: Mapping[str, Any], epochs: int | None, left_out: list[str]
) -> dict[str, Any]:
    """How the metric is read. Katib's collector takes the best value of a trial unless a strategy says otherwise."""
    name = str(objective["objectiveMetricName"])
    collector = spec.get("metricsCollectorSpec") or {}
    kind = (collector.get("collector") or {}).get("kind", "StdOut")
    source = collector.get("source") or {}
    strategies = {each.get("name"): each.get("value") for each in objective.get("metricStrategies") or ()}
    best = "max" if objective.get("type") == "maximize" else "min"
    each = _STRATEGIES.get(str(strategies.get(name, best)), "last")
    path = (source.get("fileSystemPath") or {}).get("path", _METRICS_LOG)
    told = {"without_epoch": "counted"} if epochs and epochs > 1 else {"without_epoch": "one", "of_epoch": each}
    if epochs and epochs > 1:
        left_out.append(
            f"metricStrategies: here the n-th value of {name} is that of epoch n, and the best epoch counts"
        )
    if kind == "TensorFlowEvent":
        left_out.append(f"metricsCollectorSpec: event files in {path} are looked for in the results folder")
        return {"reader": "tensorboard"}
    if kind == "File" and (source.get("fileSystemPath") or {}).get("format") == "JSON":
        left_out.append(f"metricsCollectorSpec: {path} is looked for by its name in the results folder")
        return {"reader": "json_lines", "path": path.rpartition("/")[2], **told}
    if kind not in {"StdOut", "File"}:
        left_out.append(f"metricsCollectorSpec: collector {kind}; the program's output is read instead")
    rule: dict[str, Any] = {"reader": "regex", "patterns": _patterns(name, source), **told}
    if kind == "File":
        left_out.append(f"metricsCollectorSpec: {path} is looked for by its name in the results folder")
        rule["path"] = path.rpartition("/")[2]
    return rule


def _patterns(name: str, source: Mapping[str, Any]) -> list[str]:
    """The patterns of the metric: Katib's own 'name = value', or its formats, with a group for each of the two."""
    formats = (source.get("filter") or {}).get("metricsFormat") or [None]
    return [_pattern(name, each) for each in formats]


def _pattern(name: str, form: str | None) -> str:
    value = f"(?P<{_group(name)}>{{number}})"
    groups = re.findall(r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\([^()]*\))*\))*\)", form or "")
    if form is None or len(groups) != 2:
        return rf"(?<![\w|-]){re.escape(name)}\s*=\s*{value}"
    return form.replace(groups[0], re.escape(name), 1).replace(groups[1], value, 1)


def _group(name: str) -> str:
    return re.sub(r"\W+", "_", name)
