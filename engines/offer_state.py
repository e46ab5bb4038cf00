"""OfferState: an offer, and how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from catalog.offers import Offer

State: TypeAlias = Literal["available", "downloading", "loading", "in_use", "failed"]


@dataclass(frozen=True, slots=True)
class OfferState:
    """An offer, and how far it is."""

    offer: Offer
    state: State = "available"
    progress: float = 0.0
    """Share of the download that is there, 0 to 1."""
    error: str = ""
    """The reason for which it failed, as a sentence."""

    @property
    def is_final(self) -> bool:
        """True if nothing more will happen by itself."""
        return self.state in ("in_use", "failed", "available")

    def plain(self) -> dict[str, Any]:
        """The form in which clients get it."""
        offer = self.offer
        return {
            "name": offer.name,
            "stage": offer.stage,
            "title": offer.title,
            "about": offer.about,
            "size_bytes": offer.size_bytes,
            "license": offer.license,
            "command": offer.command,
            "state": self.state,
            "progress": round(self.progress, 3),
            "error": self.error,
        }


OnChange: TypeAlias = Callable[[OfferState], object]
