"""StreamingRecognizerContract: the contract of a recognizer that works while the user speaks."""

import itertools

import numpy as np
import pytest

from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import RecognizerStream, StreamingRecognizer
from testing.contracts import RecognizerContract


class StreamingRecognizerContract(RecognizerContract):
    """A recognizer's contract, for one that recognizes while the user speaks."""

    def test_it_states_how_much_it_computes_at_a_time(self, engine: StreamingRecognizer) -> None:
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
