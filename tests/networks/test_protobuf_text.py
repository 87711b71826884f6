"""Protobuf's text format: what the training images of TAO's older networks read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import SpecError
from automl.networks.protobuf_text import dump, load

TEXT = """\
# a detector, as people write such files
random_seed: 42
dataset_config {
  data_sources: { tfrecords_path: "/data/train*" }
  target_class_mapping { key: "car" value: "car" }
  target_class_mapping { key: 'van', value: 'car' };
  validation_fold:0
}
model_config <
  arch: "resnet", num_layers: 18 use_batch_norm: True
  objective_set { cov { } bbox { scale: 35.0 offset: 0.5f } }
  freeze_blocks: [0, 1]
>
training_config {
  regularizer { type: L1 weight: 3e-09 }
  name: "it's " "one text\\n\\303\\274\\u00fc"
  mask: 0x1F mode: 0755 low: -1
}
"""


def test_a_text_is_read_with_nesting_repetition_and_enums() -> None:
    assert load(TEXT) == {
        "random_seed": 42,
        "dataset_config": {
            "data_sources": {"tfrecords_path": "/data/train*"},
            "target_class_mapping": [{"key": "car", "value": "car"}, {"key": "van", "value": "car"}],
            "validation_fold": 0,
        },
        "model_config": {
            "arch": "resnet",
            "num_layers": 18,
            "use_batch_norm": True,
            "objective_set": {"cov": {}, "bbox": {"scale": 35.0, "offset": 0.5}},
            "freeze_blocks": [0, 1],
        },
        "training_config": {
            "regularizer": {"type": "__L1__", "weight": 3e-09},
            "name": "it's one text\nüü",
            "mask": 31,
            "mode": 493,
            "low": -1,
        },
    }


def test_what_is_written_is_read_back() -> None:
    assert load(dump(load(TEXT))) == load(TEXT)
    assert dump(load(dump(load(TEXT)))) == dump(load(TEXT))


def test_an_enum_is_written_bare_and_a_repeated_field_once_for_each_value() -> None:
    spec = {"type": "__L1__", "blocks": [0, 1], "each": [{"a": 1.5}, {}], "on": True, "name": 'say "no"'}
    assert dump(spec) == (
        'blocks: 0\nblocks: 1\neach {\n  a: 1.5\n}\neach {\n}\nname: "say \\"no\\""\non: true\ntype: L1\n'
    )


def test_null_is_left_out_with_the_groups_that_hold_nothing_else() -> None:
    assert dump({"a": None, "b": {"c": {"d": None}}, "empty": {}, "e": [None, 1]}) == "e: 1\nempty {\n}\n"


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
SCALARS = st.one_of(
    st.integers(-(2**63), 2**64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda text: not text.startswith("__")),
    st.sampled_from(["__L1__", "__NO_REG__"]),
)
# A list of one is the same text as the value alone, so only lists of several come back as lists.
SPECS = st.recursive(
    st.dictionaries(NAMES, st.one_of(SCALARS, st.lists(SCALARS, min_size=2, max_size=3)), max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(inner, st.lists(inner, min_size=2, max_size=3)), max_size=3),
    max_leaves=8,
)


@given(SPECS)
def test_every_spec_comes_back(spec: dict[str, Any]) -> None:
    assert load(dump(spec)) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "line 1: the end of the text stands where"),
        ("a {\n b: 1", "line 2: the end of the text comes before the '}'"),
        ("a: 1\nb: }", "line 2: '}' stands where a value is expected"),
        ('a: "x', "cannot be read"),
        ("a: [1 2]", "'2' stands where ',' or ']' is expected"),
        ("a: -inf", "stands where a value is expected"),
        ("a 1", "'1' stands where ':' or '{'"),
        ("{", "name of a field"),
        ("a: @", "cannot be read"),
        ('a: "\\xff"', "no text in UTF-8"),
        ('a: "__L1__"', "looks like TAO's spelling of an enum"),
        ("a {" * 100, "nested deeper"),
        ("[a", "comes before the ']'"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SpecError) as error:
        load(text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "spec", [{"a": [[1]]}, {"a": float("inf")}, {"a b": 1}, {"": 1}, {"a": {"b.c": 1}}, {"a": object()}]
)
def test_what_the_format_cannot_say_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        dump(spec)
