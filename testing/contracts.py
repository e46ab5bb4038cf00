"""Contracts: tests that every engine of a kind must pass. Derive a test class and give it an engine:

class TestMyRecognizer(RecognizerContract):
@pytest.fixture(scope="class")
@classmethod
def engine(cls): return MyRecognizer()
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pytest

from pipeline.errors import EngineBusy, EngineError
from pipeline.language import ANY, plain
from pipeline.messages import AudioChunk, ChatMessage, Notice, Samples, ToolCall
from pipeline.settings import SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece

if TYPE_CHECKING:  # where Coqui's package is installed, TTS is that one
    from LLM.base import ChatModel
    from LLM.thoughts import Piece
    from S2S.base import Answer, DuplexModel, DuplexStream, SpeechResponder
    from STT.base import Recognizer
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


def check_chunk(chunk: AudioChunk) -> None:
    """Check the form of a piece of audio."""
    assert chunk.samples.dtype == np.float32
    assert chunk.samples.ndim == 1
    assert chunk.sample_rate_hz >= 8000
    assert np.isfinite(chunk.samples).all()
    assert np.abs(chunk.samples).max(initial=0) <= 1


def chunks_of(results: Iterable[AudioChunk | Notice]) -> list[AudioChunk]:
    """The audio, without the notices."""
    return [result for result in results if isinstance(result, AudioChunk)]


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


class RecognizerContract:
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


class SynthesizerContract:
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
        whole = sum(
            len(c.samples) for c in chunks_of(engine.synthesize(LONG_TEXT, None, None, CancelToken()))
        )
        cut = sum(len(c.samples) for c in chunks_of(engine.synthesize(LONG_TEXT, None, None, cancel)))
        assert cut < whole / 2

    def test_closed_in_mid_sentence_it_can_be_called_again(self, engine: Synthesizer) -> None:
        speech = engine.synthesize(LONG_TEXT, None, None, CancelToken())
        next(speech)
        speech.close()  # type: ignore[attr-defined]
        assert chunks_of(engine.synthesize("Hello.", None, None, CancelToken()))

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


class SpeechResponderContract:
    """`engine` is a loaded speech-to-speech engine."""

    def question(self, engine: SpeechResponder, samples: Samples | None = None) -> Question:
        """A question; by default something loud."""
        samples = speech_like(engine.info.sample_rate_hz) if samples is None else samples
        return Question(samples, SessionSettings())

    def test_it_states_what_it_is(self, engine: SpeechResponder) -> None:
        assert engine.info.name
        assert engine.info.slots >= 1
        assert engine.info.sample_rate_hz >= 8000
        assert engine.info.languages

    def test_it_answers_speech_with_speech(self, engine: SpeechResponder) -> None:
        assert len(_spoken(engine.respond(self.question(engine), CancelToken()))) > 0

    def test_it_answers_typed_words_if_it_takes_them(self, engine: SpeechResponder) -> None:
        if engine.info.takes_text:
            question = Question(np.empty(0, np.float32), SessionSettings(), "Hello, I am well.")
            assert len(_spoken(engine.respond(question, CancelToken()))) > 0

    @pytest.mark.parametrize("samples", [0, 1, 100, 16000])
    def test_silence_of_any_length_is_no_error(self, engine: SpeechResponder, samples: int) -> None:
        silence = np.zeros(samples, np.float32)
        _spoken(engine.respond(self.question(engine, silence), CancelToken()))

    def test_what_is_no_number_is_no_error(self, engine: SpeechResponder) -> None:
        broken = 1000 * speech_like(engine.info.sample_rate_hz)
        broken[::3], broken[1::3] = np.nan, np.inf
        _spoken(engine.respond(self.question(engine, broken), CancelToken()))

    def test_an_hour_is_answered_or_refused(self, engine: SpeechResponder) -> None:
        """The samples are one, repeated without taking any memory."""
        hour = np.broadcast_to(np.float32(0.1), 3600 * engine.info.sample_rate_hz)
        with contextlib.suppress(EngineError):
            _spoken(engine.respond(self.question(engine, hour), CancelToken()))
        self.test_it_answers_speech_with_speech(engine)

    def test_it_knows_the_voices_that_it_states(self, engine: SpeechResponder) -> None:
        assert len(set(engine.info.voices)) == len(engine.info.voices)
        for voice in {*engine.info.voices[:3], *engine.info.voices[-3:]}:
            engine.expect_voice(voice)

    def test_a_voice_that_it_has_not_is_told(self, engine: SpeechResponder) -> None:
        with pytest.raises(EngineError, match=r"expected .*, got") as caught:
            engine.expect_voice("no voice of anybody")
        assert caught.value.code == "unknown_voice"

    def test_cancelled_before_the_first_output_it_is_over_soon(self, engine: SpeechResponder) -> None:
        cancel = CancelToken()
        cancel.cancel()
        assert len(run_to_end(engine.respond(self.question(engine), cancel))) <= 1

    def test_cancelled_in_mid_answer_it_is_over_soon(self, engine: SpeechResponder) -> None:
        cancel = CancelToken()
        answer = engine.respond(self.question(engine), cancel)
        next(answer)
        cancel.cancel()
        run_to_end(answer)
        self.test_it_answers_speech_with_speech(engine)

    def test_closed_in_mid_answer_it_can_be_called_again(self, engine: SpeechResponder) -> None:
        answer = engine.respond(self.question(engine), CancelToken())
        next(answer)
        answer.close()  # type: ignore[attr-defined]
        self.test_it_answers_speech_with_speech(engine)

    def test_more_callers_than_slots_are_served(self, engine: SpeechResponder) -> None:
        shared: SharedEngine[SpeechResponder] = SharedEngine(engine)
        question, lengths = self.question(engine), list[int]()

        def call() -> None:
            answer = shared.stream(lambda e, c: e.respond(question, c), CancelToken())
            lengths.append(len(_spoken(answer)))

        callers = [threading.Thread(target=call) for _ in range(engine.info.slots + 2)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(SOON_S)
        assert len(lengths) == len(callers)
        assert min(lengths) > 0


class DuplexModelContract:
    """`engine` is a loaded duplex model without a conversation."""

    FRAMES = 100

    def test_it_states_what_it_is(self, engine: DuplexModel) -> None:
        info = engine.info
        assert info.name
        assert info.slots >= 1
        assert info.sample_rate_hz >= 8000
        assert 0 < info.frame_samples <= info.sample_rate_hz

    def test_a_frame_in_is_a_frame_out(self, engine: DuplexModel) -> None:
        stream = engine.open(SessionSettings())
        lengths = self._lengths(engine, stream, speech_like(engine.info.frame_samples, self.FRAMES))
        stream.close()
        late = sum(length == 0 for length in lengths)
        assert lengths == [0] * late + [engine.info.frame_samples] * (self.FRAMES - late)
        assert late < self.FRAMES / 2

    def test_as_many_conversations_as_it_states_and_no_more(self, engine: DuplexModel) -> None:
        streams = [engine.open(SessionSettings()) for _ in range(engine.info.slots)]
        with pytest.raises(EngineBusy, match="busy") as caught:
            engine.open(SessionSettings())
        assert caught.value.code == "busy"
        silence = np.zeros(engine.info.frame_samples, np.float32)
        for stream in streams:
            self._lengths(engine, stream, silence)
            stream.close()

    def test_a_conversation_that_is_closed_frees_its_state_once(self, engine: DuplexModel) -> None:
        for _ in range(2 * engine.info.slots + 1):
            stream = engine.open(SessionSettings())
            stream.close()
            stream.close()
        self.test_as_many_conversations_as_it_states_and_no_more(engine)

    def test_a_voice_that_it_has_not_is_told_and_takes_no_state(self, engine: DuplexModel) -> None:
        for _ in range(engine.info.slots):
            with pytest.raises(EngineError, match=r"expected .*, got") as caught:
                engine.open(SessionSettings(voice="no voice of anybody"))
            assert caught.value.code == "unknown_voice"
        self.test_as_many_conversations_as_it_states_and_no_more(engine)

    def test_each_of_its_voices_is_taken(self, engine: DuplexModel) -> None:
        for voice in engine.info.voices:
            engine.open(SessionSettings(voice=voice)).close()

    def test_silence_and_broken_samples_are_no_error_and_do_not_last(self, engine: DuplexModel) -> None:
        stream, size = engine.open(SessionSettings()), engine.info.frame_samples
        broken = speech_like(size)
        broken[::3], broken[1::3] = np.nan, np.inf
        for frame in (np.zeros(size), broken, np.sign(speech_like(size)), 1000 * speech_like(size)):
            self._lengths(engine, stream, frame.astype(np.float32))
        self._lengths(engine, stream, speech_like(size, 10))
        stream.close()

    def _lengths(self, engine: DuplexModel, stream: DuplexStream, samples: Samples) -> list[int]:
        """Say all of `samples`; check the answers, and return their lengths."""
        lengths = []
        for frame in samples.reshape(-1, engine.info.frame_samples):
            answer, text = stream.answer(frame)
            check_chunk(AudioChunk(answer, engine.info.sample_rate_hz))
            assert text is None or (isinstance(text, str) and text)
            lengths.append(len(answer))
        return lengths


def run_to_end(pieces: Iterator[P]) -> list[P]:
    """Collect all pieces, on a thread that must end soon."""
    collected: list[P] = []
    thread = threading.Thread(target=lambda: collected.extend(pieces), daemon=True)
    thread.start()
    thread.join(SOON_S)
    assert not thread.is_alive(), "expected a cancelled call to end, it goes on"
    return collected


def _spoken(answer: Iterable[Answer]) -> Samples:
    """The sound of an answer."""
    pieces = [piece for piece in answer if isinstance(piece, SpokenPiece)]
    for piece in pieces:
        check_chunk(piece.audio)
    return np.concatenate([np.empty(0, np.float32), *(piece.audio.samples for piece in pieces)])


def _text(answer: Iterable[Piece]) -> str:
    pieces = list(answer)
    assert not any(isinstance(piece, ToolCall) for piece in pieces), "it was given no tools"
    return "".join(piece for piece in pieces if isinstance(piece, str))
