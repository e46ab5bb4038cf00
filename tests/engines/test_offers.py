"""The offers of the catalog: Ollama's, over a scripted server, and what the next start finds."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

import engines.loader
import LLM.auto
from catalog.choice import PREFERRED
from catalog.offers import OFFERS, Offer
from catalog.registry import find
from catalog.weights import SMOLLM2
from command_line.parse import parse_command_line
from engines.engines import Cascade, Engines
from engines.loader import choose_language_model, load_offer
from engines.offer_source import fetch
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from LLM.eliza import ElizaModel
from LLM.ollama import expect_ollama
from pipeline.errors import UserError
from pipeline.messages import ChatMessage
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from testing.conversation import PATIENCE_S
from testing.fakes import LoudnessDetector, ScriptedRecognizer, ScriptedSynthesizer
from testing.ollama_server import LAYERS, OllamaServer
from utils.progress import DownloadStopped

OLLAMA = next(offer for offer in OFFERS if offer.name == "ollama")
QWEN = next(offer for offer in OFFERS if offer.name == "qwen")


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaServer]:
    """A server without a model, at the port of Ollama."""
    with OllamaServer() as server:
        monkeypatch.setattr(LLM.auto, "_SERVERS", {server.port: "Ollama"})
        yield server
        server.between_pieces.open()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server on this machine."""
    monkeypatch.setattr(LLM.auto, "_SERVERS", {1: "Ollama"})


def new_upgrades() -> Upgrades:
    """Upgrades of a program that runs Eliza, for lack of anything better."""
    cascade = Cascade(
        SharedEngine(ScriptedRecognizer()),
        SharedEngine(ElizaModel()),
        SharedEngine(ScriptedSynthesizer()),
    )
    loaded = Engines(LoudnessDetector(), EndpointerSettings(), cascade)
    return Upgrades(loaded, parse_command_line([]), (replace(OLLAMA, memory_bytes=0),))


class TestOllama:
    def test_it_pulls_and_then_answers(self, ollama: OllamaServer) -> None:
        upgrades = new_upgrades()
        (offered,) = upgrades.offers()
        assert offered.plain()["size_bytes"] == 2_000_000_000
        states: list[OfferState] = []
        over = threading.Event()

        def on_change(state: OfferState) -> None:
            states.append(state)
            if state.is_final:
                over.set()

        upgrades.begin("ollama", on_change)
        assert over.wait(PATIENCE_S)
        assert (states[-1].state, states[-1].error) == ("in_use", "")
        assert ollama.pulled == ["llama3.2"]
        shares = [state.progress for state in states if state.state == "downloading"]
        assert shares == sorted(shares)
        assert len(shares) > 2
        model = upgrades._engines.shared_by("llm").engine  # type: ignore[union-attr]
        answer = "".join(map(str, model.generate([ChatMessage("user", "Hello.")], CancelToken())))
        assert answer == "Hello. How are you?"
        assert ollama.requests[-1]["model"] == "llama3.2"
        upgrades._engines.close()

    def test_what_it_has_is_not_pulled_again(self, ollama: OllamaServer) -> None:
        ollama.models.append("llama3.2:latest")
        (offered,) = new_upgrades().offers()
        assert offered.offer.size_bytes == 0
        fetch(OLLAMA, lambda done, size: None)
        assert ollama.pulled == []

    def test_the_progress_counts_all_parts(self, ollama: OllamaServer) -> None:
        seen: list[tuple[int, int]] = []
        fetch(OLLAMA, lambda done, size: seen.append((done, size)))
        assert seen[0] == (0, LAYERS["sha256:weights"])
        assert seen[-1] == (sum(LAYERS.values()), sum(LAYERS.values()))

    def test_it_reports_an_error(self, ollama: OllamaServer) -> None:
        ollama.problem = "no space left on device"
        with pytest.raises(UserError, match=r"^Ollama cannot get llama3\.2: no space left on device$"):
            fetch(OLLAMA, lambda done, size: None)

    def test_it_breaks_off(self, ollama: OllamaServer) -> None:
        ollama.breaks_off = True
        with pytest.raises(UserError, match=r"broke the download of llama3\.2 off; try again"):
            fetch(OLLAMA, lambda done, size: None)

    def test_it_dies(self, ollama: OllamaServer) -> None:
        ollama.between_pieces.close()

        def die() -> None:
            ollama.between_pieces.wait_until_reached()
            ollama.die()

        dying = threading.Thread(target=die)
        dying.start()
        with pytest.raises(UserError, match="broke the download of"):
            fetch(OLLAMA, lambda done, size: None)
        dying.join()

    def test_it_can_be_stopped(self, ollama: OllamaServer) -> None:
        def on_progress(done: int, size: int) -> None:
            raise DownloadStopped

        with pytest.raises(DownloadStopped):
            fetch(OLLAMA, on_progress)

    @pytest.mark.usefixtures("nobody")
    def test_where_it_does_not_run_it_is_not_offered(self) -> None:
        assert new_upgrades().offers() == []
        with pytest.raises(UserError, match=r"install it from https://ollama\.com and start it"):
            expect_ollama()


@pytest.mark.usefixtures("nobody")
class TestTheNextStart:
    """A fetched model comes before the built-in one, and after a server."""

    @pytest.fixture(autouse=True)
    @staticmethod
    def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
        """The built-in model's file stands for a better one."""
        if not SMOLLM2.there:
            pytest.skip("python -m catalog.weights")
        folder, file = str(SMOLLM2.path.parent), SMOLLM2.path.name
        offer = replace(QWEN, model=folder, files=(file,), settings={"model_name": folder, "gguf": file})
        monkeypatch.setattr(engines.loader, "OFFERS", (offer,))
        return offer

    def test_it_is_found_again(self) -> None:
        hints: dict[str, str] = {}
        model = choose_language_model(parse_command_line([]), hints)
        model.close()
        assert model.info.name == "llama-cpp"
        assert hints["llm"].endswith("is in the cache; for the built-in model: --llm smollm2")

    def test_one_that_does_not_load_is_left_out(
        self, offer: Offer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        broken = replace(offer, settings={**offer.settings, "gguf": "nothing.gguf"})
        monkeypatch.setattr(engines.loader, "OFFERS", (broken,))
        model = choose_language_model(parse_command_line([]), {})
        model.close()
        assert model.info.name == "smollm2"
        assert "Qwen2.5 1.5B is left out: --llm_gguf nothing.gguf" in capsys.readouterr().err

    def test_a_server_comes_first(self, ollama: OllamaServer) -> None:
        ollama.models.append("llama3.2:latest")
        assert choose_language_model(parse_command_line([]), {}).info.name == "openai"

    def test_it_is_loaded_with_the_settings_of_its_engine(self, offer: Offer) -> None:
        model = load_offer(parse_command_line([]), offer)
        assert model.info.slots == 2
        model.close()


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.name)
def test_what_an_offer_fetches_is_what_its_engine_and_the_next_start_look_for(offer: Offer) -> None:
    assert find(offer.stage, offer.engine).extra is None, "it needs no further packages"
    assert all(find(offer.stage, name) for name in offer.instead_of)
    if offer.stage == "tts":
        (preferred,) = (each for each in PREFERRED["tts"] if each.name == offer.engine)
        assert (preferred.model, preferred.files) == (offer.model, offer.files)
        assert {each.name for each in PREFERRED["tts"] if each.model is None} == {*offer.instead_of}
    elif offer.source == "hub":
        assert offer.settings == {"model_name": offer.model, "gguf": (offer.files or ("",))[0]}
