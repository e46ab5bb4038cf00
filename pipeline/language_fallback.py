"""Language fallback: the notice for the client when an engine does not know the language."""

from pipeline.language import english_name
from pipeline.messages import Notice


def language_fallback(engine: str, can: str, code: str, instead: str) -> Notice:
    """Create the notice that an engine cannot do something ("speak") in a language, and what it does
    instead ("it speaks as usual")."""
    return Notice("language_fallback", f"{engine} does not {can} {english_name(code)}; {instead}")
