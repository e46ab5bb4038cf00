"""DuplexModelContract: the tests that every duplex model must pass. Derive from it as from those in
testing/contracts.py."""

import numpy as np
import pytest

from pipeline.errors import EngineBusy, EngineError
from pipeline.messages import AudioChunk, Samples
from pipeline.settings import SessionSettings
from S2S.base import DuplexModel, DuplexStream
from testing.contracts import check_chunk, speech_like


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
