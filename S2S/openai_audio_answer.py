"""AudioAnswer: the spoken answer of a chat server, whole or in pieces."""

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from LLM.openai_answer import ChatAnswer
from LLM.thoughts import Piece

Output: TypeAlias = Piece | bytes
"""Bytes: the next part of the sound, in the format in which the server sends it."""


class AudioAnswer(ChatAnswer):
    """A `ChatAnswer` with sound. Its text is the words that are spoken.

    OpenAI puts sound and words into the field `audio`. vLLM-Omni puts the sound into `content`, in
    chunks with the modality "audio"; an answer that is not streamed has one choice for the words and
    another for the sound. If the words come twice, as `content` and as the transcript of the sound, the
    field that comes first counts.
    """

    def __init__(self, functions: Collection[str] = ()) -> None:
        super().__init__(functions)
        self.words = ""
        """The words so far."""
        self.sound_id = ""
        """Id under which the server keeps the sound; empty: the server has sent none."""
        self.expires_at = 0.0
        """Unix time, in seconds, until which the server keeps the sound."""
        self._words_in: str | None = None
        """The field that the words come in."""

    def read(self, payload: Mapping[str, Any]) -> Iterator[Output]:  # type: ignore[override]
        """Read a chunk, or a whole answer."""
        choices = payload.get("choices")
        if not isinstance(choices, list) or not choices:
            yield from super().read(payload)
            return
        for choice in choices:
            name = "delta" if isinstance(choice, Mapping) and "delta" in choice else "message"
            piece = choice.get(name) if isinstance(choice, Mapping) else None
            if isinstance(piece, Mapping):
                words, sound = self._split(piece, payload.get("modality") == "audio")
                choice = {**choice, name: {**piece, "content": words}}
                for output in super().read({"choices": [choice]}):
                    self.words += output if isinstance(output, str) else ""
                    yield output
                if sound:
                    yield sound

    def _split(self, piece: Mapping[str, Any], content_is_sound: bool) -> tuple[Any, bytes]:
        """The words and the sound of a piece. Raises `ValueError` for sound that is not base64."""
        content, audio = piece.get("content"), piece.get("audio")
        if content_is_sound:
            return None, _sound(content)
        fields = audio if isinstance(audio, Mapping) else {}
        self._note_id(fields.get("id"), fields.get("expires_at"))
        words = None
        for name, text in (("content", content), ("transcript", fields.get("transcript"))):
            if text and self._words_in in (None, name):
                self._words_in, words = name, text
        return words, _sound(fields.get("data"))

    def _note_id(self, id: Any, expires_at: Any) -> None:
        if isinstance(id, str):
            self.sound_id = id
        if isinstance(expires_at, (int, float)):
            self.expires_at = expires_at


def _sound(data: Any) -> bytes:
    """The bytes in a base64 field, which may be a data URL."""
    if not isinstance(data, str):
        return b""
    try:
        return base64.b64decode(data.rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise ValueError("expected sound in base64") from error
