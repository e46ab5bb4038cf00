"""Contracts: tests that every engine of a kind must pass. Derive a test class and give it an engine:

class TestMyRecognizer(RecognizerContract):
@pytest.fixture(scope="class")
@classmethod
def engine(cls): return MyRecognizer()
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest

import pipeline.shared_engine
from pipeline.errors import EngineError
from pipeline.language import ANY, plain
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken

if TYPE_CHECKING:  # where Coqui's package is installed, TTS is that one
    from LLM.base import ChatModel
    from LLM.thoughts import Piece
    from STT.base import Recognizer, RecognizerStream, StreamingRecognizer
    from TTS.base import Synthesizer
    from VAD.base import VoiceDetector

P = TypeVar("P")

SOON_S = 20.0
"""A cancelled call is over by then on the slowest machine; none of these tests measures time."""

LONG_TEXT = "This sentence goes on, and on, and on, since nobody has told it to stop. " * 20


def speech_like(rate_hz: int, seconds: float = 1.0) -> Samples:
    """Something loud that is no speech."""
    noise = np.random.default_rng(0).normal(0, 0.1, int(rate_hz * seconds))
    return noise.clip(-1, 1).astype(np.float32)


MAX_PEAK = 10
"""Peaks over 1 are limited at playout; far higher ones are not floats in [-1, 1] at all."""


def check_chunk(chunk: AudioChunk) -> None:
    """Check the form of a piece of audio."""
    assert chunk.samples.dtype == np.float32
    assert chunk.samples.ndim == 1
    assert chunk.sample_rate_hz >= 8000
    assert np.isfinite(chunk.samples).all()
    assert np.abs(chunk.samples).max(initial=0) < MAX_PEAK


def chunks_of(results: Iterable[AudioChunk | Notice]) -> list[AudioChunk]:
    """The audio, without the notices."""
    return [result for result in results if isinstance(result, AudioChunk)]


class _ManyCallers:
    """Setup for tests with more callers than slots."""

    @pytest.fixture
    def patient_callers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let each caller wait for all before it: after `SLOT_WAIT_S` a user has given up, and eight
        calls of a large model take longer on a busy machine."""
        monkeypatch.setattr(pipeline.shared_engine, "SLOT_WAIT_S", 8 * SOON_S)


class VoiceDetectorContract:
    """`engine` is a fresh or shared detector."""

    def test_it_takes_its_windows_and_gives_probabilities(self, engine: VoiceDetector) -> None:
        stream = engine.open()
        noise = speech_like(engine.sample_rate_hz)
        for start in range(0, len(noise) - engine.window_samples, engine.window_samples):
            probability = stream.probability(noise[start : start + engine.window_samples])
            assert 0 <= probability <= 1

    def test_digital_silence_is_no_speech(self, engine: VoiceDetector) -> None:
        stream, silence = engine.open(), np.zeros(engine.window_samples, np.float32)
        assert max(stream.probability(silence) for _ in range(30)) < 0.3

    def test_conversations_do_not_hear_each_other(self, engine: VoiceDetector) -> None:
        alone, disturbed, other = engine.open(), engine.open(), engine.open()
        quiet = np.full(engine.window_samples, 1e-4, np.float32)
        loud = speech_like(engine.sample_rate_hz)[: engine.window_samples]
        for _ in range(10):
            expected = alone.probability(quiet)
            other.probability(loud)
            assert disturbed.probability(quiet) == expected

    def test_windows_of_many_are_judged_as_one_by_one(self, engine: VoiceDetector) -> None:
        size, audio = engine.window_samples, speech_like(engine.sample_rate_hz)
        alone, together = ([engine.open() for _ in range(3)] for _ in range(2))
        for start in range(0, 10 * size, size):
            windows = [level * audio[start : start + size] for level in (0.1, 0.5, 1.0)]
            expected = [
                stream.probability(window) for stream, window in zip(alone, windows, strict=True)
            ]
            assert engine.judge(together, windows) == pytest.approx(expected, abs=1e-4)

    def test_reset_forgets(self, engine: VoiceDetector) -> None:
        stream = engine.open()
        window = speech_like(engine.sample_rate_hz)[: engine.window_samples]
        first = stream.probability(window)
        stream.probability(window)
        stream.reset()
        assert stream.probability(window) == first


class RecognizerContract(_ManyCallers):
    """`engine` is a loaded recognizer."""

    def test_it_states_what_it_is(self, engine: Recognizer) -> None:
        assert engine.info.name
        assert engine.info.slots >= 1
        assert engine.info.sample_rate_hz in (8000, 16000, 24000)
        assert engine.info.languages

    @pytest.mark.parametrize("samples", [0, 1, 100, 16000])
    def test_silence_of_any_length_is_no_error(self, engine: Recognizer, samples: int) -> None:
        heard = engine.transcribe(np.zeros(samples, np.float32), None, CancelToken())
        assert isinstance(heard.text, str)

    def test_noise_and_full_scale_are_no_error(self, engine: Recognizer) -> None:
        loud = np.sign(speech_like(engine.info.sample_rate_hz)).astype(np.float32)
        assert isinstance(engine.transcribe(loud, None, CancelToken()).text, str)

    def test_what_is_no_number_is_no_error(self, engine: Recognizer) -> None:
        broken = speech_like(engine.info.sample_rate_hz)
        broken[::3], broken[1::3] = np.nan, np.inf
        assert isinstance(engine.transcribe(broken, None, CancelToken()).text, str)

    def languages_to_try(self, engine: Recognizer) -> set[str]:
        """A few of its languages; if each is a model of its own, those that are installed."""
        return {*engine.info.languages[:3], *engine.info.languages[-1:]} - {ANY}

    def test_each_of_its_languages_is_taken(self, engine: Recognizer, spoken: Samples) -> None:
        for language in self.languages_to_try(engine):
            heard = engine.transcribe(spoken, language, CancelToken())
            assert heard.language is None or plain(heard.language) == language

    def test_a_call_that_was_cancelled_before_it_began_is_over_soon(
        self, engine: Recognizer, spoken: Samples
    ) -> None:
        """`spoken` is a fixture of the test class: speech that this recognizer understands."""
        cancel = CancelToken()
        cancel.cancel()
        whole = engine.transcribe(spoken, None, CancelToken()).text
        assert len(engine.transcribe(spoken, None, cancel).text) < len(whole)

    def test_what_it_says_of_the_language_may_be_said_to_it(
        self, engine: Recognizer, spoken: Samples
    ) -> None:
        heard = engine.transcribe(spoken, None, CancelToken())
        again = engine.transcribe(spoken, heard.language, CancelToken())
        assert (again.text, again.language) == (heard.text, heard.language)

    @pytest.mark.usefixtures("patient_callers")
    def test_two_callers_get_each_their_own_words(self, engine: Recognizer, spoken: Samples) -> None:
        shared: SharedEngine[Recognizer] = SharedEngine(engine)
        expected = engine.transcribe(spoken, None, CancelToken()).text
        assert expected
        results: list[str] = []

        def call() -> None:
            heard = shared.call(lambda e, c: e.transcribe(spoken, None, c), CancelToken())
            results.append(heard.text if heard else "nothing")

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(SOON_S)
        assert results == [expected] * 4


class StreamingRecognizerContract(RecognizerContract):
    """A recognizer's contract, for one that recognizes while the user speaks."""

    def test_it_states_how_much_it_computes_at_a_time(self, engine: StreamingRecognizer) -> None:
        from STT.base import StreamingRecognizer

        assert isinstance(engine, StreamingRecognizer)
        assert 0 < engine.info.chunk_samples <= 2 * engine.info.sample_rate_hz

    @pytest.mark.parametrize("ms", [0, 10, 137, 500, 2000])
    def test_a_stream_hears_what_is_heard_at_once(
        self, engine: StreamingRecognizer, spoken: Samples, ms: int
    ) -> None:
        """However it is cut, one sample at a time (0 ms) as well; and what was given of it stays."""
        rate_hz, whole = engine.info.sample_rate_hz, engine.transcribe(spoken, None, CancelToken())
        stream, block = engine.open(None), max(1, ms * rate_hz // 1000)
        shown = [""]
        first = spoken[: rate_hz // 4] if ms == 0 else spoken
        for start in range(0, len(first), block):
            shown.append(stream.feed(first[start : start + block], CancelToken()))
        shown.append(stream.feed(spoken[len(first) :], CancelToken()))
        assert stream.finish(CancelToken()) == whole
        for earlier, later in itertools.pairwise([*shown, whole.text]):
            assert later.startswith(earlier)
        assert ms not in (10, 137) or any(shown), "nothing was heard before the end"

    def test_streams_do_not_hear_each_other(self, engine: StreamingRecognizer, spoken: Samples) -> None:
        other = spoken[::-1].copy()
        expected = [engine.transcribe(audio, None, CancelToken()).text for audio in (spoken, other)]
        streams, block = [engine.open(None), engine.open(None)], engine.info.sample_rate_hz // 5
        for start in range(0, len(spoken), block):
            for stream, audio in zip(streams, (spoken, other), strict=True):
                stream.feed(audio[start : start + block], CancelToken())
        assert [stream.finish(CancelToken()).text for stream in streams] == expected
        assert expected[0] != expected[1]

    def test_a_fork_goes_its_own_way(self, engine: StreamingRecognizer, spoken: Samples) -> None:
        stream, half = engine.open(None), len(spoken) // 2
        stream.feed(spoken[:half], CancelToken())
        fork = stream.fork()
        if fork is None:
            pytest.skip("its state cannot be copied")
        expected = engine.transcribe(spoken[:half], None, CancelToken()).text
        assert fork.finish(CancelToken()).text == expected
        stream.feed(spoken[half:], CancelToken())
        assert stream.finish(CancelToken()) == engine.transcribe(spoken, None, CancelToken())

    def test_a_stream_without_audio_is_no_error(self, engine: StreamingRecognizer) -> None:
        assert engine.open(None).finish(CancelToken()).text == ""
        stream = engine.open(None)
        assert stream.feed(np.zeros(0, np.float32), CancelToken()) == ""
        assert stream.finish(CancelToken()).text == ""

    def test_a_stream_takes_broken_samples(self, engine: StreamingRecognizer, spoken: Samples) -> None:
        stream = engine.open(None)
        stream.feed(np.full(3 * engine.info.chunk_samples, np.nan, np.float32), CancelToken())
        stream.feed(1000 * spoken, CancelToken())
        assert isinstance(stream.finish(CancelToken()).text, str)

    def test_a_stream_that_is_cancelled_is_over_soon(
        self, engine: StreamingRecognizer, spoken: Samples
    ) -> None:
        whole = engine.transcribe(spoken, None, CancelToken()).text
        cancel = CancelToken()
        stream: RecognizerStream = engine.open(None)
        cancel.cancel()
        assert len(stream.feed(spoken, cancel)) < len(whole) / 2
        assert len(stream.finish(cancel).text) < len(whole) / 2
        assert engine.transcribe(spoken, None, CancelToken()).text == whole


class ChatModelContract:
    """`engine` is a chat model that can answer; `slow_engine`, where given, one that takes its time."""

    MESSAGES = (ChatMessage("system", "Be brief."), ChatMessage("user", "Hello, I am well."))

    def test_it_says_whether_it_takes_tools(self, engine: ChatModel) -> None:
        assert engine.info.takes_tools in (True, False)

    def test_it_says_whether_it_hears(self, engine: ChatModel) -> None:
        assert engine.info.hears in (True, False)

    def test_it_answers_in_pieces_of_text(self, engine: ChatModel) -> None:
        assert _text(engine.generate(self.MESSAGES, CancelToken())).strip()

    def test_it_takes_a_conversation(self, engine: ChatModel) -> None:
        messages = [*self.MESSAGES, ChatMessage("assistant", "Good."), ChatMessage("user", "Why?")]
        assert _text(engine.generate(messages, CancelToken())).strip()

    def test_cancelled_before_the_first_word_it_is_over_soon(self, engine: ChatModel) -> None:
        cancel = CancelToken()
        whole = _text(engine.generate(self.MESSAGES, CancelToken()))
        cancel.cancel()
        cut = _text(run_to_end(engine.generate(self.MESSAGES, cancel)))
        assert len(cut) < len(whole) / 2

    def test_closed_in_mid_answer_it_can_be_called_again(self, engine: ChatModel) -> None:
        answer = engine.generate(self.MESSAGES, CancelToken())
        next(answer)
        answer.close()  # type: ignore[attr-defined]
        assert _text(engine.generate(self.MESSAGES, CancelToken())).strip()


class SynthesizerContract(_ManyCallers):
    """`engine` is a loaded synthesizer."""

    def test_it_states_what_it_is(self, engine: Synthesizer) -> None:
        assert engine.info.name
        assert engine.info.slots >= 1
        assert engine.info.sample_rate_hz >= 8000
        assert engine.info.languages

    def test_it_can_speak_with_the_voices_that_it_states(self, engine: Synthesizer) -> None:
        assert isinstance(engine.info.voices, tuple)
        assert len(set(engine.info.voices)) == len(engine.info.voices)
        for voice in {*engine.info.voices[:3], *engine.info.voices[-3:]}:
            engine.expect_voice(voice)
            chunks = chunks_of(engine.synthesize("Hello.", voice, None, CancelToken()))
            assert sum(len(chunk.samples) for chunk in chunks) > 0, voice

    def test_a_voice_that_it_has_not_is_told(self, engine: Synthesizer) -> None:
        with pytest.raises(EngineError, match=r"expected .*, got") as caught:
            engine.expect_voice("no voice of anybody")
        assert caught.value.code == "unknown_voice"

    def test_it_speaks(self, engine: Synthesizer) -> None:
        chunks = chunks_of(engine.synthesize("Hello, how are you today?", None, None, CancelToken()))
        for chunk in chunks:
            check_chunk(chunk)
            assert chunk.sample_rate_hz == engine.info.sample_rate_hz
        audio = np.concatenate([chunk.samples for chunk in chunks])
        assert 0.5 < len(audio) / engine.info.sample_rate_hz < 10
        assert np.abs(audio).max() > 0.05, "silence is no speech"

    @pytest.mark.parametrize("text", ["", " ", "...", "😀", "x", "\x00", "<b>&amp;", LONG_TEXT])
    def test_any_text_is_no_error(self, engine: Synthesizer, text: str) -> None:
        for chunk in chunks_of(engine.synthesize(text, None, None, CancelToken())):
            check_chunk(chunk)

    def languages_to_try(self, engine: Synthesizer) -> set[str]:
        """A few of its languages; if each is a model of its own, those that are installed."""
        return {*engine.info.languages[:3], *engine.info.languages[-1:]} - {ANY}

    def test_each_of_its_languages_is_spoken(self, engine: Synthesizer) -> None:
        for language in self.languages_to_try(engine):
            for chunk in chunks_of(engine.synthesize("1, 2, 3.", None, language, CancelToken())):
                check_chunk(chunk)

    def test_cancelled_before_the_first_audio_it_is_over_soon(self, engine: Synthesizer) -> None:
        cancel = CancelToken()
        cancel.cancel()
        cut = sum(len(c.samples) for c in chunks_of(engine.synthesize(LONG_TEXT, None, None, cancel)))
        said = 0
        for result in engine.synthesize(LONG_TEXT, None, None, CancelToken()):
            said += len(result.samples) if isinstance(result, AudioChunk) else 0
            if cut < said / 2:  # as it is of the whole, which would take its time
                return
        pytest.fail(f"expected less than half of the audio, got {cut} of {said} samples")

    def test_closed_in_mid_sentence_it_can_be_called_again(self, engine: Synthesizer) -> None:
        speech = engine.synthesize(LONG_TEXT, None, None, CancelToken())
        next(speech)
        speech.close()  # type: ignore[attr-defined]
        assert chunks_of(engine.synthesize("Hello.", None, None, CancelToken()))

    @pytest.mark.usefixtures("patient_callers")
    def test_many_callers_are_served(self, engine: Synthesizer) -> None:
        shared: SharedEngine[Synthesizer] = SharedEngine(engine)
        lengths: list[int] = []

        def call() -> None:
            speech = shared.stream(
                lambda e, c: e.synthesize("Hello there.", None, None, c), CancelToken()
            )
            lengths.append(sum(len(chunk.samples) for chunk in chunks_of(speech)))

        callers = [threading.Thread(target=call) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(SOON_S)
        assert len(lengths) == 8
        assert min(lengths) > 0


def run_to_end(pieces: Iterator[P]) -> list[P]:
    """Collect all pieces, on a thread that must end soon."""
    collected: list[P] = []
    thread = threading.Thread(target=lambda: collected.extend(pieces), daemon=True)
    thread.start()
    thread.join(SOON_S)
    assert not thread.is_alive(), "expected a cancelled call to end, it goes on"
    return collected


def _text(answer: Iterable[Piece]) -> str:
    pieces = list(answer)
    assert not any(isinstance(piece, ToolCall) for piece in pieces), "it was given no tools"
    return "".join(piece for piece in pieces if isinstance(piece, str))
