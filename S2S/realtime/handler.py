"""RealtimeHandler: the stage in front of a server that takes turns itself."""

import base64
from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from pipeline.audio import to_pcm16
from pipeline.handler import BaseHandler
from pipeline.messages import AudioBlock, ManualTurnSignal, UserText
from pipeline.session import Session
from S2S.realtime.chat import ServedChat
from S2S.realtime.requests import RATE_HZ

if TYPE_CHECKING:
    from S2S.realtime.model import RealtimeModel

SILENCE_S = 2.0
"""Silence sent after a recording, so that the server detects the end of the last utterance; four times
the usual pause."""

END_OF_ANSWER_S = 120.0
"""Longest wait for the last answer to a recording."""

Input: TypeAlias = AudioBlock | ManualTurnSignal | UserText


class RealtimeHandler(BaseHandler[Input]):
    """Sends the server what the user says, types and signals, and never waits for it. The answers arrive
    on the thread of the sockets, which puts them into the channel to the playout."""

    name: ClassVar[str] = "s2s"
    takes = (AudioBlock, ManualTurnSignal, UserText)

    def setup(self, model: "RealtimeModel", chat: ServedChat, session: Session) -> None:
        assert self.queue_out is not None
        self._model = model
        self._session = session
        self._next_sample = 0
        self._conversation = model.open(session, chat, self.queue_out)

    def process(self, message: Input) -> Generator[Input, None, None]:
        """Send a message to the server."""
        conversation = self._conversation
        match message:
            case AudioBlock(samples=samples):
                self._next_sample = message.start_sample + len(samples)
                audio = base64.b64encode(to_pcm16(samples)).decode()
                event = f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'
                conversation.post(conversation.hear, message, event)
            case ManualTurnSignal(action=action):
                conversation.post(conversation.signal, action)
            case UserText():
                conversation.post(conversation.ask, message)
        yield from ()

    def finish(self) -> Generator[Input, None, None]:
        """Wait, at the end of a recording, until everything said has been answered."""
        if self.stop_event.is_set():  # the session is closed
            return
        silence = np.zeros(int(SILENCE_S * RATE_HZ), np.float32)
        yield from self.process(AudioBlock(silence, self._next_sample, self._session.now()))
        is_quiet = self._conversation.is_quiet
        if not self.stop_event.wait(SILENCE_S):
            with self._session.closing.on_cancel(is_quiet.set):
                is_quiet.wait(END_OF_ANSWER_S)

    def cleanup(self) -> None:
        """Hang up."""
        self._model.post(self._model.hang_up, self._conversation)
