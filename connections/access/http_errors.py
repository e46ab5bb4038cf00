"""Error responses over HTTP, in the shape that OpenAI's clients read."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.requests import Request
from fastapi.responses import JSONResponse

from connections.access.attempt_limiter import TooOften
from connections.access.authenticator import address_of
from pipeline.errors import ProtocolError

logger = logging.getLogger(__name__)

_STATUS = {
    "bad_message": 400, "unauthorized": 401, "forbidden": 403, "gone": 404, "too_long": 413,
    "too_often": 429, "internal_error": 500, "not_installed": 501, "full": 503, "ended": 503,
}  # fmt: skip

_TYPES = {429: "rate_limit_error"}


class BadParameter(ProtocolError):
    """A field in the body of a request is invalid; `param` is its path."""

    def __init__(self, text: str, param: str) -> None:
        super().__init__(text)
        self.param = param


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """The response to a request that ended with a `ProtocolError`."""
    assert isinstance(error, ProtocolError)
    facts = {"peer": address_of(request), "code": error.code, "path": request.url.path}
    logger.info("refused", extra=facts)
    status = _STATUS[error.code]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(error.retry_after_s)
    param = error.param if isinstance(error, BadParameter) else None
    return _response(status, error.code, str(error), headers, param)


async def refuse_route(request: Request, error: Any) -> JSONResponse:
    """The response to a path (404) or a method (405) that this server does not have."""
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return _response(error.status_code, code, error.detail, error.headers or {})


def _response(
    status: int, code: str, message: str, headers: Mapping[str, str], param: str | None = None
) -> JSONResponse:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    described = {"type": kind, "code": code, "message": message, "param": param}
    return JSONResponse({"error": described}, status, headers)
