"""Offer: the request by which a client begins a call over WebRTC."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.requests import Request

from connections.access.http_body import body_of
from connections.access.http_errors import BadParameter
from connections.access.http_form import form_of

MAX_BODY = 1 << 17
"""Bytes: a session with instructions of several pages, and an offer."""

MAX_PARTS = 8
"""Parts of a form; two are used."""

MAX_SDP = 1 << 14
"""Bytes: browsers need some 3000, and 100 for each address of their machine."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The SDP of the client's side of the call, and the session that the client wishes."""

    sdp: str
    session: Mapping[str, Any] | None = None


async def offer_of(request: Request) -> Offer:
    """Read a request: an SDP alone, or a form with an SDP and a session. Raises `ProtocolError`."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    body = await body_of(request, MAX_BODY)
    if kind == "multipart/form-data":
        fields = dict(form_of(content_type, body, MAX_PARTS))
        if "sdp" not in fields:
            raise BadParameter("sdp: expected an offer", "sdp")
        sdp, session = fields["sdp"], fields.get("session")
    elif kind == "application/sdp":
        sdp, session = body, None
    else:
        raise BadParameter("expected application/sdp or multipart/form-data", "content-type")
    if len(sdp) > MAX_SDP:
        raise BadParameter(f"sdp: expected at most {MAX_SDP} bytes", "sdp")
    return Offer(sdp.decode("utf-8", "replace"), None if session is None else _session(session))


def _session(text: bytes) -> dict[str, Any]:
    try:
        session = json.loads(text)
    except (ValueError, RecursionError):
        session = None
    if not isinstance(session, dict):
        raise BadParameter("session: expected a JSON object", "session")
    return session
