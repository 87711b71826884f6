"""Whatever is wrong with what the user gave, there is one clear line: what was given, what is allowed, what is near."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from automl.networks import load_network
from tests.command_line import automl, files_below, refused
from tests.small_network import NETWORK, write_small_network


@dataclass(frozen=True)
class Bad:
    """A study file that begins with a good head, unless `whole` is given, and what its error must say."""

    more: str
    says: tuple[str, ...]
    whole: str | bytes | None = None


def bad(more: str, *says: str) -> Bad:
    return Bad(more, says)


def whole(text: str | bytes, *says: str) -> Bad:
    return Bad("", says, text)


FASHION = load_network("fashion_mnist", Path())
SEARCHED = [name for name in FASHION.parameters if FASHION.enabled(name)]
HEAD = "name: study\nnetwork: fashion_mnist\n"
ALGORITHMS = "hyperband or bayesian or random or successive_halving or asha or asynchronous_hyperband"

STUDY_FILES = {
    # keys
    "unknown key": bad("sede: 3", "sede is not known", "seed", "did you mean 'seed'?"),
    "unknown key in capitals": bad("NU: 3", "NU is not known", "did you mean 'nu'?"),
    "unknown key near a name of TAO's": bad("automl_r: 3", "automl_r is not known", "did you mean 'automl_R'?"),
    "unknown key in a group": bad("run: {jops: 2}", "run.jops is not known", "store, jobs", "did you mean 'jobs'?"),
    "unknown key in final": bad("final: {repeat: 2}", "final.repeat is not known", "did you mean 'repeats'?"),
    "unknown key in costs": bad("costs: {gpu: 1}", "costs.gpu is not known", "did you mean 'gpus'?"),
    "unknown key in metric": bad(
        "metric: {name: a, gaol: minimize}", "metric.gaol is not known", "name, goal", "did you mean 'goal'?"
    ),
    "a setting of the training at the top": bad("learning_rate: 0.1", "learning_rate is not known", "train_spec"),
    "name missing": whole("network: fashion_mnist", "name is missing", "add 'name: ...'"),
    "network missing": whole("name: study", "network is missing"),
    "both names of one option": bad("R: 9\nautoml_R: 9", "automl_R and R mean the same", "keep one"),
    # numbers
    "R is a float": bad("R: 27.5", "R: 27.5", "a whole number from 2"),
    "R is a float that is whole": bad("R: 27.0", "R: 27.0", "a whole number from 2"),
    "R is text": bad("R: '27'", 'R: "27"', "a whole number", "write it without quotes: R: 27"),
    "R is a bool": bad("R: true", "R: true", "a whole number"),
    "R is a list": bad("R: [27]", "R: [27]", "a whole number"),
    "R is a mapping": bad("R: {a: 1}", 'R: {"a": 1}', "a whole number"),
    "R is 1": bad("R: 1", "R: 1", "from 2 to"),
    "R is huge": bad("R: 1000000000", "R: 1000000000", "to 1,000,000"),
    "R has more digits than a number": bad(f"R: {'9' * 5000}", "line 3, column 4", "5000 digits"),
    "R is large": bad("R: 1000000\nepoch_multiplier: 1", "experiments", "up to 100,000", "lower R"),
    "nu is a float": bad("nu: 3.5", "nu: 3.5", "a whole number from 2"),
    "nu is text": bad("nu: three", 'nu: "three"', "a whole number"),
    "nu is a bool": bad("nu: false", "nu: false", "a whole number"),
    "nu is 1": bad("nu: 1", "nu: 1", "from 2"),
    "nu is negative": bad("nu: -3", "nu: -3", "from 2"),
    "nu above R": bad("R: 9\nnu: 10", "nu: 10 with R: 9", "2 <= nu <= R", "R: 27, nu: 3"),
    "two rungs alike": bad("R: 27\nmax_epochs: 5", "max_epochs: 5", "R: 27", "raise max_epochs or lower R"),
    "too few epochs for auto": bad("epoch_multiplier: auto\nmax_epochs: 2", "max_epochs: 2", "raise max_epochs"),
    "epoch_multiplier is another word": bad(
        "epoch_multiplier: bugdet", 'epoch_multiplier: "bugdet"', "a whole number from 1", "did you mean 'budget'?"
    ),
    "epoch_multiplier is 0": bad("epoch_multiplier: 0", "epoch_multiplier: 0", "a whole number from 1"),
    "epoch_multiplier is a mapping": bad("epoch_multiplier: {a: 1}", 'epoch_multiplier: {"a": 1}', "auto or budget"),
    "max_epochs is 0": bad("max_epochs: 0", "max_epochs: 0", "a whole number from 1"),
    "max_recommendations is 0": bad(
        "algorithm: bayesian\nmax_recommendations: 0", "max_recommendations: 0", "a whole number from 1 to 100,000"
    ),
    "max_recommendations is huge": bad(
        "algorithm: bayesian\nmax_recommendations: 1000000000", "max_recommendations: 1000000000", "to 100,000"
    ),
    "parallel is 0": bad("algorithm: bayesian\nparallel: 0", "parallel: 0", "a whole number from 1"),
    "seed is negative": bad("seed: -1", "seed: -1", "from 0 to 2,147,483,647"),
    "seed is a float": bad("seed: 1.5", "seed: 1.5", "a whole number"),
    "jobs is 0": bad("run: {jobs: 0}", "run.jobs: 0", "a whole number from 1 to 1,024"),
    "timeout is 0": bad("run: {timeout_minutes: 0}", "run.timeout_minutes: 0", "a number above 0"),
    "unknown key in until": bad("until: {targt: 1}", "until.targt is not known", "did you mean 'target'?"),
    "no limit in until": bad("until: {then: stop}", "until", "no limit", "target, no_improvement, epochs, hours"),
    "until is a number": bad("until: 6", "until: 6", "a mapping"),
    "target is text": bad("until: {target: high}", 'until.target: "high"', "a number"),
    "target is infinite": bad("until: {target: .inf}", "until.target is inf", "finite"),
    "no_improvement is 0": bad("until: {no_improvement: 0}", "until.no_improvement: 0", "a whole number from 1"),
    "epochs of until are 0": bad("until: {epochs: 0}", "until.epochs: 0", "a whole number from 1"),
    "epochs of until are a float": bad("until: {epochs: 1.5}", "until.epochs: 1.5", "a whole number"),
    "hours are 0": bad("until: {hours: 0}", "until.hours: 0", "a number above 0"),
    "gpu_hours are negative": bad("until: {gpu_hours: -1}", "until.gpu_hours: -1", "a number above 0"),
    "then is unknown": bad("until: {hours: 1, then: fnish}", 'until.then: "fnish"', "finish or stop"),
    "price is not known": bad(
        "until: {price: 9}", "until: price: 9, and the price of a GPU hour", "price_per_gpu_hour"
    ),
    "GPU hours without GPUs": bad("until: {gpu_hours: 9}\ncosts: {gpus: 0}", "an experiment takes no GPU", "hours or"),
    "limits without a search": bad(
        "until: {hours: 9}\nautoml_enabled: false", "it ends a search, and 'automl_enabled: false' trains once"
    ),
    "candidates is 0": bad("final: {candidates: 0}", "final.candidates: 0", "a whole number from 1 to 20"),
    "share is 0": bad("final: {share: 0}", "final.share: 0", "a number above 0 up to 100"),
    "share is infinite": bad("final: {share: .inf}", "final.share is inf", "finite"),
    "best_among is misspelt": bad("best_among: longst", 'best_among: "longst"', "longest or all", "'longest'"),
    "repeats is 21": bad("final: {repeats: 21}", "final.repeats: 21", "a whole number from 0 to 20"),
    "automl_enabled is text": bad("automl_enabled: yes", 'automl_enabled: "yes"', "true or false"),
    "a group is a list": bad("run: [1]", "run: [1]", "a mapping with the keys store, jobs"),
    "a group is text": bad("final: no", 'final: "no"', "a mapping with the keys candidates, repeats, share"),
    "a cost is infinite": bad("costs: {price_per_gpu_hour: .inf}", "costs.price_per_gpu_hour is inf", "finite"),
    "a setting is no number": bad("train_spec: {train.lr: .nan}", "train_spec.train.lr is nan", "finite"),
    "a setting is too large": bad("train_spec: {train.lr: 1e999}", "train_spec.train.lr is inf", "finite"),
    # the text of the file
    "empty": whole("", "study.yaml holds nothing", "a mapping"),
    "only a comment": whole("# nothing\n", "study.yaml holds nothing"),
    "a list": whole("- name: study\n", "study.yaml holds a list", "a mapping"),
    "one word": whole("study\n", "study.yaml holds only 'study'", "a mapping"),
    "a key twice": bad("seed: 1\nseed: 2", "study.yaml line 4, column 1", "'seed' is given twice"),
    "a key twice in a group": bad("run:\n  jobs: 1\n  jobs: 2", "line 5, column 3", "'jobs' is given twice"),
    "an open bracket": bad("R: [27", "study.yaml line", "',' or ']' is missing"),
    "an open quote": bad("dataset: 'mine", "study.yaml line", "inside quotes"),
    "two colons": bad("dataset: C: data", "study.yaml line 3, column 11", "needs quotes"),
    "a tab": bad("run:\n\tjobs: 2", "study.yaml line 4, column 1", "a tab; indent with spaces"),
    "two documents": bad("---\nname: b", "line 3", "a second document"),
    "bad indentation": bad("run:\n  jobs: 1\n timeout_minutes: 2", "line 5, column 2", "indentation"),
    "an alias": bad("parameters: &a {}\ntrain_spec: *a", "line 3, column 13", "anchors and aliases"),
    "a bomb of aliases": whole(
        "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdef", "bcdefg", strict=True)),
        "line 1, column 4",
        "anchors and aliases",
    ),
    "a tag of Python's": bad(
        "dataset: !!python/object/apply:os.system [id]", "line 3, column 10", "the tag", "is not allowed"
    ),
    "a tag": bad("seed: !!int '3'", "line 3, column 7", "the tag"),
    "deep nesting": bad("train_spec: " + "{a: " * 2000, "line 3", "nested deeper than 50"),
    "a huge file": whole("#" * 1_000_001, "study.yaml is too large", "1,000,000 bytes"),
    "not UTF-8": whole("name: öde\n".encode("latin-1"), "study.yaml is not UTF-8", "0xf6 at position 6", "UTF-8"),
    "UTF-16": whole("name: study\n".encode("utf-16"), "is not UTF-8", "save it again as UTF-8"),
    "binary": whole(b"\x7fELF\x02\x01\x01\x00\x00", "study.yaml", "U+007F", "control characters"),
    "a key that is a number": bad("1: 2", "the key 1 at the top is not text", "quote it"),
    "a key that is a list": bad("? [a]\n: 1", "line 3, column 3", "a key must be text"),
    "a control character": bad('dataset: "a\\0b"', "dataset holds the character U+0000"),
    "half a character": bad('dataset: "\\ud800"', "dataset holds the character U+D800"),
    # the name
    "a name with blanks": whole("name: My Study\nnetwork: fashion_mnist", 'name: "My Study"', "a-z", "my-study"),
    "a name that begins with a dash": whole("name: -a\nnetwork: fashion_mnist", 'name: "-a"', "letters a-z"),
    "a name of 41 letters": whole(f"name: {'a' * 41}\nnetwork: fashion_mnist", "aaa", "at most 40"),
    "a name that is a number": whole("name: 7\nnetwork: fashion_mnist", "name: 7", "text such as my-study"),
    "an empty name": whole("name: ''\nnetwork: fashion_mnist", 'name: ""', "letters a-z"),
    "a name that a cluster would fill in": whole("name: '{{x}}'\nnetwork: fashion_mnist", "{{x}}", "letters a-z"),
    # algorithm and sampler
    "an unknown algorithm": bad(
        "algorithm: hyperbnad", 'algorithm: "hyperbnad"', ALGORITHMS, "did you mean 'hyperband'?"
    ),
    "an algorithm that is a list": bad("algorithm: [random]", "algorithm:", ALGORITHMS),
    "an option of another algorithm": bad(
        "algorithm: bayesian\nR: 27", "R: 27 is no option of algorithm: bayesian", "max_recommendations", "hyperband"
    ),
    "max_recommendations of hyperband": bad(
        "max_recommendations: 9", "max_recommendations: 9 is no option of algorithm: hyperband", "bayesian, random"
    ),
    "random_stage of random": bad("algorithm: random\nrandom_stage: true", "random_stage: true is no option"),
    "an unknown sampler": bad("sampler: sobel", "uniform or sobol or lhs", "did you mean 'sobol'?"),
    "a sampler that does not go with it": bad(
        "algorithm: random\nsampler: gaussian_process",
        "gaussian_process does not go with algorithm: random",
        "uniform, sobol, lhs, grid",
    ),
    "a sampler that learns with random": bad(
        "algorithm: random\nsampler: scikit_optimize", "scikit_optimize does not go with algorithm: random", "grid"
    ),
    "a grid for a Bayesian search": bad(
        "algorithm: bayesian\nsampler: grid", "grid does not go with algorithm: bayesian", "scikit_optimize"
    ),
    "a grid over an interval of floats": bad(
        "algorithm: random\nsampler: grid", "sampler: grid:", "can be any number from", "with a step", "options: [...]"
    ),
    "a grid with more points than experiments": bad(
        f"algorithm: random\nsampler: grid\nremove_default_automl_parameters: {SEARCHED}\n"
        "additional_automl_parameters: [model.width]\n"
        "parameters: {model.width: {low: 4, high: 12, step: 4}}\nmax_recommendations: 2",
        "the grid has 3 points, and the search 2 experiments",
        "a grid of up to 2 points",
        "raise max_recommendations",
    ),
    "a metric without a goal": bad("metric: {name: loss}", "metric.goal is missing", "add 'goal: ...'"),
    "a metric with another goal": bad("metric: {name: loss, goal: min}", 'metric.goal: "min"', "minimize or maximize"),
    # the network
    "an unknown network": whole(
        "name: s\nnetwork: fashion_mnits", "'fashion_mnits' is not known", "did you mean 'fashion_mnist'?", ".yaml"
    ),
    "a network that is a number": whole(
        "name: s\nnetwork: 3", "network: 3", "text: a network of the catalogue", "or a mapping"
    ),
    "a network file that is missing": whole(
        "name: s\nnetwork: elsewhere.yaml", "elsewhere.yaml does not exist", "study file"
    ),
    "a network file with another name": whole(
        "name: s\nnetwork: smal.yaml", "smal.yaml does not exist", "did you mean 'small.yaml'?"
    ),
    "a network file that is a folder": whole("name: s\nnetwork: folder.yaml", "folder.yaml is a folder"),
    # which parameters
    "a parameter that cannot be added": bad(
        "additional_automl_parameters: [train.seed]",
        "additional_automl_parameters: train.seed cannot be searched",
        "model.width",
        "take it out",
    ),
    "a parameter that is on already": bad(
        "additional_automl_parameters: [train.lr]", "train.lr is searched already", "model.width"
    ),
    "an unknown parameter added": bad(
        "additional_automl_parameters: [model.widht]",
        "model.widht is not a parameter of fashion_mnist",
        "did you mean 'model.width'?",
    ),
    "a parameter added twice": bad("additional_automl_parameters: [model.width, model.width]", "is given twice"),
    "a parameter that is not on removed": bad(
        "remove_default_automl_parameters: [model.width]", "model.width is not searched by default", "train.lr"
    ),
    "an unknown parameter removed": bad(
        "remove_default_automl_parameters: [train.lrr]", "train.lrr is not a parameter", "did you mean 'train.lr'?"
    ),
    "a parameter removed twice": bad("remove_default_automl_parameters: [train.lr, train.lr]", "is given twice"),
    "a list that is text": bad("additional_automl_parameters: model.width", '"model.width"', "a list, each item text"),
    "a number in a list": bad("additional_automl_parameters: [3]", "additional_automl_parameters[0]: 3", "text"),
    "nothing left to search": bad(
        f"remove_default_automl_parameters: [{', '.join(SEARCHED)}]",
        "no parameter is left to search",
        "automl_enabled: false",
    ),
    # their ranges
    "a range of an unknown parameter": bad(
        "parameters: {train.lrr: {low: 1}}", "train.lrr is not searched", "did you mean 'train.lr'?"
    ),
    "a range of a parameter that is not searched": bad(
        "parameters: {model.width: {low: 8}}", "model.width is not searched", "additional_automl_parameters"
    ),
    "an unknown key in a range": bad(
        "parameters: {train.lr: {lwo: 1}}", "train.lr: the key 'lwo' is unknown", "did you mean 'low'?"
    ),
    "low above high": bad(
        "parameters: {train.lr: {low: 0.1, high: 0.01}}", "train.lr: low 0.1 is above high 0.01", "exchange"
    ),
    "a log range from 0": bad("parameters: {train.lr: {low: 0}}", "train.lr", "cannot start at 0.0", "above 0"),
    "a log range through 0": bad(
        "parameters: {model.dropout: {low: -1, high: 1, log: true}}", "model.dropout", "cannot start at -1.0"
    ),
    "a range that its conditions exclude": bad(
        "parameters: {model.dropout: {conditions: '> 5'}}", "model.dropout: no value of", "greater than 5"
    ),
    "no options": bad("parameters: {train.optimizer: {options: []}}", "train.optimizer: no options", "at least one"),
    "an option twice": bad("parameters: {train.optimizer: {options: [sgd, sgd]}}", "'sgd' is given twice"),
    "too many weights": bad(
        "parameters: {train.optimizer: {weights: [1, 1, 1]}}", "3 weights for 2 options", "one weight per option"
    ),
    "a negative weight": bad("parameters: {train.optimizer: {weights: [1, -1]}}", "weight -1", "0 and above"),
    "weights of nothing": bad("parameters: {train.optimizer: {weights: [0, 0]}}", "above 0"),
    "a default outside": bad(
        "parameters: {train.lr: {default: 7}}", "parameters: train.lr", "the default 7", "outside"
    ),
    "a bound that is text": bad("parameters: {train.lr: {low: small}}", "low is 'small'", "a finite number"),
    "options of a range": bad("parameters: {train.lr: {weights: [1]}}", "train.lr: weights says nothing"),
    "a range that is a number": bad("parameters: {train.lr: 3}", "parameters.train.lr: 3", "a mapping of names"),
    # settings of the training
    "an unknown setting": bad("train_spec: {train.learning_rate: 1}", "train.learning_rate is not in the train spec"),
    "a setting with a near miss": bad(
        "train_spec: {train: {opimizer: sgd}}", "train.opimizer is not in", "did you mean 'train.optimizer'?"
    ),
    "a setting below a value": bad(
        "train_spec: {train: {lr: {value: 1}}}", "train.lr.value goes through train.lr", "a value, such as its default"
    ),
    "a value for a group": bad("train_spec: {train: 5}", "train is a group of settings", "train: {epochs: ...}"),
    "a setting twice": bad("train_spec: {train: {lr: 0.1}, train.lr: 0.2}", "train.lr is given twice"),
    "the seed as a setting": bad("train_spec: {train.seed: 3}", "train.seed is set by the study itself", "'seed'"),
    "epochs that contradict": bad(
        "max_epochs: 9\ntrain_spec: {train.epochs: 12}", "max_epochs: 9", "train.epochs: 12", "keep max_epochs"
    ),
    "epochs that are no number": bad("train_spec: {train.epochs: nine}", 'train.epochs: "nine"', "a whole number"),
    "a start outside the range": bad(
        "train_spec: {train.lr: 7}", "train_spec, where the search starts: train.lr", "the default 7"
    ),
    "data twice": bad("dataset: a\ntrain_spec: {data.path: b}", "dataset and train_spec: data.path say the same"),
    "a dataset for a network that has none": whole(
        "name: s\nnetwork: small.yaml\ndataset: /data", "dataset: small brings its own data", "leave 'dataset' out"
    ),
}


@pytest.mark.parametrize("row", STUDY_FILES.values(), ids=STUDY_FILES.keys())
def test_a_bad_study_file_is_refused_in_one_line(row: Bad, tmp_path: Path) -> None:
    write_small_network(tmp_path)
    (tmp_path / "folder.yaml").mkdir()
    content = HEAD + row.more + "\n" if row.whole is None else row.whole
    (tmp_path / "study.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    before = files_below(tmp_path)

    refused(automl("plan", "study.yaml", cwd=tmp_path), *row.says)
    refused(automl("run", "study.yaml", cwd=tmp_path), *row.says)
    refused(automl("status", "study.yaml", cwd=tmp_path), *row.says)
    assert files_below(tmp_path) == before


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("parallel: 5\nmax_recommendations: 4", "but the search has only 4; allowed: up to max_recommendations: 4"),
        ("parallel: 21", "the search has only 20"),
    ],
)
def test_more_at_once_than_in_all_is_refused_before_a_study_is_begun(more: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(f"{HEAD}algorithm: bayesian\n{more}\n")
    for command in ("plan", "run"):
        refused(automl(command, "study.yaml", cwd=tmp_path), says, "lower parallel")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["study.yaml"]


SMALL = NETWORK.format(program="small.py")
NETWORK_FILES: dict[str, tuple[str, str, tuple[str, ...]]] = {  # what is replaced, by what, what the error says
    "unknown key": ("title: A", "titel: A", ("small.yaml: titel is not known", "did you mean 'title'?")),
    "unknown field": ("seed: train.seed", "sead: train.seed", ("fields.sead is not known", "did you mean 'seed'?")),
    "unknown key of a parameter": ("low: 0.0", "lo: 0.0", ("train.x: the key 'lo' is unknown", "did you mean 'low'?")),
    "no metric": ("metric:", "# metric:", ("metric is missing",)),
    "no epochs": ("fields: {epochs: train.epochs, ", "fields: {", ("fields.epochs is missing",)),
    "a goal that is none": ("goal: maximize", "goal: max", ('metric.goal: "max"', "minimize or maximize")),
    "epochs is 0": ("epochs: 3\nusual", "epochs: 0\nusual", ("epochs: 0", "a whole number from 1")),
    "a command that is text": (SMALL.split("command: ")[1].split("\n")[0], "train.sh", ("command:", "a list")),
    "an empty command": (SMALL.split("command: ")[1].split("\n")[0], "[]", ("command: []", "at least one")),
    "a command without the spec": ('"{spec}", ', "", ("train.x is read by nothing", "name {train.x} in the command")),
    "a command with another placeholder": (
        "{results}",
        "{result}",
        ("{result} names nothing", "did you mean 'results'?"),
    ),
    "a command that a cluster would fill in": ("{results}", "{{workflow.name}}", ("'{{' may not stand in a command",)),
    "a number in the command": ("small.py", "3", ("command[1]: 3", "text")),
    "an image that a cluster would fill in": ("localhost/small:1", "'{{x}}'", ("image:", "without blanks and '{{'")),
    "an unknown format of the spec": ("spec_format: json", "spec_format: xml", ('spec_format: "xml"', "yaml or json")),
    "a path that is none": ("seed: train.seed", "seed: train..seed", ('fields.seed: "train..seed"', "train.lr")),
    "a path through a value": ("seed: train.seed", "seed: train.x.seed", ("train.x.seed", "train.x is 0.5")),
    "a pattern without an epoch": ("model_{epoch}.json", "model.json", ("pattern", "{epoch} in it once")),
    "a pattern that leaves the folder": ("model_{epoch}", "../model_{epoch}", ("pattern", "below the results folder")),
    "no field to go on from": (", resume_from: train.resume_from", "", ("resume: path needs fields.resume_from",)),
    "a default outside the range": ("x: 0.5", "x: 5", ("train.x: the default 5", "0.0 ... 1.0")),
    "a parameter without a type": ("type: float, ", "", ("train.x: no type is given", "float")),
    "a parameter that is no mapping": (
        "{type: float, low: 0.0, high: 1.0, automl_enabled: true}",
        "3",
        ("parameters.train.x: 3", "a mapping"),
    ),
    "a parameter whose name is none": ("train.x: {", "'train x': {", ("parameters", 'the name "train x"')),
    "automl_enabled is text": ("automl_enabled: true", "automl_enabled: yes", ("automl_enabled is 'yes'", "true")),
    "bad YAML": ("title: A parabola", "title: [A", ("small.yaml line", "is missing")),
    "empty": (SMALL, "", ("small.yaml holds nothing",)),
    "an infinite cost": ("minutes_per_epoch: 0.01", "minutes_per_epoch: .inf", ("usual.minutes_per_epoch is inf",)),
}


@pytest.mark.parametrize(("old", "new", "says"), NETWORK_FILES.values(), ids=NETWORK_FILES.keys())
def test_a_bad_network_file_is_refused_in_one_line(old: str, new: str, says: tuple[str, ...], tmp_path: Path) -> None:
    assert old in SMALL
    (tmp_path / "small.yaml").write_text(SMALL.replace(old, new, 1))
    (tmp_path / "study.yaml").write_text("name: study\nnetwork: small.yaml\n")
    before = files_below(tmp_path)

    refused(automl("plan", "study.yaml", cwd=tmp_path), "small.yaml", *says)
    refused(automl("run", "study.yaml", cwd=tmp_path), "small.yaml", *says)
    refused(automl("networks", "show", "small.yaml", cwd=tmp_path), "small.yaml", *says)
    assert files_below(tmp_path) == before


def test_all_that_is_wrong_with_a_study_file_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(f"{HEAD}algoritm: asha\nR: '27'\nrun: {{jops: 2}}\nnu: 0\n")
    ran = automl("plan", "study.yaml", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert [line.split(": ")[2].split(" ")[0] for line in lines] == ["algoritm", "run.jops", "R", "nu"]
    assert "algoritm is not known; did you mean 'algorithm'?; allowed: name, network, " in lines[0]  # near names first
    assert "... (" in lines[0]  # and long lists cut


def test_every_wrong_name_and_setting_is_said_at_once(tmp_path: Path) -> None:
    more = "parameters: {train.lrr: {low: 1, high: 2}}\nadditional_automl_parameters: [foo, model.width, foo2]\n"
    (tmp_path / "study.yaml").write_text(f"{HEAD}{more}train_spec: {{train.epocs: 3, train.seed: 3}}\n")
    ran = automl("plan", "study.yaml", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    wrong = ("train.epocs", "foo ", "foo2", "train.lrr", "train.seed")
    assert all(sum(name in line for line in ran.err.splitlines()) == 1 for name in wrong), ran.err
    assert len(ran.err.splitlines()) == len(wrong)
