"""The body of a request, as JSON in a fixed form."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from connections.access.http_errors import BadParameter
from connections.access.json_mistake import mistake_in

Body = TypeVar("Body", bound=BaseModel)


def understood(form: type[Body], body: bytes) -> Body:
    """Parse the body. Raises `BadParameter`, whose text says what was expected and quotes nothing."""
    try:
        return form.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = ".".join(map(str, first["loc"])) or "body"
        raise BadParameter(f"{param}: {mistake_in(first)}", param) from None
