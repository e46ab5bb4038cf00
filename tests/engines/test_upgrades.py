"""Upgrades: what is offered, and the states of an offer from its download to its use and back."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec

import pytest

from catalog.offers import Offer
from engines.offer_state import OfferState
from engines.upgrades import UnknownOfferError
from pipeline.errors import EngineBusy, EngineError, Unavailable, UserError
from testing.conversation import PATIENCE_S
from testing.upgrading import VOICE, House
from utils.hub import NotReached


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.upgrades.close()
    house.engines.close()


def test_an_offer_is_fetched_loaded_and_used(house: House) -> None:
    assert house.states()["better-voice"] == "available"
    seen = [(state.state, state.progress) for state in house.use("better-voice")]
    assert seen == [
        *[("downloading", share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        ("loading", 1.0),
        ("in_use", 1.0),
    ]
    assert house.states()["better-voice"] == "in_use"
    assert house.use("better-voice")[0].state == "in_use"
    assert len(house.loaded) == 1


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (UserError("the disk is full"), "the disk is full"),
        (EngineError("it makes no sound"), "it makes no sound"),
        (
            Unavailable("Better someone/voice: the hub cannot be reached; add --download"),
            "the hub cannot be reached",
        ),
        (
            NotReached("Better: not in /cache, and the hub is silent; --download", "the hub is silent"),
            "the hub is silent; connect to the network, and try again",
        ),
        (RuntimeError("secret"), "Better cannot be used: RuntimeError, see the log"),
    ],
)
def test_what_fails_is_one_sentence_and_may_be_tried_again(
    house: House, problem: Exception, sentence: str
) -> None:
    house.problem = problem
    last = house.use("better-voice")[-1]
    assert (last.state, last.error) == ("failed", sentence)
    assert house.engines.shared_by("tts").engine is house.voice  # type: ignore[union-attr]
    house.problem = None
    assert house.use("better-voice")[-1].state == "in_use"


def test_one_at_a_time_and_another_client_joins_in(house: House) -> None:
    house.fetched.close()
    first, second = list[str](), list[str]()
    over = threading.Barrier(3)

    def told(states: list[str]) -> Callable[[OfferState], None]:
        def on_change(state: OfferState) -> None:
            states.append(state.state)
            if state.is_final:
                threading.Thread(target=over.wait, daemon=True).start()

        return on_change

    house.upgrades.begin("better-voice", told(first))
    house.fetched.wait_until_reached()
    house.upgrades.begin("better-voice", told(second))
    with pytest.raises(EngineBusy, match="Better is being fetched; wait until it is there"):
        house.upgrades.begin("better-mind", print)
    house.fetched.open()
    over.wait(PATIENCE_S)
    assert first[-1] == second[-1] == "in_use"
    assert second[0] == "downloading"
    assert len(house.loaded) == 1


def test_what_is_not_offered(house: House) -> None:
    with pytest.raises(UnknownOfferError, match=r"expected an offer .*better-voice.*, got 'gold'"):
        house.upgrades.begin("gold", print)
    with pytest.raises(UnknownOfferError):
        house.upgrades.undo("gold")
    with pytest.raises(EngineError, match="Better is not in use"):
        house.upgrades.undo("better-voice")


@pytest.mark.parametrize(
    ("offer", "argv"),
    [
        (replace(VOICE, instead_of=("something else",)), ()),
        (replace(VOICE, memory_bytes=1 << 60), ()),
        (replace(VOICE, engine="bark"), ()),
        (replace(VOICE, languages=("en",)), ("--language", "te")),
        (VOICE, ("--tts", "espeak")),
    ],
    ids=["not better", "too large", "a package is missing", "another language", "the user chose"],
)
def test_only_what_is_better_and_runs_here_is_offered(offer: Offer, argv: tuple[str, ...]) -> None:
    if offer.engine == "bark" and find_spec("torch"):
        pytest.skip("the package is there")
    house = House(offer, argv=argv)
    assert house.states() == {}
    house.engines.close()


def test_the_end_of_the_program_ends_a_download(house: House) -> None:
    house.fetched.close()
    last: list[OfferState] = []
    over = threading.Event()

    def on_change(state: OfferState) -> None:
        last.append(state)
        if state.is_final:
            over.set()

    house.upgrades.begin("better-voice", on_change)
    house.fetched.wait_until_reached()
    house.upgrades.close()
    house.fetched.open()
    assert over.wait(PATIENCE_S)
    assert (last[-1].state, last[-1].error) == ("failed", "the program ends")
    assert not house.loaded
    with pytest.raises(EngineBusy, match="the program ends"):
        house.upgrades.begin("better-mind", print)
