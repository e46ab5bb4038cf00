"""The sources of offers: the hub, and Ollama's server on this machine."""

from collections.abc import Iterable
from dataclasses import replace

from catalog.offers import Offer
from LLM.ollama import expect_ollama, pull
from utils import hub
from utils.progress import Progress


def fetch(offer: Offer, on_progress: Progress) -> None:
    """Download the model of an offer, unless it is here. Raises `UserError`, and what `on_progress`
    raises."""
    if offer.source == "hub":
        hub.fetch(offer.model, offer.title, files=offer.files, on_progress=on_progress)
        return
    server = expect_ollama()
    if as_served(offer, server.models).size_bytes:
        pull(server, offer.model, on_progress)


def as_served(offer: Offer, models: Iterable[str]) -> Offer:
    """The offer at a server that has these models: one of them needs no download."""
    has_it = any(offer.model in (model, model.removesuffix(":latest")) for model in models)
    return replace(offer, size_bytes=0) if has_it else offer
