"""Answers of transcription servers: another format is requested, every form of the words is read, and a
real failure is not hidden."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.errors import EngineError
from pipeline.turn import CancelToken
from STT.base import Transcription
from STT.openai_transcription import FORMATS, OpenAIRecognizer
from testing.contracts import speech_like
from testing.speech_server import Answer, SpeechServer

SPEECH = speech_like(16000)


@pytest.fixture(scope="module")
def running() -> Iterator[SpeechServer]:
    with SpeechServer() as server:
        yield server


@pytest.fixture
def server(running: SpeechServer) -> SpeechServer:
    running.requests.clear()
    running.transcripts, running.formats = {}, ("json", "verbose_json")
    return running


@pytest.fixture
def engine(server: SpeechServer) -> Iterator[OpenAIRecognizer]:
    recognizer = OpenAIRecognizer("m", base_url=server.base_url, retries=0)
    yield recognizer
    recognizer.close()


def hear(engine: OpenAIRecognizer) -> Transcription:
    return engine.transcribe(SPEECH, None, CancelToken())


def asked(server: SpeechServer) -> list[str | None]:
    """The formats requested since the last call."""
    formats = [request.get("response_format") for request in server.requests]
    server.requests.clear()
    return formats


def in_json(answer: Any) -> Answer:
    return Answer(json.dumps(answer).encode(), "application/json")


REFUSALS = {
    **{str(status): Answer(b"{}", "application/json", status) for status in (400, 404, 405, 406)},
    **{str(status): Answer(b"no", "text/plain", status) for status in (415, 422, 500, 501)},
    "a page": Answer(b"<!DOCTYPE html><p>Not here", "text/html"),
    "subtitles": Answer(b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello.", "text/vtt"),
    "other subtitles": Answer(b"1\n00:00:00,000 --> 00:00:01,000\nHello.", "text/plain"),
    "an event stream": Answer(b'data: {"delta": "Hello."}\n\n', "text/event-stream"),
    "JSON that is none": Answer(b"Hello.", "application/json"),
    "JSON without words": in_json({"status": "done"}),
    "a number": in_json({"text": 7}),
    "a list of numbers": in_json([1, 2]),
    "brackets too deep": Answer(b"[" * 100_000, "application/json"),
    "brackets too deep, called text": Answer(b"[" * 100_000, "text/plain"),
    "parts too deep": Answer(b"[" * 600 + b"]" * 600, "application/json"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("refused", [FORMATS[:1], FORMATS[:2]])
def test_a_format_that_is_refused_is_not_asked_for_again(
    server: SpeechServer, engine: OpenAIRecognizer, refusal: str, refused: tuple[str | None, ...]
) -> None:
    server.transcripts = dict.fromkeys(refused, REFUSALS[refusal])
    for _ in range(2):
        assert hear(engine) == Transcription("Some words.")
    first = [*refused, FORMATS[len(refused)]]
    assert asked(server) == [*first, first[-1]]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_of_all_formats_is_an_error_and_teaches_nothing(
    server: SpeechServer, engine: OpenAIRecognizer, refusal: str
) -> None:
    server.transcripts = dict.fromkeys(FORMATS, REFUSALS[refusal])
    with pytest.raises(EngineError):
        hear(engine)
    assert asked(server) == [*FORMATS]
    server.transcripts = {}
    assert hear(engine) == Transcription("Some words.", "en-auto")
    assert asked(server) == ["verbose_json"]


def test_a_server_that_changes_is_understood(server: SpeechServer, engine: OpenAIRecognizer) -> None:
    server.formats = ("json",)
    hear(engine)
    server.formats = ("verbose_json",)
    assert hear(engine) == Transcription("Some words.", "en-auto")
    assert asked(server) == ["verbose_json", "json", "json", "verbose_json"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (401, "unauthorized"),
        (403, "unauthorized"),
        (413, "engine_failed"),
        (429, "engine_failed"),
        (503, "engine_failed"),
        ("hang up", "unreachable"),
    ],
)
def test_a_real_failure_is_told_at_once(
    server: SpeechServer, engine: OpenAIRecognizer, failure: int | str, code: str
) -> None:
    server.failures = [failure]
    with pytest.raises(EngineError) as caught:
        hear(engine)
    assert caught.value.code == code
    assert asked(server) == ["verbose_json"]
    assert hear(engine) == Transcription("Some words.", "en-auto")


SILENT = {"no_speech_prob": 0.9, "avg_logprob": -1.3}
SPOKEN = {"no_speech_prob": 0.1, "avg_logprob": -0.3}

READ = {
    "text": (in_json({"text": " Hello. "}), "Hello."),
    "with a language": (in_json({"text": "Hello.", "language": None, "duration": 1.0}), "Hello."),
    "plain": (Answer(b"Hello.\n", "text/plain; charset=utf-8"), "Hello."),
    "plain without a type": (Answer(b"\xef\xbb\xbfHello."), "Hello."),
    "plain, in brackets": (Answer(b"[Bob] Hello.", "text/plain"), "[Bob] Hello."),
    "JSON called text": (Answer(b'{"text": "Hello."}', "text/plain"), "Hello."),
    "a JSON string": (in_json("Hello."), "Hello."),
    "transcription": (in_json({"transcription": "Hello."}), "Hello."),
    "transcript": (in_json({"transcript": "Hello."}), "Hello."),
    "parts": (in_json({"transcription": [{"text": " Hello,"}, {"text": " you."}]}), "Hello, you."),
    "segments": (in_json({"text": None, "segments": [{"text": "Hello."}]}), "Hello."),
    "results": (in_json({"results": [{"alternatives": [{"transcript": "Hello."}, {}]}]}), "Hello."),
    "channels": (
        in_json({"results": {"channels": [{"alternatives": [{"transcript": "Hello."}]}]}}),
        "Hello.",
    ),
    "no words": (in_json({"text": ""}), ""),
    "an annotation": (in_json({"text": " [BLANK_AUDIO]"}), ""),
    "a plain annotation": (Answer(b"[BLANK_AUDIO]\n", "text/plain"), ""),
    "half an emoji": (in_json({"text": "Hello \ud83d"}), "Hello \ufffd"),
    "an emoji in two": (Answer(rb'{"text": "Hello \ud83d\ude00"}', "application/json"), "Hello 😀"),
    "silence": (
        in_json(
            {"text": "Thanks for watching!", "segments": [{"text": "Thanks for watching!", **SILENT}]}
        ),
        "",
    ),
    "silence after words": (
        in_json(
            {
                "text": "Hello. Thanks for watching!",
                "segments": [{"text": " Hello.", **SPOKEN}, {"text": " Thanks for watching!", **SILENT}],
            }
        ),
        "Hello.",
    ),
    "thanks": (
        in_json(
            {"text": "Thanks for watching!", "segments": [{"text": "Thanks for watching!", **SPOKEN}]}
        ),
        "Thanks for watching!",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_the_words_are_read_in_every_form(
    server: SpeechServer, engine: OpenAIRecognizer, name: str
) -> None:
    answer, words = READ[name]
    server.transcripts = {"verbose_json": answer}
    assert hear(engine) == Transcription(words)
    assert asked(server) == ["verbose_json"]


NOTHING = {
    "null": in_json({"text": None}),
    "an empty body": Answer(b"", "text/plain"),
    "null alone": in_json(None),
}


@pytest.mark.parametrize("nothing", NOTHING)
def test_nothing_in_place_of_the_words_is_not_trusted_at_once(
    server: SpeechServer, engine: OpenAIRecognizer, nothing: str
) -> None:
    server.transcripts = {"verbose_json": NOTHING[nothing]}
    assert hear(engine) == Transcription("Some words.")
    server.transcripts = dict.fromkeys(FORMATS, NOTHING[nothing])
    assert hear(engine) == Transcription("")
    server.transcripts["json"] = REFUSALS["422"]
    assert hear(engine) == Transcription("")
