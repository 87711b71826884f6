"""Reads what a release of NVIDIA's TAO client takes and writes, from its two wheels; runs none of its code but the
dataclasses of its settings.

    python3.12 scripts/read_tao_release.py nvidia_tao_core-6.26.3-...whl nvidia_tao_pytorch-6.26.3-...whl > 6.26.3.json

Both wheels are on PyPI (`pip download --no-deps --only-binary=:all: --python-version 3.12 nvidia-tao-pytorch==6.26.3`);
none of their dependencies is needed, but Python 3.12, in which the client is written. For every program: its settings
as a tree whose leaves are [type, default], the names of its periodic checkpoints, and the names of the values in its
status lines, `*` where the program fills in.
The code of nvidia-tao-tf2 cannot be read: of its programs there are the settings only.
"""

from __future__ import annotations

import ast
import configparser
import dataclasses
import importlib
import json
import math
import sys
import tempfile
import types
import typing
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MISSING = "???"  # how omegaconf writes a setting that the user must give
TELLING = ("status_logging_dict", "ModelCheckpoint", "ckpt_name", ".kpi", "TAOLightningModule")
BASE = "nvidia_tao_pytorch/core/lightning/tao_lightning_module.py"


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        for wheel in sys.argv[1:]:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder)
        root = Path(folder)
        sys.path.insert(0, folder)
        sys.modules["omegaconf"] = types.ModuleType("omegaconf")
        sys.modules["omegaconf"].MISSING = MISSING  # type: ignore[attr-defined]  # all that the settings take of it
        client, release = Path(sys.argv[2]).name.split("-")[:2]
        for package in ("nvidia_tao_core", client):
            (root / package / "__init__.py").write_text("")  # theirs want the dependencies that are not there
        programs = {name: program(root, name, place) for name, place in entry_points(root, client)}
    print(json.dumps({"client": client, "release": release, "programs": programs}, indent=0, sort_keys=True))


def entry_points(root: Path, client: str) -> Iterator[tuple[str, Path]]:
    """The programs of the client, each with the folder of its package."""
    (file,) = root.glob(f"{client}-*.dist-info/entry_points.txt")
    parser = configparser.ConfigParser()
    parser.read(file)
    for name, target in sorted(parser["console_scripts"].items()):
        place = root / Path(*target.split(".entrypoint.")[0].split("."))
        if (place / "scripts" / "train.py").exists():
            yield name, place


def program(root: Path, name: str, place: Path) -> dict[str, Any]:
    files = [file for file in sorted(place.rglob("*.py")) if not {"distillation", "quantization"} & set(file.parts)]
    texts = [text for text in map(Path.read_text, files) if any(word in text for word in TELLING)]
    trees = list(map(ast.parse, texts))
    names = {name for tree in trees for name in periodic_checkpoints(tree)}
    reporting = [tree for tree, text in zip(trees, texts, strict=True) if ".kpi" in text]
    if not names and any("TAOLightningModule" in text for text in texts):
        names = set(periodic_checkpoints(ast.parse((root / BASE).read_text())))
    return {
        "settings": group(experiment_config(place, name)),
        "checkpoints": sorted(names),
        "status": sorted({name for tree in reporting for name in status_names(tree)}),
    }


def experiment_config(place: Path, name: str) -> type:
    """The dataclass of the settings of `train`: the one that its source imports, else the one of its name."""
    for node in ast.walk(ast.parse((place / "scripts" / "train.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if "ExperimentConfig" in (alias.name, alias.asname):
                    found = getattr(importlib.import_module(node.module), alias.name)
                    assert isinstance(found, type)
                    return found
    config = importlib.import_module(f"nvidia_tao_core.config.{name}.default_config").ExperimentConfig
    assert isinstance(config, type)
    return config


def group(config: Any) -> dict[str, Any]:
    """The settings of a dataclass, or of its instance: name -> [type, default], or the group of that name."""
    kind = config if isinstance(config, type) else type(config)
    hints = typing.get_type_hints(kind)
    tree: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        inner = dataclass_in(hints[field.name])
        if isinstance(config, type):
            default = field.default_factory() if callable(field.default_factory) else field.default
        else:
            default = getattr(config, field.name)
        if inner is not None:
            tree[field.name] = group(default if dataclasses.is_dataclass(default) else inner)
        else:
            tree[field.name] = [written(hints[field.name]), plain(default)]
    return tree


def dataclass_in(hint: Any) -> Any:
    """The dataclass that a type, or an optional type, is."""
    options = [option for option in typing.get_args(hint) or (hint,) if option is not type(None)]
    if typing.get_origin(hint) in (list, dict):
        return None
    return options[0] if len(options) == 1 and dataclasses.is_dataclass(options[0]) else None


def written(hint: Any) -> Any:
    """A type as text: `float`, `list[int]`, with `?` behind it where null is taken; in a list of groups, the group."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return "any"
    if origin is typing.Union:
        options = [written(option) for option in inside if option is not type(None)]
        optional = "?" if type(None) in inside else ""
        return "|".join(map(str, options)) + optional
    if origin is list:
        if dataclasses.is_dataclass(inside[0]):
            return "list[any]"
        return f"list[{written(inside[0])}]"
    if origin is dict or hint is dict:
        return "dict"
    if origin is tuple or hint is tuple or hint is list:
        return "list[any]"
    return getattr(hint, "__name__", str(hint))


def plain(value: Any) -> Any:
    """A default as JSON holds it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if value is dataclasses.MISSING:
        return MISSING
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def periodic_checkpoints(tree: ast.AST) -> Iterator[str]:
    """The file names of the checkpoints of which every one is kept."""
    for node in ast.walk(tree):
        words = {word.arg: word.value for word in node.keywords} if isinstance(node, ast.Call) else {}
        if "filename" in words and "save_top_k" in words and ast.unparse(words["save_top_k"]) == "-1":
            yield f"{ast.literal_eval(words['filename'])}.pth"
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ckpt_name":
            yield from (name_of(part) for part in ast.walk(node.value) if isinstance(part, ast.JoinedStr))


def status_names(tree: ast.AST) -> Iterator[str]:
    """The names under which values are given to the status logger, and all others of the same mappings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from (name_of(key) for key in node.keys if isinstance(key, ast.Constant))
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and "status_logging_dict" in ast.unparse(target.value):
                    yield name_of(target.slice)


def name_of(key: ast.expr) -> str:
    if isinstance(key, ast.Constant):
        return str(key.value)
    if isinstance(key, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in key.values)
    return "*"


if __name__ == "__main__":
    main()
