"""The files that `keep` of a network file names, in the folders of a training that has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from automl.errors import nearest
from automl.execution.steps.stage_in import Launch
from automl.networks import Network
from automl.networks.keep_rule import kept
from automl.search.history import Checkpoint
from automl.study.manifest import Manifest, StoredFile
from automl.study.record import Record
from automl.text import strict_json
from automl.text.digests import sha256_of

_MOST_SHOWN = 8  # names in a message


def kept_files(network: Network, launch: Launch) -> dict[str, Path]:
    """The files to keep: their path below the folder that they were found in, and where they lie."""
    files = _files(launch) if network.keep else {}
    return {name: files[name] for name in kept(files, network.keep)}


def store_kept(record: Record, files: Mapping[str, Path], manifest: Manifest) -> Checkpoint:
    """Stores the files in a checkpoint of their own, or beside the files of the manifest that is stored already."""
    stored = list(manifest.files)
    for name in sorted(set(files) - {file.name for file in manifest.files}):
        record.store.put(manifest.file_key(len(stored)), files[name])
        stored.append(StoredFile(name, files[name].stat().st_size, sha256_of(files[name])))
    whole = replace(manifest, files=tuple(stored))
    record.store.put(manifest.key, strict_json.dump(whole.to_json()))
    return Checkpoint(manifest.key, manifest.epoch)


def why_none(network: Network, launch: Launch) -> str:
    """Why there is nothing to keep, for a person who wrote `keep`."""
    names = sorted(_files(launch))
    near = next(filter(None, (nearest(pattern, names) for pattern in network.keep)), "")
    there = f"there are {', '.join(names[:_MOST_SHOWN])}" if names else "the training wrote no file to its folder"
    return "; ".join(filter(None, (f"keep: {', '.join(network.keep)} matches no file", there, near)))


def _files(launch: Launch) -> Mapping[str, Path]:
    """The training's own files, of the results folder before those of the folder that it ran in."""
    own = launch.working if launch.working is not None and launch.working.is_relative_to(launch.folder) else None
    folders = [*([own] if own is not None and own not in {launch.folder, launch.results} else []), launch.results]
    return {path.relative_to(folder).as_posix(): path for folder in folders for path in _below(folder)}


def _below(folder: Path) -> Iterator[Path]:
    """All files below a folder; not those elsewhere that a link leads to, which are no training's own."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                yield path
