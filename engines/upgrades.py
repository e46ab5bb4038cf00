"""Upgrades: better parts, fetched and put to use while conversations go on, and undone."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalog.offers import OFFERS, Offer
from catalog.registry import AUTO, CASCADE
from engines.engines import Engines
from engines.loader import load_offer
from engines.offer_source import as_served, fetch
from engines.offer_state import OfferState, OnChange
from engines.original_behind import with_original_behind
from LLM.auto import find_ollama
from pipeline.errors import EngineBusy, EngineError, Unavailable, UserError
from pipeline.shared_engine import SlotThread
from utils import hub
from utils.progress import DownloadStopped, Progress

if TYPE_CHECKING:
    from command_line.arguments import Arguments

logger = logging.getLogger(__name__)

_STOPPED = "the program ends"


class UnknownOfferError(EngineError):
    """No such offer is made here."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(f"expected an offer ({names}), got {name!r:.100}", "unknown_offer")


class Upgrades:
    """Offers for the parts that the program chose by itself. One at a time is fetched and loaded, on a
    thread of its own, and then replaces its part in all conversations. All methods may be called from
    any thread. They may wait: `offers` up to 0.3 s for Ollama's server, `undo` until the engine is
    closed.

    One lock keeps the order. It is held for each change as a whole: the state of an offer, the engine
    that the conversations get, and the calls of `on_change`, which may call the methods of this object
    in their turn. Nothing that takes long is done with it: no download, no loading, no closing.
    """

    def __init__(
        self,
        engines: Engines,
        arguments: "Arguments",
        made: Iterable[Offer] = OFFERS,
        *,
        fetch: Callable[[Offer, Progress], None] = fetch,
        load: "Callable[[Arguments, Offer], Any]" = load_offer,
    ) -> None:
        self._engines, self._arguments = engines, arguments
        self._fetch, self._load = fetch, load
        self._originals = {
            stage: shared.engine
            for stage in CASCADE
            if (shared := engines.shared_by(stage)) is not None
            and getattr(arguments.module, stage) == AUTO
        }
        """Stage ▶ the engine with which the program started. It is never closed before the end: turn
        judges may use its weights, and it takes over from an upgrade that fails."""
        self._states = {offer.name: OfferState(offer) for offer in made if self._is_better(offer)}
        self._listeners: list[OnChange] = []
        """The callers that follow the offer that is being fetched or loaded."""
        self._closed = False
        self._lock = threading.RLock()

    def offers(self) -> list[OfferState]:
        """The offers that would be better than what the program started with, and their states."""
        with self._lock:
            states = list(self._states.values())
        ollama = any(state.offer.source == "ollama" for state in states) and find_ollama()
        return [
            replace(state, offer=as_served(state.offer, ollama.models) if ollama else state.offer)
            for state in states
            if state.offer.source != "ollama" or ollama or state.state != "available"
        ]

    def begin(self, name: str, on_change: OnChange) -> None:
        """Fetch an offer and use it. `on_change` gets its states, the first of them before this returns
        and all others on another thread, until one is final; it must not wait. If it is being fetched
        already, `on_change` joins.

        Raises `UnknownOfferError`, and `EngineBusy` while another one is fetched.
        """
        with self._lock:
            state = self._known(name)
            if self._closed:
                raise EngineBusy(_STOPPED)
            busy = next((each.offer for each in self._states.values() if not each.is_final), None)
            if busy is not None and busy.name != name:
                raise EngineBusy(f"{busy.title} is being fetched; wait until it is there")
            if state.is_final and state.state != "in_use":
                state = self._states[name] = OfferState(state.offer, "downloading")
                SlotThread(target=self._run, args=(state.offer,), name="upgrade", daemon=True).start()
            if not state.is_final:
                self._listeners.append(on_change)
            on_change(state)

    def undo(self, name: str) -> OfferState:
        """Return at once to the engine with which the program started, and close that of the offer.
        Raises `UnknownOfferError`, and `EngineError` if the offer is not in use."""
        with self._lock:
            state = self._known(name)
            if state.state != "in_use":
                raise EngineError(f"{state.offer.title} is not in use", "not_in_use")
            stage = state.offer.stage
            undone = self._engines.replace(stage, self._originals[stage])
            state = self._states[name] = OfferState(state.offer)
        self._dismiss(stage, undone)
        return state

    def close(self) -> None:
        """End a download. Does not wait for it."""
        with self._lock:
            self._closed = True

    # -- on the thread of the upgrade --------------------------------------------------------------

    def _run(self, offer: Offer) -> None:
        try:
            self._fetch(offer, lambda done, size: self._downloaded(offer, done / max(size, 1)))
            self._change(OfferState(offer, "loading", 1.0))
            former = self._use(offer, self._load(self._arguments, offer))
        except DownloadStopped:
            self._change(OfferState(offer, "failed", error=_STOPPED))
        except (UserError, EngineError, ImportError) as error:
            self._change(OfferState(offer, "failed", error=_in_plain_words(offer, error)))
        except Exception as error:
            logger.exception("%s cannot be used", offer.title)
            reason = f"{offer.title} cannot be used: {type(error).__name__}, see the log"
            self._change(OfferState(offer, "failed", error=reason))
        else:
            self._dismiss(offer.stage, former)

    def _downloaded(self, offer: Offer, share: float) -> None:
        """Tell each hundredth of the download."""
        if self._closed:
            raise DownloadStopped
        if share >= self._states[offer.name].progress + 0.01:
            self._change(OfferState(offer, "downloading", min(share, 1.0)))

    def _use(self, offer: Offer, engine: Any) -> Any:
        """Replace the part by a new engine; returns the one before. Raises `DownloadStopped` if the
        program ends."""
        original = self._originals[offer.stage]
        engine = with_original_behind(offer, engine, original, self._arguments.failover)
        with self._lock:
            if not self._closed:
                former = self._engines.replace(offer.stage, engine)
                for other in list(self._states.values()):
                    if other.state == "in_use" and other.offer.stage == offer.stage:
                        self._states[other.offer.name] = OfferState(other.offer)
                self._change(OfferState(offer, "in_use", 1.0))
                return former
        engine.close()
        raise DownloadStopped

    def _change(self, state: OfferState) -> None:
        """Set the state of the offer that is being fetched or loaded, and tell it."""
        with self._lock:
            self._states[state.offer.name] = state
            listeners = tuple(self._listeners)
            if state.is_final:  # before they are told, so that they may begin another
                self._listeners.clear()
            for listener in listeners:
                try:
                    listener(state)
                except Exception:  # one listener's trouble never reaches another, nor the upgrade
                    logger.exception("%s: a change could not be told", state.offer.title)

    # -- on any thread -----------------------------------------------------------------------------

    def _dismiss(self, stage: str, former: Any) -> None:
        """Close an engine that was replaced, unless it is the original."""
        if former is not self._originals[stage]:
            shared = self._engines.shared_by(stage)
            assert shared is not None
            shared.dismiss(former)

    def _known(self, name: str) -> OfferState:
        if name not in self._states:
            raise UnknownOfferError(name, self._states)
        return self._states[name]

    def _is_better(self, offer: Offer) -> bool:
        original = self._originals.get(offer.stage)
        if original is None or not offer.runs_here(self._arguments.module.language):
            return False
        return original.info.name.partition(",")[0] in offer.instead_of


def _in_plain_words(offer: Offer, error: Exception) -> str:
    """The reason of a failure, without what only helps somebody who types flags."""
    if isinstance(error, hub.NotReached):
        return f"{error.trouble}; connect to the network, and try again"
    text = str(error).removeprefix(f"{offer.title} {offer.model}: ")
    return text.partition("; ")[0] if isinstance(error, Unavailable) else text
