"""Error responses over HTTP, in the shape that OpenAI's clients read."""

import logging
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
    "too_often": 429, "unknown_offer": 404, "not_in_use": 409, "busy": 409,
    "internal_error": 500, "not_installed": 501, "full": 503, "ended": 503,
    "no_engine": 404, "model_not_found": 404, "engine_failed": 500, "too_slow": 408,
}  # fmt: skip

_TYPES = {429: "rate_limit_error"}


class BadParameter(ProtocolError):
    """A field in the body of a request is invalid; `param` is its path."""

    def __init__(self, text: str, param: str, code: str = "bad_message") -> None:
        super().__init__(text, code)
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
    return JSONResponse({"error": described(error)}, status, headers)


async def refuse_route(request: Request, error: Any) -> JSONResponse:
    """The response to a path (404) or a method (405) that this server does not have."""
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    body = _described(error.status_code, code, error.detail)
    return JSONResponse({"error": body}, error.status_code, error.headers or {})


def described(error: ProtocolError) -> dict[str, Any]:
    """The error in OpenAI's shape."""
    param = error.param if isinstance(error, BadParameter) else None
    return _described(_STATUS[error.code], error.code, str(error), param)


def _described(status: int, code: str, message: str, param: str | None = None) -> dict[str, Any]:
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"type": kind, "code": code, "message": message, "param": param}
