"""`/v1/offers`: who may change the parts of the program, and what they see of it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from catalog.offers import Offer
from command_line.parse import parse_command_line
from engines.upgrades import Upgrades
from pipeline.errors import UserError
from pipeline.turn import CancelToken
from testing.fakes import ScriptedSynthesizer
from testing.hold import Hold
from testing.server import ScriptedWebServer
from utils.progress import Progress

OFFER = Offer(
    "better", "tts", "Better", "sounds better", 400, "MIT",
    engine="espeak", model="someone/voice", instead_of=("scripted-tts",),
)  # fmt: skip


class Fetching:
    """A server whose offer is fetched in four steps, with a hold at each."""

    def __init__(self, **flags: Any) -> None:
        self.server = ScriptedWebServer(**flags)
        self.hold, self.problem = Hold(), ""
        self.server.upgrades = Upgrades(
            self.server._engines,
            parse_command_line([]),
            (OFFER,),
            fetch=self._fetch,
            load=lambda arguments, offer: ScriptedSynthesizer(languages=("en", "te")),
        )
        self.server.__enter__()

    def _fetch(self, offer: Offer, on_progress: Progress) -> None:
        for done in range(100, 401, 100):
            on_progress(done, 400)
            self.hold.pass_through(CancelToken())
        if self.problem:
            raise UserError(self.problem)

    def post(self, path: str, **headers: str) -> httpx2.Response:
        url = f"http://127.0.0.1:{self.server.port}/v1/offers/{path}"
        return httpx2.post(url, headers=headers, trust_env=False, timeout=60)

    def info(self, **headers: str) -> Any:
        url = f"http://127.0.0.1:{self.server.port}/v1/info"
        return httpx2.get(url, headers=headers, trust_env=False, timeout=60).json()


@pytest.fixture
def fetching(request: pytest.FixtureRequest) -> Iterator[Fetching]:
    """A server with the flags of the test."""
    served = Fetching(**getattr(request, "param", {}))
    yield served
    served.hold.open()
    served.server.__exit__()


def lines(response: httpx2.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


def test_from_the_offer_to_its_use_and_back(fetching: Fetching) -> None:
    offered = {
        "name": "better",
        "stage": "tts",
        "title": "Better",
        "about": "sounds better",
        "size_bytes": 400,
        "license": "MIT",
        "command": "s2s get better",
        "state": "available",
        "progress": 0.0,
        "error": "",
    }
    assert fetching.info()["offers"] == [offered]
    response = fetching.post("better")
    assert response.headers["content-type"].startswith("application/x-ndjson")
    seen = lines(response)
    assert [(line["state"], line["progress"]) for line in seen] == [
        ("downloading", 0.0),
        *[("downloading", share) for share in (0.25, 0.5, 0.75, 1.0)],
        ("loading", 1.0),
        ("in_use", 1.0),
    ]
    changing = {"state": "", "progress": 0.0}
    assert all(line | changing == offered | changing for line in seen)
    assert fetching.info()["offers"][0]["state"] == "in_use"
    assert fetching.post("better/undo").json() == offered
    assert fetching.info()["offers"] == [offered]
    refused = fetching.post("better/undo")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_in_use")


def test_it_can_be_watched_while_it_comes_and_goes_on_without_its_watchers(fetching: Fetching) -> None:
    fetching.hold.close()
    url = f"http://127.0.0.1:{fetching.server.port}/v1/offers/better"
    with httpx2.stream("POST", url, trust_env=False, timeout=60) as response:
        first = json.loads(next(response.iter_lines()))
        assert first["state"] == "downloading"
    seen: list[dict[str, Any]] = []
    watching = threading.Thread(target=lambda: seen.extend(lines(fetching.post("better"))))
    fetching.hold.wait_until_reached()
    watching.start()
    fetching.hold.open()
    watching.join()
    assert seen[-1]["state"] == "in_use"


def test_a_failure_is_the_last_line(fetching: Fetching) -> None:
    fetching.problem = "the disk is full"
    last = lines(fetching.post("better"))[-1]
    assert (last["state"], last["error"]) == ("failed", "the disk is full")
    assert fetching.info()["offers"][0]["error"] == "the disk is full"


def test_unknown_offers(fetching: Fetching) -> None:
    for path in ("gold", "gold/undo"):
        refused = fetching.post(path)
        assert refused.status_code == 404
        assert "expected an offer (better), got 'gold'" in refused.json()["error"]["message"]


@pytest.mark.parametrize("path", ["better", "better/undo"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"Forwarded": "for=203.0.113.7"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "[::1"}, 403),
    ],
)
def test_other_pages_and_other_machines_may_not(
    fetching: Fetching, path: str, headers: dict[str, str], status: int
) -> None:
    """Also not where the page's name was pointed at this machine."""
    assert fetching.post(path, **headers).status_code == status
    assert fetching.info()["offers"][0]["state"] == "available"


@pytest.mark.parametrize("fetching", [{"insecure": True}], indirect=True)
def test_a_name_that_points_here_is_no_name_of_this_machine(fetching: Fetching) -> None:
    """With --insecure any page may talk, but it may not change the program."""
    rebound = {"Origin": "http://evil.example", "Host": "evil.example"}
    assert fetching.post("better", **rebound).status_code == 403


@pytest.mark.parametrize("fetching", [{"token": "right"}], indirect=True)
def test_where_there_is_a_token_only_it_opens(fetching: Fetching) -> None:
    assert fetching.post("better").status_code == 401
    assert fetching.post("better", Authorization="Bearer wrong").status_code == 401
    url = f"http://127.0.0.1:{fetching.server.port}/v1/realtime/client_secrets"
    right = {"Authorization": "Bearer right"}
    secret = httpx2.post(url, headers=right, json={}, trust_env=False, timeout=60).json()["value"]
    assert fetching.post("better", Authorization=f"Bearer {secret}").status_code == 403
    told = fetching.info(Authorization=f"Bearer {secret}")
    assert (told["offers"][0]["command"], told["may_change"]) == ("s2s get better", False)
    last = lines(fetching.post("better", **right, Host="talk.example"))[-1]
    assert last["state"] == "in_use"


def test_a_get_changes_nothing(fetching: Fetching) -> None:
    url = f"http://127.0.0.1:{fetching.server.port}/v1/offers/better"
    assert httpx2.get(url, trust_env=False, timeout=60).status_code == 405
    assert fetching.info()["offers"][0]["state"] == "available"
