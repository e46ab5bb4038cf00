"""Helpers for tests of answers that a scripted server sends to a real model over a real socket."""

from collections.abc import Sequence
from typing import Any

from LLM.openai_chat import OpenAIChatModel
from LLM.thoughts import Piece
from pipeline.messages import ChatMessage, CutOff, ToolCall
from pipeline.settings import Tool
from pipeline.turn import CancelToken
from testing.chat_server import ChatServer, chunk

HELLO = (ChatMessage("user", "Hello. I have a secret."),)
TOOLS = [Tool(name, "", {"type": "object"}) for name in ("weather", "get_time")]
ARGS = '{"city": "London"}'
WEATHER = ("weather", ARGS)
STOP = chunk({}, "stop")
JSON = "application/json"


def answer(server: ChatServer, stream: bool = True, kind: Any = OpenAIChatModel) -> list[Piece]:
    model = kind(model_name="m", base_url=server.base_url, stream=stream, retries=0)
    try:
        return list(model.generate(HELLO, CancelToken(), TOOLS))
    finally:
        model.close()


def words(pieces: Sequence[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def calls(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """The calls, joined as in the LLM stage: successive pieces with the same id."""
    together: list[ToolCall] = []
    for piece in pieces:
        if isinstance(piece, ToolCall):
            assert piece.id
            assert piece.name
            if together and together[-1].id == piece.id:
                before = together.pop()
                assert before.name == piece.name
                piece = ToolCall(piece.id, piece.name, before.arguments + piece.arguments)
            together.append(piece)
    assert len({call.id for call in together}) == len(together), "each id is that of one call"
    return [(call.name, call.arguments) for call in together]


def cut_off(pieces: Sequence[Piece]) -> list[str]:
    return [piece.reason for piece in pieces if isinstance(piece, CutOff)]


def d(
    index: Any = 0, id: Any = None, name: Any = None, arguments: Any = None, **more: Any
) -> dict[str, Any]:
    """A chunk with a piece of a call; what is None is left out."""
    fields = {"name": name, "arguments": arguments}
    function = {key: value for key, value in fields.items() if value is not None}
    piece = {"index": index, "id": id, "type": "function", "function": function, **more}
    return chunk({"tool_calls": [{key: v for key, v in piece.items() if v is not None}]})


def in_one(*pieces: dict[str, Any]) -> dict[str, Any]:
    """The pieces of several chunks in one."""
    together = [call for piece in pieces for call in piece["choices"][0]["delta"]["tool_calls"]]
    return chunk({"tool_calls": together})
