"""The flags that programs declare, in the help of each library and in the source."""

from __future__ import annotations

import pytest

from automl.drafting.declared import Declared, declared, has_help

ARGPARSE = """\
usage: train.py [-h] [--lr LR] [--opt {sgd,adam}] [--amp | --no-amp] [-b N]

options:
  -h, --help            show this help message and exit
  --lr LR               learning rate (default: 0.01)
  --opt {sgd,adam}      which (default: sgd)
  --amp, --no-amp       mixed
  -b N, --batch-size N  input batch size for training (default: 64)
  --very-long-option-name VERY
                        text here (default: 3)
"""
CLICK = """\
Usage: train.py [OPTIONS]

Options:
  --lr FLOAT          Learning rate.  [default: 0.01]
  --opt [sgd|adam]    Which.  [default: sgd]
  --amp / --no-amp
  --batch-size INTEGER  [default: 64]
  --help              Show this message and exit.
"""
TYPER = """\
╭─ Options ─────────────────────────────────────────────╮
│ --lr                  FLOAT       [default: 0.01]     │
│ --opt                 [sgd|adam]  [default: sgd]      │
│ --batch-size          INTEGER     [default: 64]       │
│ --amp    --no-amp                 [default: no-amp]   │
│ --help                            Show this message.  │
╰───────────────────────────────────────────────────────╯
"""
ABSL = """\
train.py:
  --[no]amp: Use it.
    (default: 'false')
  --batch-size: Batch.
    (default: '64')
    (an integer)
  --lr: Rate.
    (default: '0.01')
    (a number)
  --opt: <sgd|adam>: Which.
    (default: 'sgd')
"""


@pytest.mark.parametrize("text", [ARGPARSE, CLICK, TYPER, ABSL], ids=["argparse", "click", "typer", "absl"])
def test_the_flags_of_a_help(text: str) -> None:
    flags = {flag.name: flag for flag in declared(text, "")}
    assert flags["lr"].default == 0.01
    assert flags["batch-size"].default == 64
    assert flags["amp"].is_switch
    assert flags["opt"].default == "sgd"
    if text is not ABSL:
        assert flags["opt"].choices == ("sgd", "adam")
    assert "help" not in flags


def test_the_source_says_what_the_help_does_not() -> None:
    source = (
        "parser.add_argument('--lr', type=float, default=1e-3)\n"
        "parser.add_argument('-n', '--depth', type=int, choices=[1, 2])\n"
        "parser.add_argument('--amp', action='store_true')\n"
        "parser.add_argument('--ema', action=argparse.BooleanOptionalAction)\n"
        "parser.add_argument('--gone', default=1)\n"
    )
    help_text = "options:\n  --lr LR\n  -n {1,2}, --depth {1,2}\n  --amp\n  --ema, --no-ema\n"
    assert declared(help_text, source) == (
        Declared("lr", "--lr", "float", 1e-3),
        Declared("depth", "--depth", "int", None, ("1", "2"), ("-n",)),
        Declared("amp", "--amp", "switch"),
        Declared("ema", "--ema", "no_flag"),
    )


def test_a_flag_of_several_values_is_a_list() -> None:
    source = "parser.add_argument('--layers', type=int, nargs='+', default=[1, 2])\noption('--x', multiple=True)"
    assert [flag.kind for flag in declared("", source)] == ["list", "list"]


def test_the_source_alone_will_do() -> None:
    source = "flags.DEFINE_float('lr', 0.1, 'Rate.')\nflags.DEFINE_enum('opt', 'a', ['a', 'b'], 'Which.')"
    assert declared("", source) == (
        Declared("lr", "--lr", "float", 0.1),
        Declared("opt", "--opt", None, "a", ("a", "b")),
    )


def test_only_programs_that_have_a_help_are_asked_for_it() -> None:
    assert has_help("import argparse")
    assert has_help("from absl import app")
    assert not has_help("import os\nlr = os.environ['LR']")
