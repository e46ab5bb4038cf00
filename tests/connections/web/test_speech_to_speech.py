"""The page's WebSocket with an end-to-end engine behind it."""

from S2S.base import UserWords
from S2S.tone import LABEL, ToneResponder
from testing.scripted_responder import ScriptedResponder, said
from testing.server import ScriptedWebServer
from tests.web_client import WebClient


def texts(client: WebClient, event: str) -> list[str]:
    return [message["text"] for message in client.messages if message.get("event") == event]


def test_speech_typed_text_and_a_voice() -> None:
    engine = ScriptedResponder([UserWords("How are you?"), said("Fine.")], [said("It is late.")])
    with ScriptedWebServer(s2s=engine) as server, WebClient(server.port) as client:
        client.ask()
        client.until("TurnDone")
        client.send("settings", voice="low", language="te")
        client.send("respond", text="And you?")
        client.until("TurnDone")
    assert texts(client, "Transcript") == ["How are you?"]
    assert texts(client, "ReplyText") == ["Fine.", "It is late."]
    assert client.audio
    spoken, typed = engine.questions
    assert (len(spoken.samples) > 0, spoken.text) == (True, "")
    assert (typed.text, typed.settings.voice, typed.settings.language) == ("And you?", "low", "te")
    assert [message.content for message in typed.messages[1:]] == ["How are you?", "Fine."]


def test_a_tone_shows_no_words_of_the_user_and_takes_none() -> None:
    with ScriptedWebServer(s2s=ToneResponder()) as server, WebClient(server.port) as client:
        client.ask()
        assert client.until("TurnDone")["user_text"] == ""
        client.send("respond", text="typed")
        error = client.until("error")
        assert (error["code"], error["about"]) == ("speech_only", "respond")
    assert texts(client, "Transcript") == []
    assert texts(client, "ReplyText") == [LABEL]
