"""The trainer's image, built by containers/trainer/Dockerfile, and torch beside it, in a folder of the node.

torch from PyPI brings 5 GB of CUDA, too much to give to a cluster for every change of ours. So the libraries are links
to those of this environment, which is on the node; the builder and the pods mount them where the image looks for them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.cluster.clusters import ROOT, build_image

_BY_THE_DOCKERFILE = ("numpy", "pyyaml")
_CONTENT = ("containers/trainer/Dockerfile", "requirements.lock", "pyproject.toml", "automl", "workflows")
_MOUNTED = "/opt/libraries"


@dataclass(frozen=True)
class TrainerImage:
    """The image's name, and the folder of the libraries that it does not hold."""

    name: str
    libraries: Path

    @property
    def settings(self) -> dict[str, Any]:
        """What a study says of them under `cluster`."""
        return {"image": self.name, "volumes": [{"host_path": str(self.libraries), "path": _MOUNTED}]}


def trainer_image(folder: Path) -> TrainerImage:
    """The image, which the cluster has. folder: on the file system of the environment, for links."""
    content = b"".join(path.read_bytes() for path in _files(_CONTENT))
    image = TrainerImage(f"localhost/automl-trainer:{hashlib.sha256(content).hexdigest()[:12]}", folder / "libraries")
    _link(_libraries(), image.libraries)
    dockerfile = str(ROOT / "containers/trainer/Dockerfile")
    libraries = ("--volume", f"{image.libraries}:{_MOUNTED}:ro", "--env", f"PYTHONPATH={_MOUNTED}")
    nothing = ("--build-arg", "TORCH=", "--build-arg", "TRAINERS=")
    build_image(image.name, str(ROOT), "-f", dockerfile, *nothing, *libraries)
    return image


def _libraries() -> list[Distribution]:
    """The packages that the extra `trainers` asks for here, and theirs, but for what the Dockerfile installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked, libraries = list(project["optional-dependencies"]["trainers"]), dict[str, Distribution]()
    while asked:
        requirement = Requirement(asked.pop())
        name = canonicalize_name(requirement.name)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and name not in libraries and name not in _BY_THE_DOCKERFILE:
            libraries[name] = distribution(name)
            asked += libraries[name].requires or []
    return list(libraries.values())


def _link(libraries: list[Distribution], to: Path) -> None:
    """Links to all files of the packages below `to`, bytecode too."""
    to.mkdir()
    roots = {
        (Path(str(library.locate_file(""))), file.parts[0])
        for library in libraries
        for file in library.files or []
        if file.parts[0] not in ("..", "__pycache__")
    }
    for packages, name in sorted(roots):
        if (packages / name).is_dir():
            shutil.copytree(packages / name, to / name, copy_function=os.link)
        elif (packages / name).is_file():
            os.link(packages / name, to / name)


def _files(names: tuple[str, ...]) -> list[Path]:
    found = [ROOT / name for name in names]
    below = [
        path for folder in found if folder.is_dir() for path in folder.rglob("*") if "__pycache__" not in str(path)
    ]
    return sorted(path for path in [*found, *below] if path.is_file())
