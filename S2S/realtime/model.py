"""RealtimeModel: another server of the OpenAI Realtime protocol, as the model."""

import asyncio
from typing import Any, ClassVar, get_args

from openai.types.realtime.realtime_audio_config_output import Voice

from pipeline.channel import Channel
from pipeline.engine_info import LiveInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import EndOfTurn, Speech
from pipeline.session import Session
from S2S.realtime.chat import ServedChat
from S2S.realtime.configuration import Configuration, TurnDetection
from S2S.realtime.conversation import Conversation
from S2S.realtime.loop_thread import LoopThread
from S2S.realtime.requests import RATE_HZ
from S2S.realtime.server import RealtimeServer
from utils.voices import expect_known

WINDOW_MS = 10
"""Length of audio sent at a time. It adds as much delay; the overhead of smaller windows would cost more
than they save."""

OPENAI_VOICES = tuple(sorted(name for kind in get_args(Voice) for name in get_args(kind)))


class RealtimeModel:
    """OpenAI's Realtime API, vLLM-Omni, another instance of this program: a server that hears the user,
    takes turns, and answers. At start, the server is asked whether it speaks the protocol and accepts
    the key."""

    name: ClassVar[str] = "realtime"

    def __init__(
        self,
        base_url: str | None = None,
        model_name: str | None = None,
        voice: str | None = None,
        turn_detection: TurnDetection = "server_vad",
        transcription: str = "gpt-4o-mini-transcribe",
        api_key_file: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self._server = RealtimeServer(base_url, model_name, api_key_file, timeout_s)
        self._settings: dict[str, Any] = {
            "voice": voice,
            "turn_detection": turn_detection,
            "transcription": None if transcription == "none" else transcription,
        }
        self.info = LiveInfo(
            name=self.name,
            device="",
            model=self._server.model or None,
            host=self._server.host,
            sample_rate_hz=RATE_HZ,
            frame_samples=WINDOW_MS * RATE_HZ // 1000,
            voices=OPENAI_VOICES if self._server.is_openai else (),
        )
        self._loop = LoopThread("realtime")
        self.post = self._loop.post
        self._tasks: dict[Conversation, asyncio.Task[None]] = {}
        """The links of all conversations, until they are closed."""
        try:
            self.reach()
        except UserError:
            self.close()
            raise

    def reach(self) -> str:
        """Connect, be greeted, and hang up. Returns the server's address. Raises `UserError`."""
        try:
            self._loop.run(self._greet())
        except EngineError as error:
            raise UserError(f"--s2s {self.name}: {error}") from error
        return self._server.where

    def expect_voice(self, voice: str) -> None:
        """Raise `EngineError` for a voice that OpenAI does not have; other servers' voices are
        unknown."""
        if self.info.voices:
            expect_known(self.info.voices, voice)

    def open(
        self, session: Session, chat: ServedChat, speech: Channel[Speech | EndOfTurn]
    ) -> Conversation:
        """Begin a conversation; returns at once, before it is connected."""
        configuration = Configuration(chat.default_instructions, **self._settings)
        conversation = Conversation(self._server, configuration, session, chat, speech, self.post)
        chat.on_heard = lambda turn: conversation.post(conversation.heard, turn)
        chat.on_note = lambda *note: conversation.post(conversation.note, *note)
        chat.on_erase = lambda id: conversation.post(conversation.erase, id)
        self.post(self._begin, conversation)
        return conversation

    def hang_up(self, conversation: Conversation) -> None:
        """End a conversation; called on the thread of the loop."""
        conversation.close()
        if conversation in self._tasks:
            self._tasks[conversation].cancel()

    def close(self) -> None:
        """Hang up on all, and end the thread."""
        self._loop.run(self._hang_up_on_all())
        self._loop.close()

    def _begin(self, conversation: Conversation) -> None:
        task = self._tasks[conversation] = asyncio.create_task(conversation.link.run())
        task.add_done_callback(lambda task: self._ended(conversation, task))

    def _ended(self, conversation: Conversation, task: asyncio.Task[None]) -> None:
        del self._tasks[conversation]
        if not task.cancelled() and (error := task.exception()) is not None:
            conversation.fail(error)

    async def _hang_up_on_all(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            if not task.cancelling():  # a second cancel would interrupt the closing handshake
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _greet(self) -> None:
        async with self._server.connection():
            pass
