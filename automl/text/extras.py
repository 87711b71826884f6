"""How to install what a part of this package needs beside it. Not on an index yet, it is installed from its folder."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from urllib.parse import unquote, urlsplit

from automl.errors import AutoMLError

DISTRIBUTION = "argo-automl"


def not_installed(name: str, extra: str, *, doing: str = "") -> AutoMLError:
    """The error that a library is missing, which comes with an extra. `doing` says what needs it, for the beginning."""
    return AutoMLError(f"{doing}{name} is not installed", advice=install_command(extra))


def install_command(extra: str) -> str:
    """The command that installs an extra: from the folder that this package was installed from, if it still has one."""
    folder = _source_folder()
    if folder:
        return f"pip install {shlex.quote(f'{folder}[{extra}]')}"
    return f"pip install '.[{extra}]' in the folder of {DISTRIBUTION}"


def _source_folder() -> str:
    """The folder that pip installed from (PEP 610, direct_url.json); empty where it was an index or a file."""
    try:
        text = importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:  # it runs from its source, without an installation
        return ""
    origin = json.loads(text) if text else {}
    url = urlsplit(str(origin.get("url", "")))
    return unquote(url.path) if url.scheme == "file" and "dir_info" in origin else ""
