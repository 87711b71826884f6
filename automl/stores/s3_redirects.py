"""What an S3 server's redirect means: another region of Amazon's, which botocore follows, or another address.

An ingress that answers 301 to https, or a page to sign in, is no S3 server: botocore takes its answer for a bucket in
another region and asks for the region, which is redirected again, without an end.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REGION_HEADER = "x-amz-bucket-region"


class RedirectedError(BotoCoreError):
    """The server sends its clients elsewhere; `location` is where, without path, user and password."""

    fmt = "the server redirects to {location}"

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(location=location or "an address that it does not name")


def refuse_redirects(response: tuple[Any, Any] | None = None, **_: object) -> None:
    """A handler of botocore's event `needs-retry`. Raises RedirectedError for a redirect that names no region."""
    if response is None:  # there was no answer
        return
    answer, _parsed = response
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    if answer.status_code in _REDIRECTS and _REGION_HEADER not in headers and b"<Region>" not in answer.content:
        raise RedirectedError(_address(headers.get("location", "")))


def _address(location: str) -> str:
    parts = urlsplit(location)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if parts.scheme and host else ""
