"""The parts of the Realtime protocol that are not supported, and why; docs/realtime.md repeats them."""

import logging
import re
from typing import Any, Final

logger = logging.getLogger(__name__)

UNKNOWN: Final = object()
"""The value of a field that the protocol does not have."""

_NO_LIMIT = "the operator limits the length of a reply (--llm_gen_max_tokens)"
_NO_PROMPTS = "this server stores no prompts; use instructions"
_NO_REASONING = "the language model's server controls reasoning"
_NO_PARALLEL = "the language model decides whether to make parallel calls"
_NO_MCP = "this server does not call MCP servers; use functions"
_NO_IMAGES = "the models here do not accept images"
_NO_CLIPS = "send audio with input_audio_buffer.append"

REFUSED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "session.include": ("log probabilities are not available", ()),
    "session.max_output_tokens": (_NO_LIMIT, ("inf",)),
    "session.parallel_tool_calls": (_NO_PARALLEL, ()),
    "session.prompt": (_NO_PROMPTS, ()),
    "session.reasoning": (_NO_REASONING, ()),
    "session.truncation": ("the operator sets how much is remembered (--chat_size)", ("auto",)),
    "session.audio.input.transcription.delay": ("partial transcripts are sent as soon as possible", ()),
    "session.audio.input.transcription.keywords": ("the recognizers do not accept keywords", ()),
    "session.audio.input.transcription.languages": ("name one language, as language", ()),
    "session.audio.input.transcription.prompt": ("the recognizers do not accept a prompt", ()),
    "session.audio.output.speed": ("the voices speak at a fixed pace", (1, 1.0)),
    "session.tools[].server_label": (_NO_MCP, ()),
    "session.tool_choice.server_label": (_NO_MCP, ()),
    "response.audio.output.format": ("a response has the format of its session", ()),
    "response.max_output_tokens": (_NO_LIMIT, ("inf",)),
    "response.parallel_tool_calls": (_NO_PARALLEL, ()),
    "response.prompt": (_NO_PROMPTS, ()),
    "response.reasoning": (_NO_REASONING, ()),
    "response.tools[].server_label": (_NO_MCP, ()),
    "response.tool_choice.server_label": (_NO_MCP, ()),
    "response.input[].content[].audio": (_NO_CLIPS, ()),
    "response.input[].content[].image_url": (_NO_IMAGES, ()),
    "item.content[].audio": (_NO_CLIPS, ()),
    "item.content[].image_url": (_NO_IMAGES, ()),
}
"""Field ▶ why it is refused, and the values of it that are accepted besides null."""

LEFT_OUT: dict[str, str] = {
    "session.tracing": "nothing is traced",
    "session.audio.input.noise_reduction": "the operator chooses it for all sessions",
}
"""Field ▶ why it is ignored. Clients set these by default, and some end the session at any error, so
there is none; `session.updated` shows the actual value."""

DUPLEX_REFUSED: dict[str, str] = {
    "input_audio_buffer.commit": "this model always listens, so there is nothing to commit",
    "conversation.item.create": "this model listens, it does not read",
    "response.create": "this model decides itself when to speak",
}
"""Event ▶ reason for refusing it if the model is full duplex."""


def refused(param: str, value: Any) -> str | None:
    """Reason to refuse this value of a field of an event; None: it is accepted. The rest of the event is
    carried out. Ignored fields are logged."""
    if value is UNKNOWN:
        return f"{param}: expected a field of the protocol"
    field = re.sub(r"\[\d+\]", "[]", param)
    if field in LEFT_OUT and value is not None:
        logger.info("left out: %s", LEFT_OUT[field], extra={"field": param})
    if value is None or field not in REFUSED:
        return None
    why, harmless = REFUSED[field]
    if any(type(value) is type(other) and value == other for other in harmless):
        return None
    return f"{param} is not supported: {why}"
