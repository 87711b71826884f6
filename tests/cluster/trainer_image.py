"""The trainer's image, built by containers/trainer/Dockerfile on a base that has this environment's own libraries.

torch from PyPI brings 5 GB of CUDA. The base holds what a training loads of it here, file by file: 3 GB, nothing
replaced; and whole what the extra `trainers` asks for beside. Both images are named by what is in them, and built only
where the cluster has none of that name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.cluster.clusters import ROOT, build_image, command

_LOADED = """
import importlib, json, pkgutil, torch, automl.trainers
for module in pkgutil.walk_packages(automl.trainers.__path__, "automl.trainers."):
    importlib.import_module(module.name)
torch.nn.Conv2d(1, 2, 3)(torch.zeros(1, 1, 8, 8)).sum().backward()
with open("/proc/self/maps") as maps:
    print(json.dumps(sorted({line.split()[-1] for line in maps if ".so" in line})))
"""
_FOR_A_GPU = ("nvidia-", "cuda-", "triton")
_BY_THE_DOCKERFILE = ("numpy", "pyyaml")
_CONTENT = ("containers/trainer/Dockerfile", "requirements.lock", "pyproject.toml", "automl", "workflows")


def trainer_image(folder: Path) -> str:
    """The name of the image, which the cluster has. folder: on the file system of the environment, for links."""
    packages = _packages()
    libraries, whole = _libraries(packages), _beside_torch()
    held = " ".join([*libraries, *(f"{each.name} {each.version}" for each in whole)])
    base = f"localhost/automl-torch:{version('torch').partition('+')[0]}-{_digest(held.encode())}"
    content = b"".join(path.read_bytes() for path in _files(_CONTENT))
    image = f"localhost/automl-trainer:{_digest(base.encode() + content)}"
    there = command("kubectl", "get", "nodes", "-o", "json")
    if f'"{image}"' in there:
        return image
    context, ours = folder / "base", str(ROOT / "containers/trainer/Dockerfile")
    _gather(packages, libraries, context / "torch")
    for each in (*whole, distribution("torch")):
        _link(each, context / "torch")
    (context / "Dockerfile").write_text(
        "ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY torch /opt/torch\nENV PYTHONPATH=/opt/torch\n"
    )
    build_image(base, str(context))  # from the builder's cache, unless it is the first time
    build_image(
        image, str(ROOT), "-f", ours, "--build-arg", f"BASE={base}", "--build-arg", "TORCH=", "--build-arg", "TRAINERS="
    )
    return image


def _packages() -> Path:
    found = find_spec("torch")
    assert found, "torch is not installed"
    assert found.origin
    return Path(found.origin).parents[1]


def _libraries(packages: Path) -> list[str]:
    """The shared libraries of torch and of CUDA that a training loads, below the folder of packages."""
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    paths = [Path(path) for path in json.loads(done.stdout)]
    ours = [str(path.relative_to(packages)) for path in paths if path.is_relative_to(packages)]
    return [path for path in ours if path.startswith(("torch/", "nvidia/"))]


def _beside_torch() -> list[Distribution]:
    """The packages that the extra `trainers` asks for here, and theirs, but for torch and what only a GPU needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked, found = list(project["optional-dependencies"]["trainers"]), dict[str, Distribution]()
    while asked:
        requirement = Requirement(asked.pop())
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and name not in found and name not in _BY_THE_DOCKERFILE and not name.startswith(_FOR_A_GPU):
            found[name] = distribution(name)
            asked += found[name].requires or []
    del found["torch"]
    return [found[name] for name in sorted(found)]


def _link(package: Distribution, to: Path) -> None:
    """Links to a package's files below `to`; of torch, which is gathered by itself, to what tells of it."""
    for file in package.files or []:
        parts, source = file.parts, Path(str(package.locate_file(file)))
        of_torch = package.name == "torch" and not parts[0].endswith(".dist-info")
        if ".." in parts or "__pycache__" in parts or of_torch or not source.is_file():
            continue
        (to / file).parent.mkdir(parents=True, exist_ok=True)
        (to / file).unlink(missing_ok=True)
        os.link(source, to / file)


def _gather(packages: Path, libraries: list[str], to: Path) -> None:
    """Links to the files of the base, below `to`."""
    kept = {packages / path for path in libraries}

    def unused(folder: str, names: list[str]) -> list[str]:
        if Path(folder) == packages / "torch":
            return [name for name in names if name in {"include", "share", "__pycache__"}]
        if Path(folder) == packages / "torch/bin":
            return [name for name in names if name != "torch_shm_manager"]
        return [name for name in names if name == "__pycache__" or (".so" in name and Path(folder, name) not in kept)]

    for name in ("torch", "torchgen"):
        shutil.copytree(packages / name, to / name, ignore=unused, copy_function=os.link)
    for path in libraries:
        if path.startswith("nvidia/"):
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(packages / path, to / path)


def _files(names: tuple[str, ...]) -> list[Path]:
    found = [ROOT / name for name in names]
    below = [
        path for folder in found if folder.is_dir() for path in folder.rglob("*") if "__pycache__" not in str(path)
    ]
    return sorted(path for path in [*found, *below] if path.is_file())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
