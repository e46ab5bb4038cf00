"""The fields of a form in the body of a request (RFC 7578).

Starlette's parser needs a package that nothing else here uses.
"""

from email.message import Message
from email.parser import BytesHeaderParser

from connections.access.http_errors import BadParameter

MAX_HEAD = 4096
"""Bytes of headers of a part. To parse megabytes of them would hold up all clients for seconds."""


def form_of(content_type: str, body: bytes, max_parts: int) -> list[tuple[str, bytes]]:
    """Name and content of each part, in their order; a name may come more than once. Raises
    `BadParameter`."""
    header = Message()
    header["content-type"] = content_type
    boundary = str(header.get_param("boundary", "")).encode("utf-8", "replace")
    fields = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary, max_parts)[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.partition(b"\r\n\r\n")
        if len(head) > MAX_HEAD:
            raise BadParameter(f"expected a part with at most {MAX_HEAD} bytes of headers", "body")
        disposition = BytesHeaderParser().parsebytes(head.lstrip())
        fields.append((str(disposition.get_param("name", "", "content-disposition")), content))
    return fields
