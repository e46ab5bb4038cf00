"""Upgrades: better parts, fetched and put to use while conversations go on, and undone."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from catalog.offers import OFFERS, Offer
from catalog.registry import AUTO, CASCADE, find
from engines.engines import Engines
from engines.failover_chat_model import FailoverChatModel
from engines.failover_synthesizer import FailoverSynthesizer
from engines.loader import load_offer
from LLM.auto import find_ollama
from LLM.ollama import expect_ollama, pull
from pipeline.errors import EngineBusy, EngineError, Unavailable, UserError
from pipeline.shared_engine import SlotThread
from utils import hub
from utils.progress import DownloadStopped, Progress

if TYPE_CHECKING:
    from command_line.arguments import Arguments

logger = logging.getLogger(__name__)

State: TypeAlias = Literal["available", "downloading", "loading", "in_use", "failed"]

_STOPPED = "the program ends"


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


class UnknownOfferError(EngineError):
    """No such offer is made here."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(f"expected an offer ({names}), got {name!r:.100}", "unknown_offer")


@dataclass(slots=True)
class _Upgrade:
    """A better part as it runs, with the one behind it."""

    offer: Offer
    engine: Any


@dataclass(slots=True)
class _Part:
    """A stage whose engine may be replaced."""

    original: Any
    """The engine with which the program started. It is never closed before the end: turn judges may use
    its weights, and it takes over from an upgrade that fails."""
    in_use: _Upgrade | None = None
    """None: the original is."""


@dataclass(slots=True)
class _Work:
    """The upgrade that is being fetched or loaded."""

    name: str
    listeners: list[OnChange] = field(default_factory=list)


def fetch(offer: Offer, on_progress: Progress) -> None:
    """Download the model of an offer, unless it is here. Raises `UserError`, and what `on_progress`
    raises."""
    if offer.source == "hub":
        hub.fetch(offer.model, offer.title, files=offer.files, on_progress=on_progress)
        return
    server = expect_ollama()
    if _as_served(offer, server.models).size_bytes:
        pull(server, offer.model, on_progress)


class Upgrades:
    """Offers for the parts that the program chose by itself. One at a time is fetched and loaded, on a
    thread of its own, and then replaces its part in all conversations. All methods may be called from
    any thread. They may wait: `offers` up to 0.3 s for Ollama's server, `undo` until the engine is
    closed.
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
        self._parts = {
            stage: _Part(shared.engine)
            for stage in CASCADE
            if (shared := engines.shared_by(stage)) is not None
            and getattr(arguments.module, stage) == AUTO
        }
        self._states = {offer.name: OfferState(offer) for offer in made if self._is_better(offer)}
        self._work: _Work | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._telling = threading.RLock()
        """Held while an `on_change` is called, so that it gets the states in their order; it may call
        the methods of this object."""

    def offers(self) -> list[OfferState]:
        """The offers that would be better than what the program started with, and their states."""
        with self._lock:
            states = list(self._states.values())
        ollama = any(state.offer.source == "ollama" for state in states) and find_ollama()
        return [
            replace(state, offer=_as_served(state.offer, ollama.models) if ollama else state.offer)
            for state in states
            if state.offer.source != "ollama" or ollama or state.state != "available"
        ]

    def begin(self, name: str, on_change: OnChange) -> None:
        """Fetch an offer and use it. `on_change` gets its states, the first of them before this returns
        and all others on another thread, until one is final; it must not wait. If it is being fetched
        already, `on_change` joins.

        Raises `UnknownOfferError`, and `EngineBusy` while another one is fetched.
        """
        with self._telling:
            with self._lock:
                state = self._known(name)
                if self._closed:
                    raise EngineBusy(_STOPPED)
                if self._work is not None and self._work.name != name:
                    title = self._states[self._work.name].offer.title
                    raise EngineBusy(f"{title} is being fetched; wait until it is there")
                if self._work is not None:
                    self._work.listeners.append(on_change)
                elif state.state != "in_use":
                    state = self._states[name] = OfferState(state.offer, "downloading")
                    self._work = _Work(name, [on_change])
                    SlotThread(target=self._run, args=(state,), name="upgrade", daemon=True).start()
            on_change(state)

    def undo(self, name: str) -> OfferState:
        """Return at once to the engine with which the program started, and close that of the offer.
        Raises `UnknownOfferError`, and `EngineError` if the offer is not in use."""
        with self._telling, self._lock:
            state = self._known(name)
            part = self._parts[state.offer.stage]
            if part.in_use is None or part.in_use.offer.name != name:
                raise EngineError(f"{state.offer.title} is not in use", "not_in_use")
            undone, part.in_use = part.in_use, None
            self._engines.replace(state.offer.stage, part.original)
            state = self._states[name] = OfferState(state.offer)
        self._dismiss(undone)
        return state

    def close(self) -> None:
        """End a download. Does not wait for it."""
        with self._lock:
            self._closed = True

    def _dismiss(self, upgrade: _Upgrade) -> None:
        """Close its engine, which may take long: not with a lock."""
        shared = self._engines.shared_by(upgrade.offer.stage)
        assert shared is not None
        shared.dismiss(upgrade.engine)

    # -- on the thread of the upgrade --------------------------------------------------------------

    def _run(self, state: OfferState) -> None:
        offer = state.offer
        try:
            self._fetch(offer, lambda done, size: self._downloaded(offer, done / max(size, 1)))
            self._tell(OfferState(offer, "loading", 1.0))
            engine = self._load(self._arguments, offer)
            with self._telling:  # or an `undo` could come in between
                former = self._use(offer, engine)
                self._tell(OfferState(offer, "in_use", 1.0), over=True)
        except DownloadStopped:
            self._tell(OfferState(offer, "failed", error=_STOPPED), over=True)
        except (UserError, EngineError, ImportError) as error:
            self._tell(OfferState(offer, "failed", error=_in_plain_words(offer, error)), over=True)
        except Exception as error:
            logger.exception("%s cannot be used", offer.title)
            reason = f"{offer.title} cannot be used: {type(error).__name__}, see the log"
            self._tell(OfferState(offer, "failed", error=reason), over=True)
        else:
            if former is not None:
                self._dismiss(former)

    def _downloaded(self, offer: Offer, share: float) -> None:
        """Tell each hundredth of the download."""
        if self._closed:
            raise DownloadStopped
        if share >= self._states[offer.name].progress + 0.01:
            self._tell(OfferState(offer, "downloading", min(share, 1.0)))

    def _use(self, offer: Offer, engine: Any) -> _Upgrade | None:
        """Replace the part by a new engine; returns the upgrade that it was until then, if any. Raises
        `DownloadStopped` if the program ends."""
        with self._lock:
            if not self._closed:
                part = self._parts[offer.stage]
                former = part.in_use
                part.in_use = _Upgrade(offer, self._with_original_behind(offer, engine, part.original))
                self._engines.replace(offer.stage, part.in_use.engine)
                if former is not None:
                    self._states[former.offer.name] = OfferState(former.offer)
                return former
        engine.close()
        raise DownloadStopped

    def _with_original_behind(self, offer: Offer, engine: Any, original: Any) -> Any:
        """The engine; the original takes over if it fails, and speaks the languages that it lacks. A
        language model in this process has none behind it: a failover could not read ahead, which makes
        its answers come sooner."""
        limits = self._arguments.failover
        if offer.stage == "tts":
            return FailoverSynthesizer([engine, _Kept(original)], limits.failover_tts_s)
        if "remote" in find(offer.stage, offer.engine).devices:
            return FailoverChatModel([engine, _Kept(original)], limits.failover_llm_s)
        return engine

    def _tell(self, state: OfferState, *, over: bool = False) -> None:
        with self._telling:
            with self._lock:
                assert self._work is not None
                self._states[state.offer.name] = state
                listeners = list(self._work.listeners)
                if over:
                    self._work = None
            for listener in listeners:
                try:
                    listener(state)
                except Exception:  # one listener's trouble never reaches another, nor the upgrade
                    logger.exception("%s: a change could not be told", state.offer.title)

    # -- with the lock -----------------------------------------------------------------------------

    def _known(self, name: str) -> OfferState:
        if name not in self._states:
            raise UnknownOfferError(name, self._states)
        return self._states[name]

    def _is_better(self, offer: Offer) -> bool:
        part = self._parts.get(offer.stage)
        if part is None or not offer.runs_here(self._arguments.module.language):
            return False
        return part.original.info.name.partition(",")[0] in offer.instead_of


class _Kept:
    """An engine in a failover that does not close it."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def close(self) -> None:
        """Leave it open."""


def _as_served(offer: Offer, models: Iterable[str]) -> Offer:
    """The offer at a server that has these models."""
    has_it = any(offer.model in (model, model.removesuffix(":latest")) for model in models)
    return replace(offer, size_bytes=0) if has_it else offer


def _in_plain_words(offer: Offer, error: Exception) -> str:
    """The reason of a failure, without what only helps somebody who types flags."""
    if isinstance(error, hub.NotReached):
        return f"{error.trouble}; connect to the network, and try again"
    text = str(error).removeprefix(f"{offer.title} {offer.model}: ")
    return text.partition("; ")[0] if isinstance(error, Unavailable) else text
