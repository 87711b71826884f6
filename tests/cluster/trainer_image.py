"""The trainer's image, built by containers/trainer/Dockerfile on a base that has this environment's own torch.

torch from PyPI brings 5 GB of CUDA. The base holds what a training loads of it here, file by file: 3 GB, nothing
replaced. Both images are named by what is in them, and built only where the cluster has none of that name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from .clusters import ROOT, build_image, command

_LOADED = """
import automl.trainers.fashion_mnist_loop, json, torch
torch.nn.Conv2d(1, 2, 3)(torch.zeros(1, 1, 8, 8)).sum().backward()
with open("/proc/self/maps") as maps:
    print(json.dumps(sorted({line.split()[-1] for line in maps if ".so" in line})))
"""
_CONTENT = ("containers/trainer/Dockerfile", "requirements.lock", "pyproject.toml", "automl", "workflows")


def trainer_image(folder: Path) -> str:
    """The name of the image, which the cluster has. folder: on the file system of the environment, for links."""
    packages = _packages()
    libraries = _libraries(packages)
    base = f"localhost/automl-torch:{version('torch').partition('+')[0]}-{_digest(' '.join(libraries).encode())}"
    content = b"".join(path.read_bytes() for path in _files(_CONTENT))
    image = f"localhost/automl-trainer:{_digest(base.encode() + content)}"
    there = command("kubectl", "get", "nodes", "-o", "json")
    if f'"{image}"' in there:
        return image
    context, ours = folder / "base", str(ROOT / "containers/trainer/Dockerfile")
    _gather(packages, libraries, context / "torch")
    (context / "Dockerfile").write_text(
        "ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY torch /opt/torch\nENV PYTHONPATH=/opt/torch\n"
    )
    build_image(base, str(context))  # from the builder's cache, unless it is the first time
    build_image(image, str(ROOT), "-f", ours, "--build-arg", f"BASE={base}", "--build-arg", "TORCH=")
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
    os.link(packages / "typing_extensions.py", to / "typing_extensions.py")
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
