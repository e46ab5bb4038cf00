"""Captions: each sentence of an answer begins with the audio in which it is heard."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.messages import AudioChunk
from S2S.base import SpokenPiece
from S2S.captions import CHARS_PER_S, LATE_S, Captions

RATE_HZ = 1000
SENTENCES = ("This is the first one. ", "And here is another. ", "Now it is over.")


def audio(seconds: float) -> AudioChunk:
    return AudioChunk(np.arange(round(seconds * RATE_HZ), dtype=np.float32), RATE_HZ)


def begins(pieces: Iterator[SpokenPiece]) -> list[tuple[str, float]]:
    """Each text, and the second of audio in which it begins."""
    at, found = 0.0, []
    for piece in pieces:
        if piece.text is not None:
            found.append((piece.text, round(at, 2)))
        at += len(piece.audio.samples) / RATE_HZ
    return found


@pytest.mark.parametrize("chunk_s", [0.01, 0.1, 6.0])
def test_all_words_first_and_then_the_audio(chunk_s: float) -> None:
    captions = Captions("en")
    captions.write("".join(SENTENCES))
    chunks = (captions.speak(audio(chunk_s)) for _ in range(round(6 / chunk_s)))
    found = begins(itertools.chain.from_iterable(chunks))
    assert [text for text, _ in found] == list(SENTENCES)
    lengths = [len(sentence) / CHARS_PER_S for sentence in SENTENCES[:-1]]
    starts = list(itertools.accumulate(lengths, initial=0.0))
    assert [at for _, at in found] == pytest.approx(starts, abs=0.02)


def test_no_sample_is_lost_or_changed() -> None:
    captions, whole = Captions(None), audio(6.0)
    captions.write("".join(SENTENCES))
    pieces = list(captions.speak(whole))
    assert len(pieces) > 1
    assert np.array_equal(np.concatenate([piece.audio.samples for piece in pieces]), whole.samples)


def test_a_sentence_waits_to_be_complete_but_not_for_long() -> None:
    captions = Captions("en")
    for piece in ("Hello", ", how", " are"):
        captions.write(piece)
    assert begins(captions.speak(audio(LATE_S - 0.1))) == []
    assert begins(captions.speak(audio(0.2))) == [("Hello, how ", 0.1)]
    captions.write(" you? Fine")
    assert begins(captions.speak(audio(1.0))) == [("are you? ", 0.63)]


def test_a_number_is_not_cut_at_its_point() -> None:
    captions = Captions("en")
    captions.write("It grew by 3.")
    found = begins(captions.speak(audio(LATE_S / 2)))
    captions.write("5 percent. Good. ")
    found += begins(captions.speak(audio(4)))
    assert [text for text, _ in found] == ["It grew by 3.5 percent. ", "Good. "]


def test_the_last_sentence_needs_no_next_one() -> None:
    captions = Captions("en")
    captions.write("Hello.")
    assert begins(captions.speak(audio(0.1))) == [("Hello.", 0.0)]


def test_words_that_come_after_their_audio_begin_with_the_next() -> None:
    captions = Captions("en")
    assert begins(captions.speak(audio(2.0))) == []
    captions.write("Late words. Others")
    assert begins(captions.speak(audio(0.1))) == [("Late words. ", 0.0)]


def test_the_rest_is_said_at_the_end() -> None:
    captions = Captions("en")
    captions.write("".join(SENTENCES))
    texts = [text for text, _ in begins(captions.speak(audio(0.5)))]
    (rest,) = captions.end()
    assert len(rest.audio.samples) == 0
    assert "".join((*texts, rest.text or "")) == "".join(SENTENCES)
    assert list(Captions("en").end()) == []


def test_a_script_without_spaces_takes_its_time() -> None:
    captions = Captions("zh")
    captions.write("你好，很高兴见到你。再见。")
    (_, (_, second)) = begins(captions.speak(audio(6.0)))
    assert second == pytest.approx(10 * 3 / CHARS_PER_S, abs=0.1)
