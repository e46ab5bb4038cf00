"""ChatTTS over a tiny random model."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ChatTTS", reason="pip install -e '.[chattts]'")

import ChatTTS.core

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract
from tests.extras.tiny_chattts import tiny_chattts
from TTS import chattts
from TTS.chattts import ChatTtsSynthesizer

pytestmark = pytest.mark.filterwarnings("ignore")  # torch deprecates what ChatTTS and Vocos use


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package knows one set of sizes and of checksums. Random weights do not end by themselves."""
    folder = tmp_path_factory.mktemp("chattts")
    config = tiny_chattts(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChatTTS.core, "Config", lambda: config)
        patch.setattr(ChatTTS.core, "check_all_assets", lambda *args, **settings: True)
        patch.setattr(chattts, "TOKENS_A_LETTER", 0.5)
        yield folder


@pytest.fixture(scope="module")
def synthesizer(folder: Path) -> ChatTtsSynthesizer:
    return ChatTtsSynthesizer("cpu", str(folder))


class TestChatTtsPatchedToTakeATinyModelWithoutChecksums(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: ChatTtsSynthesizer) -> ChatTtsSynthesizer:
        return synthesizer


def test_patched_audio_comes_in_chunks_of_the_size_asked_for(synthesizer: ChatTtsSynthesizer) -> None:
    chunks = list(synthesizer.synthesize("Hello there.", None, None, CancelToken()))
    assert {len(chunk.samples) for chunk in chunks[:-1]} >= {512}
    assert max(len(chunk.samples) for chunk in chunks) == 512


def test_patched_a_sentence_can_be_made_as_a_whole(folder: Path) -> None:
    engine = ChatTtsSynthesizer("cpu", str(folder), stream=False, chunk_size=10**9)
    (chunk,) = engine.synthesize("Hello there.", None, None, CancelToken())
    assert len(chunk.samples) > 12000


def test_patched_cancelled_in_mid_sentence_it_stops(synthesizer: ChatTtsSynthesizer) -> None:
    cancel = CancelToken()
    samples = 0
    for chunk in synthesizer.synthesize(LONG_TEXT, None, None, cancel):
        samples += len(chunk.samples)
        cancel.cancel()
    assert 0 < samples < 24000 * 10


def test_patched_a_number_is_a_speaker(folder: Path, synthesizer: ChatTtsSynthesizer) -> None:
    other = ChatTtsSynthesizer("cpu", str(folder), voice="speaker-7")
    assert other._speaker("speaker-7") == synthesizer._speaker("speaker-7")
    assert other._speaker("speaker-7") != other._speaker("speaker-8")
    assert len(next(other.synthesize("Hello.", "speaker-8", None, CancelToken())).samples)
    with pytest.raises(EngineError, match="expected a voice such as speaker-7"):
        other.expect_voice("alice")


def test_patched_a_speaker_is_drawn_for_each_program(folder: Path) -> None:
    voices = {ChatTtsSynthesizer("cpu", str(folder)).info.voices for _ in range(3)}
    assert len(voices) > 1, "one chance in a hundred million to be the same"


def test_files_with_other_checksums_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ChatTTS.utils import check_all_assets

    monkeypatch.setattr(ChatTTS.core, "check_all_assets", check_all_assets)
    with pytest.raises(UserError, match="expected the files of ChatTTS"):
        ChatTtsSynthesizer("cpu", str(folder))


def test_patched_a_voice_that_is_no_number_is_told_at_start(folder: Path) -> None:
    with pytest.raises(UserError, match="--tts_voice: expected a voice such as"):
        ChatTtsSynthesizer("cpu", str(folder), voice="alice")
