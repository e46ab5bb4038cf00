"""The TCP ports with an end-to-end engine behind them."""

import numpy as np

from pipeline.audio import from_pcm16
from S2S.base import UserWords
from testing.scripted_responder import ScriptedResponder, said
from testing.server import ScriptedServer
from tests.socket_clients import AUDIO, EVENT
from tests.socket_helpers import framed, raw


def test_our_client_gets_audio_and_the_words_of_both_sides() -> None:
    engine = ScriptedResponder([UserWords("How are you?"), said("Fine.")])
    with ScriptedServer(s2s=engine) as server, framed(server).welcomed() as client:
        client.ask()
        assert client.until(EVENT, "Transcript")[2]["text"] == "How are you?"
        turn, sample, audio = client.until(AUDIO)
        assert (turn, sample, len(audio)) == (1, 0, 640)
        done = client.until(EVENT, "TurnDone")[2]
        assert (done["user_text"], done["heard"]) == ("How are you?", "Fine.")


def test_a_raw_client_gets_audio() -> None:
    with ScriptedServer(s2s=ScriptedResponder([said(None, 500)])) as server, raw(server) as client:
        client.ask()
        reply = from_pcm16(client.receive(1024 * 10))
        assert np.allclose(reply[: 10 * 320], 0.3, atol=0.001)
