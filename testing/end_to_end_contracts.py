"""Contracts of the end-to-end engines; use them like those in contracts.py."""

import contextlib
import threading
from collections.abc import Iterable

import numpy as np
import pytest

from pipeline.errors import EngineBusy, EngineError
from pipeline.messages import AudioChunk, Samples
from pipeline.settings import SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from S2S.base import Answer, DuplexModel, DuplexStream, Question, SpeechResponder, SpokenPiece
from testing.contracts import SOON_S, check_chunk, run_to_end, speech_like


class SpeechResponderContract:
    """A test class over this contract has a fixture `engine`: a loaded engine that answers turn by
    turn."""

    def question(self, engine: SpeechResponder, samples: Samples | None = None) -> Question:
        """A question; by default of loud noise."""
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
        """The samples are a single one, repeated without using memory."""
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
    """A test class over this contract has a fixture `engine`: a loaded full-duplex model without an open
    conversation."""

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
        """Feed all of `samples` in frames; check the answers, and return their lengths."""
        lengths = []
        for frame in samples.reshape(-1, engine.info.frame_samples):
            answer, text = stream.answer(frame)
            check_chunk(AudioChunk(answer, engine.info.sample_rate_hz))
            assert text is None or (isinstance(text, str) and text)
            lengths.append(len(answer))
        return lengths


def _spoken(answer: Iterable[Answer]) -> Samples:
    """The sound of an answer."""
    pieces = [piece for piece in answer if isinstance(piece, SpokenPiece)]
    for piece in pieces:
        check_chunk(piece.audio)
    return np.concatenate([np.empty(0, np.float32), *(piece.audio.samples for piece in pieces)])
