"""The mistake in a value of a client's JSON, in our words: expected X, got Y."""

from pydantic_core import ErrorDetails

_JSON_KINDS = {
    type(None): "null", bool: "true or false", int: "a number", float: "a number",
    str: "a text", list: "a list", dict: "an object",
}  # fmt: skip
_EXPECTED = {
    "string_type": "a text", "bool_type": "true or false", "list_type": "a list",
    "dict_type": "an object", "model_type": "an object", "model_attributes_type": "an object",
    **dict.fromkeys(("float_type", "int_type", "float_parsing", "int_parsing"), "a number"),
    "bool_parsing": "true or false", "int_from_float": "a whole number",
}  # fmt: skip


def mistake_in(error: ErrorDetails) -> str:
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
        case "greater_than_equal":
            return f"expected {context['ge']:g} or more, got less"
        case "less_than_equal":
            return f"expected {context['le']:g} or less, got more"
        case "string_too_short":
            least = context["min_length"]
            return f"expected {least} character{'s' * (least != 1)} or more, got {len(error['input'])}"
        case "string_too_long":
            return f"expected {context['max_length']} characters or fewer, got {len(error['input'])}"
        case "json_invalid":
            return "expected JSON, got something else"
        case type_ if type_ in _EXPECTED:
            return f"expected {_EXPECTED[type_]}, got {kind}"
    return str(error["msg"])
