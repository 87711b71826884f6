"""Whether the views of a study are what its record gives, and what each is that is not.

It may be damaged, or lag behind the record: those are problems. Or it is whole, and another version of this package
wrote it, which shows the same in another way: that is a note. views.json tells them apart.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from automl.errors import AutoMLError
from automl.operations.verification import Findings, stored_digest
from automl.reporting import views
from automl.reporting.written_views import Remembering, WrittenViews
from automl.search.history import History
from automl.stores.base import Store
from automl.study import summary
from automl.study.keys import BEST_MODEL, VIEWS
from automl.study.opened_study import OpenedStudy


class _Shadow(Remembering):
    """A store whose writes are only remembered: what `rebuild` would make of the record."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.create, self.delete = self._create, self._delete

    def put(self, key: str, data: bytes | Path) -> None:
        self.remember(key, data)

    def _create(self, key: str, data: bytes) -> bytes:
        raise NotImplementedError(f"a view never creates {key} ({len(data)} bytes)")

    def _delete(self, key: str) -> None:
        """Does nothing: an object that is no longer part of a view is reported as a note."""


def check_views(opened: OpenedStudy, findings: Findings) -> set[str]:
    """Compares every view with what the record gives and returns their names. Views of a running study lag behind.

    The files of the best checkpoint are compared with best_model's manifest alone.
    """
    shadow = _Shadow(opened.record.store)
    try:
        study = views.rebuild(replace(opened, record=opened.record.through(shadow)))
    except AutoMLError as error:
        findings.wrong(BEST_MODEL, f"cannot be made from the record: {error.given}")
        return set()
    keys = {*shadow.sha256, *shadow.files}
    if summary.state(opened.definition, study) not in {"done", "failed"}:
        return keys
    written: WrittenViews | None = findings.reading(VIEWS, lambda: WrittenViews.read(opened.record))
    findings.checked["views"] += len(keys)
    for key in sorted({*shadow.sha256} - {VIEWS}):
        stored = stored_digest(opened.record.store, key)  # a listing leaves out names that begin with a dot
        if stored != shadow.sha256[key]:
            _note_view(key, stored, written, study, findings)
    return keys


def _note_view(key: str, stored: str | None, written: WrittenViews | None, study: History, findings: Findings) -> None:
    """Notes why a view is not what this version makes of the record, as a problem where it is damaged or too old."""
    again = "'automl rebuild' writes it again"
    if written is None:
        reason = "an older version of argo-automl wrote the views, or one was changed since"
        what = "is missing" if stored is None else "is not what this version makes of the record"
        findings.notes.append((key, f"{what}: {reason}; {again}"))
    elif stored != written.sha256.get(key):
        findings.wrong(key, f"is missing: {again}" if stored is None else f"was changed after it was written: {again}")
    elif not written.is_of(study):
        findings.wrong(key, f"was written before the last decision or result: {again}")
    else:
        what = "does not exist in" if stored is None else "is whole, and as it was written by"
        findings.notes.append((key, f"{what} another version of argo-automl: {again} as this one does"))
