"""Pipecat behind a WebSocket, with zero-cost parts: its own VAD and turns, and a tone as the answer.

Runs in its own environment, with `pipecat-ai[silero,websocket]==1.14.0` and `uvicorn`. ``python -m
benchmarks.pipecat_server`` prints its port and serves until it is stopped.
"""

# mypy: ignore-errors
# Its imports are missing from the environment in which our types are checked.

import socket
import struct

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams, VADState
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    OutputAudioRawFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

RATE_HZ = 16000
STOP_S = 0.5
"""Pause that ends an utterance: 16 windows of 32 ms, here as in our endpointer."""


class Analyzer(SileroVADAnalyzer):
    """Pipecat's Silero, which also records after how many samples it last decided that speech was
    over."""

    def __init__(self) -> None:
        super().__init__(params=VADParams(stop_secs=STOP_S))
        self.decided = 0
        self._windows = 0
        self._state = VADState.QUIET

    def voice_confidence(self, buffer: bytes) -> float:
        self._windows += 1
        return super().voice_confidence(buffer)

    async def analyze_audio(self, buffer: bytes) -> VADState:
        before, self._state = self._state, await super().analyze_audio(buffer)
        if before is VADState.STOPPING and self._state is VADState.QUIET:
            self.decided = self._windows * self.num_frames_required()
        return self._state


class Pcm(FrameSerializer):
    """Plain int16; outgoing packets begin with the number of samples after which the VAD decided."""

    def __init__(self, analyzer: Analyzer) -> None:
        super().__init__()
        self._analyzer = analyzer

    async def serialize(self, frame: Frame) -> bytes | None:
        if isinstance(frame, OutputAudioRawFrame):
            return struct.pack("<Q", self._analyzer.decided) + frame.audio
        return None

    async def deserialize(self, data: bytes) -> Frame:
        return InputAudioRawFrame(data, RATE_HZ, 1)


class Transcriber(FrameProcessor):
    """Replaces a recognizer: the words are there as soon as the speech is over."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            await self.push_frame(TranscriptionFrame("words", "", "", finalized=True))


class Answerer(FrameProcessor):
    """Replaces a language model and a voice: at the end of a turn it sends a constant at once."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self._tone = np.full(seconds * RATE_HZ, 3000, "<i2").tobytes()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            await self.push_frame(TTSStartedFrame())
            await self.push_frame(TTSAudioRawFrame(self._tone, RATE_HZ, 1))
            await self.push_frame(TTSStoppedFrame())
        else:
            await self.push_frame(frame, direction)


app = FastAPI()


@app.websocket("/{turns_end_by}/{reply_s}")
async def converse(websocket: WebSocket, turns_end_by: str, reply_s: int) -> None:
    """Hold one conversation; turns end by `silence` alone, or by `default`, Pipecat's own rule."""
    await websocket.accept()
    analyzer = Analyzer()
    by_silence = UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0)])
    strategies = by_silence if turns_end_by == "silence" else UserTurnStrategies()
    settings = FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, serializer=Pcm(analyzer)
    )
    transport = FastAPIWebsocketTransport(websocket, settings)
    memory = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(vad_analyzer=analyzer, user_turn_strategies=strategies),
    )
    stages = [transport.input(), Transcriber(), memory.user(), Answerer(reply_s)]
    pipeline = Pipeline([*stages, transport.output(), memory.assistant()])
    rates = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
    worker = PipelineWorker(pipeline, params=rates)

    @transport.event_handler("on_client_disconnected")
    async def hung_up(*_: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    logger.remove()  # it would write several lines for every frame of interest
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run([listening])
