"""The mistakes in the body of a request, in words that quote nothing of it."""

import json
from typing import Any

import pytest

from connections.access.http_errors import BadParameter
from connections.access.http_json import understood
from connections.openai_audio.speech_request import SpeechRequest

GOOD = {"model": "tts-1", "input": "Hello."}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"response_format": "sEcReT"}, "response_format: expected mp3, "),
        ({"response_format": "sEcReT"}, ", got another text"),
        ({"response_format": 3}, ", got a number"),
        ({"input": ""}, "input: expected 1 character or more, got 0"),
        ({"input": "x" * 5000}, "input: expected 4096 characters or fewer, got 5000"),
        ({"input": ["sEcReT"]}, "input: expected a text, got a list"),
        ({"speed": "sEcReT"}, "speed: expected a number, got a text"),
        ({"sound": "sEcReT"}, "sound: expected a field of this API, got an unknown one"),
    ],
)
def test_a_mistake_says_what_was_expected_and_what_came(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadParameter) as refused:
        understood(SpeechRequest, json.dumps(GOOD | fields).encode())
    assert said in str(refused.value)
    assert "sEcReT" not in str(refused.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"model": "tts-1"}', "input: expected a value, got none"),
        (b"{", "body: expected JSON, got something else"),
    ],
)
def test_a_body_that_lacks_something(body: bytes, said: str) -> None:
    with pytest.raises(BadParameter) as refused:
        understood(SpeechRequest, body)
    assert str(refused.value) == said
