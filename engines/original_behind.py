"""A better engine with the original one behind it, which takes over where the better one fails."""

from typing import TYPE_CHECKING, Any

from catalog.offers import Offer
from catalog.registry import find
from engines.failover_chat_model import FailoverChatModel
from engines.failover_synthesizer import FailoverSynthesizer

if TYPE_CHECKING:
    from arguments_classes.failover_arguments import FailoverArguments


def with_original_behind(offer: Offer, engine: Any, original: Any, limits: "FailoverArguments") -> Any:
    """The engine of an offer; the original takes over if it fails, and speaks the languages that it
    lacks. To close the two leaves the original open.

    A language model in this process has none behind it: a failover could not read ahead, which makes
    its answers come sooner.
    """
    if offer.stage == "tts":
        return FailoverSynthesizer([engine, _Kept(original)], limits.failover_tts_s)
    if "remote" in find(offer.stage, offer.engine).devices:
        return FailoverChatModel([engine, _Kept(original)], limits.failover_llm_s)
    return engine


class _Kept:
    """An engine in a failover that does not close it."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def close(self) -> None:
        """Leave it open."""
