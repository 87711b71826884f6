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


def refuse_redirects(response: tuple[Any, Any] | None = None, operation: Any = None, **_: object) -> None:
    """A handler of botocore's event `needs-retry`. Raises RedirectedError for a redirect that is not S3's own."""
    if response is None or response[0].status_code not in _REDIRECTS:  # the body of another answer is a stream
        return
    answer = response[0]
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    # the answer to a HEAD has no body that could tell: only a Location says that it is not S3's own
    without_body = operation is not None and operation.http.get("method") == "HEAD" and "location" not in headers
    if _REGION_HEADER not in headers and not without_body and b"<Error>" not in answer.content:
        raise RedirectedError(_address(headers.get("location", "")))


def _address(location: str) -> str:
    parts = urlsplit(location)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}" if parts.scheme and host else ""
