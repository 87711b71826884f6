"""The catalogue: every network that is shipped loads, plans, compiles, and is searched as TAO's tables say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from automl.errors import InvalidInput, StudyFileError
from automl.networks import Network, catalogue, load_network
from automl.networks.definition import aliases, parse, shipped, shipped_text
from automl.networks.spec_formats import FORMATS, flatten, get_path, has_path, load
from automl.reporting.views import recommendation_file
from automl.search.history import Recommendation
from automl.study import study_file
from automl.study.definition import Definition
from automl.study.options import StudyFile
from automl.study.template import template
from automl.study.train_spec import train_spec

NAMES = catalogue()
SEED = [
    *("detectnet_v2", "efficientdet", "faster_rcnn", "retinanet", "ssd", "yolo3", "yolo4", "yolo4_tiny", "mask_rcnn"),
    *("lprnet", "multiclass_classification", "multitask_classification", "unet"),
]
OURS = (
    "fashion_mnist",
    "image_classification",
    "instance_segmentation",
    "multitask_image_classification",
    "object_detection",
    "plate_recognition",
    "semantic_segmentation",
)
SEARCHED = [name for name in NAMES if shipped(name).refused is None]


def definition(name: str, **options: Any) -> Definition:
    options = {"name": "study", "network": name, "dataset": "/data", "algorithm": "bayesian", **options}
    if name in OURS:
        del options["dataset"]
    return Definition(StudyFile.model_validate(options), shipped(name))


def test_the_catalogue_has_the_13_of_tao_automl_and_29_further_ones_beside_ours() -> None:
    assert len(NAMES) == 44 + len(OURS)
    assert set(SEED) < set(NAMES)
    modern = [name for name in NAMES if (shipped(name).framework or "").startswith("PyTorch")]
    assert len(modern) == 29
    assert set(NAMES) - set(SEED) - set(modern) == {"classification_tf2", "efficientdet_tf2", *OURS}


def test_each_of_the_13_has_one_of_ours_that_does_its_task_and_the_page_says_the_same() -> None:
    twins = {name: shipped(name).trains_like for name in NAMES if shipped(name).trains_like}
    assert set(twins) == set(SEED)
    for name, ours in twins.items():
        assert ours in OURS
        assert shipped(name).task == shipped(ours).task
    page = (Path(__file__).parents[2] / "docs" / "networks.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \|.*\|(.*)\|$",
        page[page.index("| network | model |") : page.index("## A network of your own")],
        re.M,
    )
    assert {
        name: ours for ours, in_place_of in rows for name in re.findall(r"\w+", in_place_of) if name in SEED
    } == twins


def test_a_twin_that_does_not_exist_is_refused_and_a_near_one_named() -> None:
    text = shipped_text("ssd").replace("trains_like: object_detection", "trains_like: object_detecton")
    with pytest.raises(InvalidInput, match=r"trains_like: .*did you mean 'object_detection'"):
        parse(text, "ssd.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_network_is_whole(name: str) -> None:
    found = shipped(name)
    assert found.name == name
    for path in [*found.fields.paths(), *map(found.spec_path, found.parameters), *found.dataset.files]:
        assert has_path(found.spec, path), path
    for parameter in found.parameters:
        if found.enabled(parameter):
            assert found.parameter(parameter).default is not None
    assert found.fields.seed is not None or name == "sparse4d" or found.framework == "PyTorch"
    assert found.checkpoints is not None
    assert Network.model_validate(found.model_dump(mode="json")) == found
    assert Network.model_validate(found.model_dump(mode="json", exclude_defaults=True)) == found


def test_no_registry_is_named_for_the_user() -> None:
    for name in SEED:
        assert shipped(name).image == "nvidia/tao/tao-toolkit:5.0.0-tf1.15.5"
        assert ".io" not in shipped_text(name)


def test_an_alias_is_the_network_itself() -> None:
    assert aliases() == {alias: name for name in NAMES for alias in shipped(name).aliases}
    assert not set(aliases()) & set(NAMES)
    assert load_network("yolo_v4", Path()).name == "yolo4"
    assert load_network("classification_tf1", Path()).name == "multiclass_classification"
    with pytest.raises(InvalidInput, match=r"did you mean 'yolo_v3'\?|did you mean 'yolo3'\?"):
        load_network("yolov3", Path())


@pytest.mark.parametrize("name", NAMES)
def test_a_default_spec_comes_back_from_its_own_format(name: str) -> None:
    found = shipped(name)
    dump = FORMATS[found.spec_format].dump
    text = dump(found.spec)
    again = load(text, found.spec_format, name)
    assert dump(again) == text
    if found.spec_format == "yaml":
        assert again == found.spec
    else:
        written = {path: value for path, value in flatten(found.spec).items() if value not in (None, [])}
        assert {path: get_path(again, path) for path in written} == {
            path: value[0] if isinstance(value, list) and len(value) == 1 else value for path, value in written.items()
        }


@pytest.mark.parametrize("algorithm", ["bayesian", "hyperband"])
@pytest.mark.parametrize("name", SEARCHED)
def test_the_study_file_that_init_writes_plans(name: str, algorithm: str) -> None:
    found = study_file.parse(template(name, algorithm, Path("mine.yaml")), "mine.yaml", Path())
    assert found.plan.search
    assert found.plan.search[-1].rungs[-1].epochs == shipped(name).epochs
    assert found.space.size >= 1
    ending = FORMATS[shipped(name).spec_format].ending
    file, data = recommendation_file(found, Recommendation(0, found.space.defaults(), 2, 9, 7, "the defaults"))
    assert file == f"recommendation_0.{ending}"
    spec = load(data.decode(), shipped(name).spec_format, name)
    told = 9 if shipped(name).stop_at_rung else 2  # of a full training, or of its rung
    assert get_path(spec, shipped(name).fields.epochs or "") == told


def test_a_template_shows_a_setting_that_may_be_set() -> None:
    for name in ("detectnet_v2", "dino"):
        text = template(name, "hyperband", Path("mine.yaml"))
        shown = text[text.index("# train_spec:\n#") :].splitlines()
        mine = "\n".join(line.removeprefix("# ") for line in shown[:2])
        study_file.parse(text.replace("\n".join(shown[:2]), mine), "mine.yaml", Path())


# (searched by default, on request) in TAO's tables; on top of them come two changes, which the files explain
COUNTS = {
    "detectnet_v2": (6, 38),  # regularizer.weight is on
    "efficientdet": (6, 11),
    "faster_rcnn": (3, 65),
    "retinanet": (6, 34),
    "ssd": (5, 27),
    "yolo3": (8, 32),  # two of the 34 are words of the command
    "yolo4": (7, 42),
    "yolo4_tiny": (7, 42),  # sgd.nesterov beside adam is on request
    "mask_rcnn": (4, 33),
    "lprnet": (5, 14),
    "multiclass_classification": (5, 28),  # two of the 30 are words of the command
    "multitask_classification": (6, 12),
    "unet": (6, 20),
    # of those of PyTorch, workers, checkpointer and tensorboard.enabled are never searched
    "classification_pyt": (22, 24),  # seven of the 37 are set by the search itself
    "dino": (16, 50),
    "segformer": (16, 20),
    "visual_changenet_classify": (33, 37),  # task is what makes it this one
}


@pytest.mark.parametrize("name", COUNTS)
def test_the_table_has_as_many_rows_as_taos(name: str) -> None:
    marks = [shipped(name).enabled(parameter) for parameter in shipped(name).parameters]
    assert (marks.count(True), marks.count(None)) == COUNTS[name]


def test_detectnet_is_searched_as_the_description_of_tao_automl_says() -> None:
    table = shipped("detectnet_v2")
    assert table.enabled("dataset_config.target_class_mapping") is False
    assert table.enabled("training_config.regularizer.weight") is True
    assert table.enabled("augmentation_config.preprocessing.output_image_width") is None
    with pytest.raises(StudyFileError, match="target_class_mapping cannot be searched"):
        definition("detectnet_v2", additional_automl_parameters=["dataset_config.target_class_mapping"])
    with pytest.raises(StudyFileError, match=r"regularizer\.weight is searched already"):
        definition("detectnet_v2", additional_automl_parameters=["training_config.regularizer.weight"])
    names = {parameter.name for parameter in definition("detectnet_v2").space.parameters}
    removed = definition(
        "detectnet_v2",
        remove_default_automl_parameters=["training_config.regularizer.weight"],
        additional_automl_parameters=["augmentation_config.preprocessing.output_image_width"],
    )
    assert {parameter.name for parameter in removed.space.parameters} == names ^ {
        "training_config.regularizer.weight",
        "augmentation_config.preprocessing.output_image_width",
    }


def own_range(found: Network, name: str) -> dict[str, Any]:
    """What a study file might say of a parameter whose row has no range."""
    default = get_path(found.spec, found.spec_path(name))
    if isinstance(default, str):
        return {"options": [default, "other"]}
    if default is None:
        return {"low": 1, "high": 2}
    return {"low": -(10**7), "high": 10**7}


def of_group(found: Network, groups: tuple[str, ...], name: str) -> str:
    """The one of the groups that exclude each other that a parameter belongs to; '' for none."""
    return next((group for group in groups if found.spec_path(name).startswith(f"{group}.")), "")


@pytest.mark.parametrize("name", SEARCHED)
def test_all_that_is_on_request_can_be_added_and_all_defaults_but_one_removed(name: str) -> None:
    found = shipped(name)
    later = [group for groups in found.one_of for group in groups[1:]]
    wanted = [
        each
        for each in found.parameters
        if found.enabled(each) is None and not any(found.spec_path(each).startswith(f"{group}.") for group in later)
    ]
    ranges = {each: own_range(found, each) for each in wanted if not found.has_range(each)}
    study = definition(name, additional_automl_parameters=wanted, parameters=ranges)
    assert set(wanted) <= {parameter.name for parameter in study.space.parameters}
    assert study.space.check(study.space.defaults()) == ()
    assert study.space.check(study.space.decode([0.5] * study.space.size)) == ()

    first, *others = [each for each in found.parameters if found.enabled(each)]
    study = definition(name, remove_default_automl_parameters=others)
    assert [parameter.name for parameter in study.space.parameters] == [first]


ALTERNATIVES = [(name, groups, group) for name in NAMES for groups in shipped(name).one_of for group in groups[1:]]


@pytest.mark.parametrize(("name", "groups", "group"), ALTERNATIVES, ids=lambda value: str(value)[-40:])
def test_groups_that_exclude_each_other_are_not_both_written(name: str, groups: tuple[str, ...], group: str) -> None:
    found = shipped(name)
    added = [
        each for each in found.parameters if of_group(found, groups, each) == group and found.enabled(each) is None
    ]
    removed = [each for each in found.parameters if found.enabled(each) and of_group(found, groups, each)]
    ranges = {each: {"low": 0.001, "high": 0.002} for each in added if not found.has_range(each)}
    with pytest.raises(StudyFileError, match=f"{groups[0]} and {group} both have values"):
        definition(name, additional_automl_parameters=added, parameters=ranges)
    others = {path: None for each in groups if each != group for path in flatten({each: get_path(found.spec, each)})}
    study = definition(
        name,
        additional_automl_parameters=added,
        remove_default_automl_parameters=removed,
        train_spec=others,
        parameters=ranges,
    )
    spec = study.spec_with(study.space.defaults())
    assert [each for each in groups if any(v is not None for v in flatten({"": get_path(spec, each)}).values())] == [
        group
    ]


@pytest.mark.parametrize("name", SEARCHED)
def test_what_the_table_forbids_is_refused_with_the_names_that_are_allowed(name: str) -> None:
    found = shipped(name)
    by_mark = {mark: [each for each in found.parameters if found.enabled(each) is mark] for mark in (True, False, None)}
    add, remove = "additional_automl_parameters", "remove_default_automl_parameters"
    cases = [
        (add, by_mark[False][:1], "cannot be searched"),
        (add, by_mark[True][:1], "is searched already"),
        (add, [f"{next(iter(found.parameters))}x"], f"is not a parameter of {name}"),
        (add, by_mark[None][:1] * 2, "is given twice"),
        (remove, by_mark[False][-1:], "is never searched"),
        (remove, by_mark[None][:1], "is not searched by default"),
        (remove, ["no.such"], f"is not a parameter of {name}"),
        (remove, by_mark[True], "no parameter is left to search"),
    ]
    for option, names, said in cases:
        assert names, (option, said)
        with pytest.raises(StudyFileError, match=said):
            definition(name, **{option: names})


@pytest.mark.parametrize("name", SEARCHED)
def test_a_range_of_ones_own_is_taken_and_a_wrong_one_refused(name: str) -> None:
    found = shipped(name)
    kinds = {"int", "float", "list"}
    each = next(each for each in found.parameters if found.enabled(each) and found.parameter(each).kind in kinds)
    was = found.parameter(each)
    assert was.low is not None
    assert was.high is not None
    high = max(was.default) if isinstance(was.default, tuple) else was.default
    study = definition(name, parameters={each: {"high": high}})
    assert next(parameter for parameter in study.space.parameters if parameter.name == each).high == high
    with pytest.raises(StudyFileError, match=f"parameters: {each}: low .* is above high"):
        definition(name, parameters={each: {"low": was.high, "high": was.low}})


def test_mal_is_listed_and_refused_with_the_reason() -> None:
    with pytest.raises(StudyFileError, match="mal cannot be searched: TAO's table gives it no parameter"):
        definition("mal")
    with pytest.raises(InvalidInput, match="mal cannot be searched"):
        template("mal", "hyperband", Path("mine.yaml"))


def test_a_network_without_data_of_its_own_asks_for_it() -> None:
    with pytest.raises(
        StudyFileError, match=r"dataset: dino brings no data of its own; allowed: 'dataset: /data/mine'"
    ):
        definition("dino", dataset=None)
    with_own = definition("dino", dataset=None, train_spec={"dataset.train_data_sources": [{"image_dir": "/a"}]})
    assert get_path(with_own.base_spec, "dataset.train_data_sources[0].image_dir") == "/a"
    below = definition(
        "dino", dataset="/mine/", train_spec={"dataset.val_data_sources": [{"image_dir": "/a"}]}
    ).base_spec
    assert get_path(below, "dataset.train_data_sources[0].json_file") == "/mine/train/annotations.json"
    assert get_path(below, "dataset.val_data_sources") == [{"image_dir": "/a"}]


def asked(epochs: int, values: dict[str, Any]) -> Recommendation:
    return Recommendation(3, values, epochs, 9, 7, "a test")


def test_a_value_for_each_class_reaches_all_classes_in_the_protobuf_text() -> None:
    name = "classwise_config.postprocessing_config.clustering_config.dbscan_confidence_threshold"
    study = definition("detectnet_v2")
    values = {**study.space.defaults(), name: 0.625, "training_config.regularizer.type": "__L2__"}
    file, data = recommendation_file(study, asked(5, values))
    assert file == "recommendation_3.protobuf"
    assert data.decode().count("dbscan_confidence_threshold: 0.625") == 3
    assert "\n    type: L2\n" in data.decode()
    assert "\n  num_epochs: 9\n" in data.decode(), "those of a full training"
    assert "\n  first_validation_epoch: 5\n  " in data.decode(), "with 30, as in the default, nothing would be reported"
    assert "early_stopping_annealing_schedule" not in data.decode()
    assert 'tfrecords_path: "/data/tfrecords/*"' in data.decode()


def test_mask_rcnn_counts_its_intervals_in_steps() -> None:
    study = definition("mask_rcnn", train_spec={"num_examples_per_epoch": 1000, "train_batch_size": 8})
    assert get_path(train_spec(study, asked(3, study.space.defaults())), "num_steps_per_eval") == 125


def test_weights_to_start_from_may_stand_where_a_checkpoint_is_given() -> None:
    path = "train_config.pretrained_model_path"
    study = definition("multiclass_classification", train_spec={path: "/resnet.hdf5"})
    for place, expected in ((None, "/resnet.hdf5"), ("/resume/resnet_003.hdf5", "/resume/resnet_003.hdf5")):
        spec = train_spec(study, asked(5, study.space.defaults()), {"results": "/r", "resume_from": place})
        assert get_path(spec, path) == expected
    study = definition("retinanet", train_spec={"training_config.pretrain_model_path": "/resnet.hdf5"})
    spec = train_spec(study, asked(5, study.space.defaults()), {"results": "/r", "resume_from": "/r/a.hdf5"})
    assert get_path(spec, "training_config.resume_model_path") == "/r/a.hdf5"
    assert get_path(spec, "training_config.pretrain_model_path") is None, "the two exclude each other"


def test_the_study_file_of_the_docs_is_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "networks.md").read_text(encoding="utf-8")
    example = text[text.index("```yaml\n") + 8 :].partition("```")[0]
    names = {parameter.name for parameter in study_file.parse(example, "docs", Path()).space.parameters}
    assert "augmentation_config.preprocessing.output_image_width" in names
    for key in Network.model_fields:
        assert f"`{key}`" in text or key in {"status_file", "held_out_metric", "epochs", "usual", "refused"}, key


# Table 1 of the description, in minutes on one V100; each follows from 'usual' of the network file
TABLE_1 = {"detectnet_v2": 534.22, "faster_rcnn": 2948.4, "retinanet": 702.0, "ssd": 2035.8, "yolo3": 702.0}
TABLE_1 |= {"yolo4": 1287.0, "yolo4_tiny": 1017.9}


@pytest.mark.parametrize("name", TABLE_1)
def test_hyperbands_time_is_that_of_table_1(name: str) -> None:
    study = definition(name, algorithm="hyperband", R=27, nu=3, epoch_multiplier="auto", final={"repeats": 0})
    minutes = study.plan.epochs(resume=True) * (study.costs.minutes_per_epoch or 0)
    assert minutes == pytest.approx(TABLE_1[name], abs=0.01)


# The two rows of that table that were printed without resume, and with a multiplier and an R that nobody adjusted. All
# of these networks can go on from checkpoints, so it is a study that says 'resume: none'.
ANEW = {"multiclass_classification": 1279.73, "multitask_classification": 799.83}


@pytest.mark.parametrize("name", ANEW)
def test_the_rows_of_table_1_that_train_anew_are_a_study_with_resume_none(name: str) -> None:
    written: dict[str, Any] = {"epoch_multiplier": "auto", "floor_multiplier": False, "lower_R": False}
    study = definition(name, algorithm="hyperband", R=27, nu=3, resume="none", final={"repeats": 0}, **written)
    minutes = study.plan.epochs(resume=True) * (study.costs.minutes_per_epoch or 0)
    assert minutes == pytest.approx(ANEW[name], abs=0.01)
