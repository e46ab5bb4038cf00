"""The body of a request, as JSON in a fixed form."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from connections.access.http_errors import BadParameter

Body = TypeVar("Body", bound=BaseModel)


def understood(form: type[Body], body: bytes) -> Body:
    """Parse the body. Raises `BadParameter`, whose text says what was expected and quotes nothing."""
    try:
        return form.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        param = ".".join(map(str, first["loc"])) or "body"
        raise BadParameter(f"{param}: {_mistake(first)}", param) from None


_JSON_KINDS = {
    type(None): "null", bool: "true or false", int: "a number", float: "a number",
    str: "a text", list: "a list", dict: "an object",
}  # fmt: skip


def _mistake(error: Any) -> str:
    """The expected value and the kind of the one that came; pydantic's words for rare mistakes."""
    context, kind = error.get("ctx", {}), _JSON_KINDS.get(type(error["input"]), "something else")
    match error["type"]:
        case "missing":
            return "expected a value, got none"
        case "extra_forbidden":
            return "expected a field of this API, got an unknown one"
        case "literal_error":
            got = "another text" if kind == "a text" else kind
            return f"expected {context['expected'].replace(chr(39), '')}, got {got}"
        case "string_type":
            return f"expected a text, got {kind}"
        case "float_type" | "int_type" | "float_parsing" | "int_parsing":
            return f"expected a number, got {kind}"
        case "string_too_short":
            least = context["min_length"]
            return f"expected {least} character{'s' * (least != 1)} or more, got {len(error['input'])}"
        case "string_too_long":
            return f"expected {context['max_length']} characters or fewer, got {len(error['input'])}"
        case "json_invalid":
            return "expected JSON, got something else"
    return str(error["msg"])
