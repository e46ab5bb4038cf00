"""Any server whose chat API accepts speech and answers with speech, through the official SDK."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import openai

from LLM.openai_messages import as_messages, as_tools, sendable
from LLM.payloads import payloads
from LLM.server_question import KnownDemands, ServerQuestion
from LLM.thoughts import Piece
from pipeline.engine_info import ResponderInfo
from pipeline.errors import EngineError, NothingHeard, UserError
from pipeline.messages import AudioChunk, ChatMessage, CutOff, Recording, ToolCall
from pipeline.settings import Tool
from pipeline.turn import CancelToken
from S2S.base import Answer, Question, SpokenPiece
from S2S.captions import Captions
from S2S.openai_audio_answer import AudioAnswer
from S2S.sounds_kept import SoundsKept
from TTS.served_audio import NotDecodable, decoded
from utils.openai_client import OpenAIServer
from utils.openai_errors import Refusal
from utils.voices import unknown_voice

VOICES = (
    "alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse",
)  # fmt: skip
"""OpenAI's voices (`openai.types.chat.ChatCompletionAudioParam`)."""

RATE_HZ = 16000
"""Sample rate of the speech that is sent; speech recognition needs no more."""

PCM_RATE_HZ = 24000
"""Sample rate of raw audio, which does not state its own: that of OpenAI and Qwen."""

MAX_SPEECH_S = 600
"""Longest question: 26 MB in the request. Servers refuse much shorter ones, but only once they have been
sent."""


class OpenAIAudioResponder:
    """GPT audio models, Qwen-Omni on vLLM-Omni and the like. A cancelled call ends at once, at the
    server, too.

    The protocol has no field for the user's words, so there is no transcript of them. The voices of
    servers other than OpenAI's are unknown here: any name is passed on to the server.
    """

    name: ClassVar[str] = "openai-audio"

    def __init__(
        self,
        model_name: str | None = None,
        voice: str | None = None,
        base_url: str | None = None,
        api_key_file: str | None = None,
        stream: bool = True,
        timeout_s: float = 60.0,
        retries: int = 2,
    ) -> None:
        self._server = OpenAIServer(
            "s2s", self.name, model_name, "gpt-audio-mini", base_url, api_key_file,
            timeout_s=timeout_s, retries=retries,
        )  # fmt: skip
        self.info = ResponderInfo(
            name=self.name,
            slots=16,
            device="",
            model=self._server.model,
            host=self._server.host,
            sample_rate_hz=RATE_HZ,
            voices=VOICES if self._server.is_openai else (),
            takes_text=True,
            takes_tools=True,
        )
        self._voice = voice or (VOICES[0] if self._server.is_openai else None)
        if self._voice is not None:
            try:
                self.expect_voice(self._voice)
            except EngineError as error:
                raise UserError(f"--s2s_voice: {error}") from error
        self._stream = stream
        self._known = KnownDemands()
        self._sounds = SoundsKept()

    def expect_voice(self, voice: str) -> None:
        """Refuse a voice that OpenAI does not have; other servers refuse unknown names themselves."""
        if not voice or (self._server.is_openai and voice not in VOICES):
            raise unknown_voice(VOICES, voice)

    def respond(self, question: Question, cancel: CancelToken) -> Iterator[Answer]:
        """The answer of the server. Before its first sound, a failed attempt is repeated, and a refused
        request is changed and sent again."""
        length_s = len(question.samples) / RATE_HZ
        if length_s > MAX_SPEECH_S:
            raise EngineError(
                f"expected at most {MAX_SPEECH_S} s of speech at once, got {length_s:.0f} s; pause in "
                "between"
            )
        settings = question.settings
        functions = frozenset(tool.name for tool in settings.tools)
        # OpenAI refuses a request in which the model would neither hear nor speak.
        speaks = settings.spoken or not len(question.samples)

        def build(messages: Sequence[ChatMessage], tools: Sequence[Tool], choice: str) -> dict[str, Any]:
            fields = {"messages": as_messages(messages), **as_tools(tools, choice)}
            return {
                "model": self._server.model,
                **sendable(fields),
                **self._modalities(speaks, settings.voice),
                "stream": self._stream,
            }

        name = f"the model at {self._server.where}"
        asked = ServerQuestion(
            name, self._known, build, _conversation(question), settings.tools, settings.tool_choice
        )

        def ask(client: openai.OpenAI) -> Iterator[Answer]:
            reader, request = AudioAnswer(functions), asked.request()
            request["messages"] = self._sounds.referred(request["messages"])
            with client.chat.completions.with_streaming_response.create(**request) as response:
                if settings.spoken:
                    answer = self._spoken(response, reader, settings.language)
                else:
                    answer = _written(response, reader)
                yield from asked.answered(answer)
            if self._server.is_openai:
                self._sounds.note(reader.words, reader.sound_id, reader.expires_at)

        def refused(refusal: Refusal) -> bool:
            if refusal.status in (400, 404) and self._sounds.are_in(asked.request()["messages"]):
                self._sounds.forget()  # the server may have lost an earlier answer
                return True
            return asked.refused(refusal)

        complete = not settings.spoken
        for piece in self._server.stream(ask, cancel, refused):
            complete |= isinstance(piece, (ToolCall, CutOff))
            complete |= isinstance(piece, SpokenPiece) and len(piece.audio.samples) > 0
            yield piece
        if not complete and not cancel.cancelled:
            raise NothingHeard(
                f"{self._server.where} answered without sound; choose a model that speaks "
                "(--s2s_model_name), or use --llm openai and --tts instead of --s2s"
            )

    def reach(self) -> str:
        """Check the server and return its address. Raises `UserError` if the server does not answer, or
        refuses the key."""
        return self._server.reach()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._server.close()

    def _modalities(self, speaks: bool, voice: str | None) -> dict[str, Any]:
        """The part of a request that asks for a spoken answer, or for text only."""
        if not speaks:
            return {"modalities": ["text"]}
        format = "pcm16" if self._stream else "wav"  # the only format that OpenAI streams
        named = voice or self._voice
        audio = {"format": format, **({} if named is None else {"voice": named})}
        return {"modalities": ["text", "audio"], "audio": audio}

    def _spoken(
        self, response: openai.APIResponse[Any], reader: AudioAnswer, language: str | None
    ) -> Iterator[Answer]:
        """The answer with its sound, decoded as it comes. Other outputs are yielded before the next
        sound."""
        captions, others = Captions(language), list[Answer]()

        def note(piece: Piece) -> None:
            if isinstance(piece, str):
                captions.write(piece)
            else:
                others.append(piece)

        def blocks() -> Iterator[bytes]:
            for payload in payloads(response):
                for piece in reader.read(payload):
                    if isinstance(piece, bytes):
                        yield piece
                    else:
                        note(piece)

        try:
            for chunk in decoded(blocks(), "", PCM_RATE_HZ, "s2s"):
                yield from others
                others.clear()
                yield from captions.speak(chunk)
        except NotDecodable as error:
            raise EngineError(f"{self._server.where} {error}") from error
        for rest in reader.end():
            note(rest)
        yield from captions.end()
        yield from others


def _written(response: openai.APIResponse[Any], reader: AudioAnswer) -> Iterator[Answer]:
    """The answer without its sound, word by word."""
    outputs = itertools.chain.from_iterable(map(reader.read, payloads(response)))
    for piece in itertools.chain(outputs, reader.end()):
        if isinstance(piece, str):
            yield SpokenPiece(AudioChunk(np.empty(0, np.float32), PCM_RATE_HZ), piece)
        elif not isinstance(piece, bytes):
            yield piece


def _conversation(question: Question) -> list[ChatMessage]:
    """The conversation, with the question at its end."""
    messages = list(question.messages)
    if len(question.samples):
        speech = Recording(question.samples, RATE_HZ)
        messages.append(ChatMessage("user", question.text, audio=speech))
    elif question.text:
        messages.append(ChatMessage("user", question.text))
    return messages
