"""Zero-cost engines: what remains is our own overhead. The voice detector is the real one."""

from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from testing.fakes import ScriptedModel, ScriptedRecognizer, ScriptedSynthesizer
from utils.engines import Cascade, Engines
from VAD.silero import SileroDetector

REPLY = "One short reply."
"""160 ms of audio from the scripted synthesizer."""


def zero_cost_engines(reply: str = REPLY) -> Engines:
    """Silero, and three engines that answer at once."""
    slots = 64
    cascade = Cascade(
        SharedEngine(ScriptedRecognizer(slots=slots)),
        SharedEngine(ScriptedModel(reply, slots=slots)),
        SharedEngine(ScriptedSynthesizer(slots=slots, block_ms=1000)),
    )
    return Engines(SileroDetector(), EndpointerSettings(), cascade)
