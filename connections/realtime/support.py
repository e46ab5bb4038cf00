"""What of the Realtime protocol is not done here, and why: docs/realtime.md shows the same."""

import logging
import re
from typing import Any, Final

logger = logging.getLogger(__name__)

UNKNOWN: Final = object()
"""The value of a field that is not of the protocol."""

_NO_LIMIT = "the language model's own settings say how long an answer may be (--llm_gen_max_tokens)"
_NO_PROMPTS = "there is no store of prompts here; say it in instructions"
_NO_REASONING = "how a model reasons is a matter of its server"
_NO_PARALLEL = "whether calls come together is up to the language model"
_NO_MCP = "MCP servers are not called from here; give functions"
_NO_IMAGES = "the models here do not see"
_NO_CLIPS = "audio comes by input_audio_buffer.append"

REFUSED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "session.include": ("there are no log probabilities", ()),
    "session.max_output_tokens": (_NO_LIMIT, ("inf",)),
    "session.parallel_tool_calls": (_NO_PARALLEL, ()),
    "session.prompt": (_NO_PROMPTS, ()),
    "session.reasoning": (_NO_REASONING, ()),
    "session.truncation": ("the operator says how much is remembered (--chat_size)", ("auto",)),
    "session.audio.input.transcription.delay": ("a partial transcript comes when it is there", ()),
    "session.audio.input.transcription.keywords": ("the recognizers take no keywords", ()),
    "session.audio.input.transcription.languages": ("name one, as language", ()),
    "session.audio.input.transcription.prompt": ("the recognizers take no prompt", ()),
    "session.audio.output.speed": ("the voices speak at the pace they were given", (1, 1.0)),
    "session.tools[].server_label": (_NO_MCP, ()),
    "session.tool_choice.server_label": (_NO_MCP, ()),
    "response.audio.output.format": ("it is that of the session", ()),
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
"""By the field: why, and which values of it do no harm, beside null."""

LEFT_OUT: dict[str, str] = {
    "session.tracing": "nothing is traced",
    "session.audio.input.noise_reduction": "the operator chooses it for all sessions",
}
"""What clients wish although nobody told them to, and why they do not get it. There is no error, since
some take any error for the end; `session.updated` shows what is."""


def refused(param: str, value: Any) -> str | None:
    """Why this value of a field of an event is refused; None: it is not. The rest of the event is
    obeyed. What is left out is told to the log."""
    if value is UNKNOWN:
        return f"{param}: expected a field of the protocol"
    field = re.sub(r"\[\d+\]", "[]", param)
    if field in LEFT_OUT and value is not None:
        logger.info("left out: %s", LEFT_OUT[field], extra={"field": param})
    why, harmless = REFUSED.get(field, ("", (value,)))
    if value is None or any(type(value) is type(other) and value == other for other in harmless):
        return None
    return f"{param} is not supported: {why}"
