"""The menu of better parts on the live screen."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from catalog.offers import Offer
from command_line.parse import parse_command_line
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from listeners.keys import Keys
from listeners.upgrade_menu import UpgradeMenu
from pipeline.errors import UserError
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken
from testing.conversation import Conversation
from testing.fakes import ScriptedSynthesizer
from testing.hold import Hold
from tests.listeners.test_terminal import Shown
from utils.keyboard import Key
from utils.progress import Progress

OFFER = Offer(
    "better-voice", "tts", "Better", "sounds better", 2_000_000, "MIT",
    engine="espeak", model="someone/voice", instead_of=("scripted-tts",),
)  # fmt: skip


OTHER = replace(OFFER, name="other-voice", title="Other")


class Shop:
    """A conversation on a screen, with a better voice whose download the test holds up."""

    def __init__(self, conversation: Conversation, *offers: Offer) -> None:
        self.fetched = Hold()
        self.problem: Exception | None = None
        self.shown = Shown(conversation, 80)
        self.over = threading.Event()
        upgrades = _Followed(
            conversation._engines,
            parse_command_line([]),
            offers or (OFFER,),
            fetch=self._fetch,
            load=lambda arguments, offer: ScriptedSynthesizer(),
        )
        upgrades.over = self.over
        self.upgrades = upgrades
        menu = UpgradeMenu(upgrades, self.shown.terminal)
        self.keys = Keys(conversation.session, self.shown.terminal, menu)

    def press(self, *keys: str) -> str:
        for key in keys:
            self.keys.press(key)
        return self.text()

    def text(self) -> str:
        return self.shown.screen().text()

    def _fetch(self, offer: Offer, on_progress: Progress) -> None:
        on_progress(offer.size_bytes // 2, offer.size_bytes)
        self.fetched.pass_through(CancelToken())
        if self.problem is not None:
            raise self.problem


class _Followed(Upgrades):
    """Upgrades that tell when they are done."""

    over: threading.Event
    asked_on: threading.Thread | None = None

    def offers(self) -> list[OfferState]:
        self.asked_on = threading.current_thread()
        return super().offers()

    def begin(self, name: str, on_change: Callable[[OfferState], object]) -> None:
        def change(state: OfferState) -> None:
            on_change(state)
            if state.is_final:
                self.over.set()

        super().begin(name, change)


def test_a_better_voice_is_chosen_fetched_used_and_given_back() -> None:
    with Conversation() as conversation:
        shop = Shop(conversation)
        assert "1      Better: sounds better (2 MB, MIT)" in shop.press("b")
        assert "Better" not in shop.press(Key.ESCAPE)
        shop.fetched.close()
        shop.press("b", "1", "7", "x")
        shop.fetched.wait_until_reached()
        assert "1      Better ▕█████     ▏ 50 %" in shop.text()
        shop.fetched.open()
        assert shop.over.wait(60)
        assert "1      Better: in use; the same number goes back" in shop.text()
        assert "1      Better: sounds better (2 MB, MIT)" in shop.press("1")
        shop.shown.end()


def test_enter_in_the_menu_begins_no_turn() -> None:
    with Conversation(settings=SessionSettings(hands_free=False)) as conversation:
        shop = Shop(conversation)
        assert "Space to talk" in shop.press("b", Key.DOWN, Key.ENTER)
        shop.press(Key.ESCAPE)
        assert "Hearing you" in shop.press(Key.ENTER)
        shop.shown.end()


@pytest.mark.parametrize("problem", [None, UserError("the disk is full")])
def test_news_come_though_the_menu_is_closed(problem: Exception | None) -> None:
    with Conversation() as conversation:
        shop = Shop(conversation)
        shop.problem = problem
        shop.fetched.close()
        shop.press("b", "1", "b")
        shop.fetched.open()
        assert shop.over.wait(60)
        told = str(problem or "is in use from the next answer on; B goes back")
        assert told in shop.shown.end().text()


def test_one_that_makes_way_is_offered_again() -> None:
    """The menu knows by itself: to ask for all offers may take a while, and `on_change` must not."""
    with Conversation() as conversation:
        shop = Shop(conversation, OFFER, OTHER)
        shop.press("b", "1")
        assert shop.over.wait(60)
        shop.over.clear()
        shop.press("2")
        assert shop.over.wait(60)
        assert "1      Better: sounds better (2 MB, MIT)" in shop.text()
        assert "2      Other: in use; the same number goes back" in shop.text()
        assert shop.upgrades.asked_on is threading.current_thread()
        shop.shown.end()
