"""reason: the trouble with a connection, in words."""


def reason_of(error: BaseException) -> str:
    """The reason for which a host could not be reached, or broke off. Libraries name theirs by classes
    alone, such as ConnectError and ReadTimeout."""
    if "Timeout" in type(error).__name__:
        return "no answer in time"
    return getattr(error, "strerror", None) or "no connection"
