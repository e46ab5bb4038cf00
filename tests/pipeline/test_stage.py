"""Arguments of a stage that are swapped or missing are found by the type checker."""

import subprocess
import sys

from tests.command import ROOT

SWAPPED = """
from pipeline.channel import Channel, Message
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.stage import stage
from LLM.base import ChatModel
from LLM.chat import Chat
from LLM.handler import LanguageModelHandler
from S2S.base import SpeechResponder
from S2S.frame_handler import FrameHandler
from STT.base import Recognizer
from STT.handler import STTHandler
from TTS.base import Synthesizer
from TTS.handler import TTSHandler

def build(
    session: Session,
    line: Channel[Message],
    stt: SharedEngine[Recognizer],
    llm: SharedEngine[ChatModel],
    tts: SharedEngine[Synthesizer],
    s2s: SharedEngine[SpeechResponder],
    chat: Chat,
) -> TTSHandler:
    stop = session.stop_event
    stage(STTHandler, stop, line, line, session, stt)  # type: ignore[arg-type]
    stage(STTHandler, stop, line, line, tts, session)  # type: ignore[arg-type]
    stage(LanguageModelHandler, stop, line, line, llm, session, chat)  # type: ignore[arg-type]
    stage(LanguageModelHandler, stop, line, line, llm, chat)  # type: ignore[call-arg]
    stage(TTSHandler, stop, line, line, session, tts)  # type: ignore[arg-type]
    stage(FrameHandler, stop, line, line, s2s)  # type: ignore[arg-type]
    stage(STTHandler, stop, line, line, stt, session)
    return stage(TTSHandler, stop, line, line, tts, session=session)
"""
"""Each `type: ignore` has to be needed, and no other may be."""


def test_a_type_checker_finds_them() -> None:
    mypy = [sys.executable, "-m", "mypy", "--warn-unused-ignores", "-c", SWAPPED]
    checked = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert checked.returncode == 0, checked.stdout + checked.stderr
