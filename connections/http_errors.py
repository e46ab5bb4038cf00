"""What is answered over HTTP where something is refused, in the shape that OpenAI's clients read."""

from fastapi.requests import Request
from fastapi.responses import JSONResponse

from pipeline.errors import ProtocolError

_STATUS = {
    "bad_message": 400, "unauthorized": 401, "forbidden": 403, "too_long": 413, "full": 503,
}  # fmt: skip


class BadParameter(ProtocolError):
    """Something in the body of a request makes no sense; `param` says what, by its path."""

    def __init__(self, text: str, param: str) -> None:
        super().__init__(text)
        self.param = param


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that ended with a `ProtocolError`."""
    assert isinstance(error, ProtocolError)
    status = _STATUS[error.code]
    described = {
        "type": "server_error" if status >= 500 else "invalid_request_error",
        "code": error.code,
        "message": str(error),
        "param": error.param if isinstance(error, BadParameter) else None,
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"error": described}, status, headers)
