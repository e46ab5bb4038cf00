"""Upgrades that several clients begin, join, undo and look at, in orders that nobody chose."""

import random
import re
import sys
import threading
from collections.abc import Iterator

import pytest

from engines.offer_state import OfferState
from pipeline.errors import EngineBusy, EngineError, UserError
from testing.conversation import PATIENCE_S
from testing.upgrading import OFFERS, House
from tests.socket_clients import wait_for

CLIENTS, STEPS = 4, 60
_LETTERS = {"downloading": "d", "loading": "l", "in_use": "u", "failed": "f"}


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Let threads change places as often as the interpreter can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


class Follower:
    """A client that has begun an offer, or joined in."""

    def __init__(self, house: House, name: str) -> None:
        self.name = name
        self.over = threading.Event()
        self.told: list[OfferState] = []
        self.wrong: list[str] = []
        self._house = house
        house.upgrades.begin(name, self._changed)
        if not self.told:
            self.wrong.append("nothing was told before begin returned")

    def _changed(self, state: OfferState) -> None:
        self.told.append(state)
        if self._house.states()[self.name] != state.state:
            self.wrong.append(f"{state.state} was told when it was no longer so")
        if state.is_final:
            self.over.set()

    def expect_in_order(self) -> None:
        """Progress that only grows, and an end after which nothing comes."""
        assert self.over.wait(PATIENCE_S)
        assert self.wrong == []
        assert {state.offer.name for state in self.told} == {self.name}
        letters = "".join(_LETTERS[state.state] for state in self.told)
        assert re.fullmatch("d*l?[uf]", letters), letters
        shares = [state.progress for state in self.told if state.state == "downloading"]
        assert shares == sorted(shares)


class Client(threading.Thread):
    """A client that does anything at any time; with `closes` it ends the program at its end."""

    def __init__(self, house: House, seed: str, *, closes: bool) -> None:
        super().__init__(name=seed, daemon=True)
        self._house, self.closes = house, closes
        self._chance = random.Random(seed)
        self.followers: list[Follower] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        for _ in range(STEPS):
            name = self._chance.choice(OFFERS).name
            try:
                self._step(name)
            except EngineBusy:
                pass
            except EngineError as error:
                if error.code != "not_in_use":
                    self.wrong.append(str(error))
        if self.closes:
            self._house.upgrades.close()

    def _step(self, name: str) -> None:
        match self._chance.randrange(5):
            case 0 | 1:
                self.followers.append(Follower(self._house, name))
            case 2:
                self._house.upgrades.undo(name)
            case 3:
                self._house.problem = self._chance.choice([None, None, UserError("the disk is full")])
            case _:
                self._expect_one_each()

    def _expect_one_each(self) -> None:
        """One offer is under way at a time, and one is in use for each stage."""
        states = self._house.upgrades.offers()
        if sum(not state.is_final for state in states) > 1:
            self.wrong.append("two are under way")
        stages = [state.offer.stage for state in states if state.state == "in_use"]
        if len(stages) != len(set(stages)):
            self.wrong.append("two are in use for one stage")


@pytest.mark.parametrize("seed", range(10))
def test_in_any_order_each_client_is_told_in_order_and_the_engine_is_that_of_the_state(
    seed: int,
) -> None:
    house = House()
    house.use("better-mind")
    clients = [
        Client(house, f"{seed}.{each}", closes=bool(seed % 2) and not each) for each in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join(PATIENCE_S)
        assert not client.is_alive()
        assert client.wrong == []
    followers = [follower for client in clients for follower in client.followers]
    for follower in followers:
        follower.expect_in_order()
    house.problem = None
    if any(client.closes for client in clients):
        with pytest.raises(EngineBusy, match="the program ends"):
            house.upgrades.begin("better-voice", print)
    else:
        assert house.use("better-voice")[-1].state == "in_use"

    in_use = {state.offer.stage for state in house.upgrades.offers() if state.state == "in_use"}
    for stage, original in (("llm", house.mind), ("tts", house.voice)):
        shared = house.engines.shared_by(stage)
        assert shared is not None
        assert (shared.engine is original) == (stage not in in_use)
    wait_for(
        lambda: sum(not engine.closed for engine in house.loaded) == len(in_use),
        "the engines that are not in use to be closed",
    )
    assert not house.mind.closed
    assert not house.voice.closed
    house.engines.close()
    assert all(engine.closed for engine in (*house.loaded, house.mind, house.voice))
