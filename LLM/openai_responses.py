"""Any server that speaks the OpenAI responses protocol, through the official SDK."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import openai

from LLM.openai_answer import AnswerReader, ResponsesAnswer
from LLM.openai_chat import OpenAIChatModel
from LLM.openai_messages import mended_arguments
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, NO_TOOL, SOME_TOOL, Tool


class OpenAIResponsesModel(OpenAIChatModel):
    """OpenAI, vLLM, llama.cpp, Ollama, LM Studio and the like. The conversation is sent with every
    question; the server is asked to store nothing."""

    name = "openai-responses"
    hears = False

    def __init__(self, *, gen_kwargs: Mapping[str, Any] | None = None, **settings: Any) -> None:
        renamed = {"max_tokens": "max_output_tokens"}
        kwargs = {renamed.get(name, name): value for name, value in (gen_kwargs or {}).items()}
        super().__init__(gen_kwargs=kwargs, **settings)

    def _question(
        self, messages: Sequence[ChatMessage], tools: Sequence[Tool], tool_choice: str
    ) -> dict[str, Any]:
        items = [item for message in messages for item in _as_items(message)]
        return {"input": items, "store": False, **_as_tools(tools, tool_choice)}

    def _reader(self, functions: Collection[str]) -> AnswerReader:
        return ResponsesAnswer(functions)

    def _response(
        self, client: openai.OpenAI, request: dict[str, Any]
    ) -> AbstractContextManager[openai.APIResponse[Any]]:
        return client.responses.with_streaming_response.create(**request)


def _as_items(message: ChatMessage) -> Iterator[dict[str, Any]]:
    """A message as the protocol wants it: calls and results are items beside it."""
    if message.answers:
        yield {
            "type": "function_call_output",
            "call_id": message.answers,
            "output": message.content,
        }
        return
    if message.content:
        yield {"role": message.role, "content": message.content}
    for call in message.calls:
        yield {
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": mended_arguments(call.arguments),
        }


def _as_tools(tools: Sequence[Tool], choice: str) -> dict[str, Any]:
    """The part of a request that says which functions there are. Not strict: schemas of clients need
    not be as strict ones must."""
    if not tools:
        return {}
    named = choice not in (ANY_TOOL, NO_TOOL, SOME_TOOL)
    return {
        "tools": [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
                "strict": False,
            }
            for tool in tools
        ],
        "tool_choice": {"type": "function", "name": choice} if named else choice,
    }
