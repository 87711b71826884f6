"""The advice to install an extra names what exists: the folder that the package was installed from."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
from pathlib import Path

import pytest

from automl.text.extras import install_command, not_installed


class _Installed:
    def __init__(self, text: str | None) -> None:
        self.text = text

    def read_text(self, name: str) -> str | None:
        return self.text if name == "direct_url.json" else None


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        ({"url": "file:///work/it", "dir_info": {"editable": True}}, "pip install '/work/it[plots]'"),
        ({"url": "file:///a%20b/it", "dir_info": {}}, "pip install '/a b/it[plots]'"),
        ({"url": "file:///it.whl", "archive_info": {}}, "pip install '.[plots]' in the folder of argo-automl"),
        (None, "pip install '.[plots]' in the folder of argo-automl"),
    ],
)
def test_an_extra_is_installed_from_where_the_package_came(
    origin: dict[str, object] | None, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = None if origin is None else json.dumps(origin)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: _Installed(text))
    assert install_command("plots") == command
    assert str(not_installed("matplotlib", "plots")) == f"matplotlib is not installed; {command}"


def test_this_checkout_names_a_folder_that_holds_the_package() -> None:
    *_, place = shlex.split(install_command("plots"))
    if place.endswith("[plots]") and place.startswith("/"):
        assert (Path(place.removesuffix("[plots]")) / "pyproject.toml").is_file()
