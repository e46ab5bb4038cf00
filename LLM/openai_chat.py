"""Any server that speaks the OpenAI chat protocol, through the official SDK."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import openai

from LLM.openai_answer import AnswerReader, ChatAnswer
from LLM.openai_messages import as_messages, as_tools, sendable
from LLM.payloads import payloads
from LLM.server_question import KnownDemands, ServerQuestion
from LLM.thoughts import Piece, UnmarkedThoughts
from pipeline.engine_info import ChatModelInfo
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from utils.openai_client import OpenAIServer


class OpenAIChatModel:
    """vLLM, llama.cpp, Ollama, LM Studio, DeepSeek, OpenAI and the like. A cancelled call is over at
    once, at the server too."""

    name: ClassVar[str] = "openai"
    hears: ClassVar[bool] = True
    """Many models do not; then their servers refuse the audio."""

    def __init__(
        self,
        model_name: str | None = None,
        base_url: str | None = None,
        api_key_file: str | None = None,
        key: str | None = None,
        stream: bool = True,
        timeout_s: float = 60.0,
        retries: int = 2,
        keep_thoughts: bool = False,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self._server = OpenAIServer(
            "llm", self.name, model_name, "gpt-5-mini", base_url, api_key_file, key, timeout_s, retries
        )
        self.info = ChatModelInfo(
            name=self.name,
            slots=16,
            device="",
            model=self._server.model,
            host=self._server.host,
            takes_tools=True,
            keeps_thoughts=keep_thoughts,
            hears=self.hears,
        )
        self._settings = {"stream": stream, **(gen_kwargs or {})}
        self._known = KnownDemands()
        self._thoughts = UnmarkedThoughts()

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer of the server. Before its first word, a failed attempt is repeated and a refused
        question is asked in another way."""
        name = f"the language model at {self._server.where}"
        question = ServerQuestion(name, self._known, self._request, messages, tools, tool_choice)
        functions = frozenset(tool.name for tool in tools)

        def ask(client: openai.OpenAI) -> Iterator[Piece]:
            answer = self._answer(client, question.request(), functions)
            return question.answered(answer if self.info.keeps_thoughts else self._thoughts.mark(answer))

        return self._server.stream(ask, cancel, question.refused)

    def reach(self) -> str:
        """Check the server and return its address. Raises `UserError` if it does not answer, or refuses
        the key."""
        return self._server.reach()

    def close(self) -> None:
        """Close the connections that are kept."""
        self._server.close()

    def _request(
        self, messages: Sequence[ChatMessage], tools: Sequence[Tool], tool_choice: str
    ) -> dict[str, Any]:
        question = sendable(self._question(messages, tools, tool_choice))
        return {"model": self._server.model, **question, **self._settings}

    def _question(
        self, messages: Sequence[ChatMessage], tools: Sequence[Tool], tool_choice: str
    ) -> dict[str, Any]:
        return {"messages": as_messages(messages), **as_tools(tools, tool_choice)}

    def _answer(
        self, client: openai.OpenAI, request: dict[str, Any], functions: Collection[str]
    ) -> Iterator[Piece]:
        """Yield the answer as it comes; servers may stream it or not, whatever they are asked for."""
        reader = self._reader(functions)
        with self._response(client, request) as response:
            for payload in payloads(response):
                yield from reader.read(payload)
        yield from reader.end()

    def _reader(self, functions: Collection[str]) -> AnswerReader:
        return ChatAnswer(functions)

    def _response(
        self, client: openai.OpenAI, request: dict[str, Any]
    ) -> AbstractContextManager[openai.APIResponse[Any]]:
        """The response of the server; the caller reads its body."""
        return client.chat.completions.with_streaming_response.create(**request)
