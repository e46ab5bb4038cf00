"""A chat model from a GGUF file, run by llama.cpp in this process."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from LLM.chat import DEFAULT_PROMPT
from LLM.chat_template import MAX_ANSWER, no_chat_template, too_long
from LLM.conversation import SHORTENED, forms, joined, newest_that_fit, only_words
from LLM.llama_cpp_server import Chunk, LlamaCppServer, expect_gguf, has_chat_template, has_gpu
from LLM.openai_answer import ChatAnswer
from LLM.openai_messages import as_messages, as_tools
from LLM.slots import Slots
from LLM.thoughts import Piece
from pipeline.engine_info import ChatModelInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from pipeline.words import well_formed
from utils.hub import fetch
from utils.threads import engine_threads

FLAG = "--llm_model_name"

_HELLO = ChatMessage("user", "Hello.")
_A_TOOL = as_tools([Tool("f", "a function", {"type": "object", "properties": {}})], ANY_TOOL)


class LlamaCppChatModel:
    """A GGUF model, with `parallel` answers at once. Stops between two tokens, or between two batches of
    the prompt. The part of a conversation that a slot has read is not read again. Calls functions if the
    model's template supports them."""

    def __init__(
        self,
        model_name: str,
        gguf: str,
        device: str,
        context: int = 4096,
        parallel: int = 2,
        cache_type: str = "f16",
        thinking: bool = False,
        keep_thoughts: bool = False,
        gen_kwargs: Mapping[str, Any] | None = None,
        spare_slots: int = 0,
    ) -> None:
        """`spare_slots`: slots of `server` beyond the `parallel` ones, for other uses of the weights."""
        path = _find(model_name, gguf)
        on_gpu = device != "cpu" and has_gpu()
        expect_gguf(path, FLAG, on_gpu=on_gpu)
        if not has_chat_template(path):
            raise no_chat_template(str(path))
        self.server = LlamaCppServer(
            path,
            FLAG,
            context=context,
            parallel=parallel + spare_slots,
            on_gpu=on_gpu,
            threads=engine_threads("llm"),
            cache_type=cache_type,
        )
        self._slots = Slots(parallel)
        self._settings: dict[str, Any] = {
            "max_tokens": MAX_ANSWER,
            "chat_template_kwargs": {"enable_thinking": thinking},
            **(gen_kwargs or {}),
        }
        self._name = path.name
        self._room = context - min(self._settings["max_tokens"], context // 2)
        self._takes_system = True
        self._takes_system = self._shows_system()
        where = device if on_gpu else "cpu" if device == "cpu" else "cpu, since xllamacpp found no GPU"
        self.info = ChatModelInfo(
            name="llama-cpp",
            slots=parallel,
            model=path.stem,
            device=where,
            keeps_thoughts=keep_thoughts,
            takes_tools=self._length([_HELLO], _A_TOOL) > self._length([_HELLO]),
        )

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer, token by token; function calls arrive in pieces."""
        said = joined(_clean(messages)) if self.info.takes_tools else only_words(_clean(messages))
        functions = as_tools(tools, tool_choice) if self.info.takes_tools else {}
        try:
            yield from self._answer(said, functions, cancel)
        except _TooLongError:
            shorter = newest_that_fit(said, lambda part: self._length(part, functions) <= self._room)
            if shorter is None:
                raise too_long(self._name, self._room) from None
            yield SHORTENED
            yield from self._answer(shorter, functions, cancel)

    def read(self, messages: Sequence[ChatMessage], cancel: CancelToken) -> None:
        """Read a conversation that is about to be answered, as far as it is known. Does nothing if it is
        too long."""
        said = only_words(_clean(messages))
        with self._slots.taken(said, reading=cancel) as slot:
            for chunk in self._chunks(said, {"max_tokens": 0, "id_slot": slot}, cancel):
                progress = chunk.get("prompt_progress")
                if not progress or progress["total"] > self._room:
                    return

    def warm_up(self) -> None:
        """Make the first call, which reads the prompt that most conversations begin with."""
        cancel = CancelToken()
        for _ in self.generate([ChatMessage("system", DEFAULT_PROMPT), _HELLO], cancel):
            cancel.cancel()

    def close(self) -> None:
        """Free the weights."""
        self.server.close()

    def _answer(
        self, messages: list[ChatMessage], functions: Mapping[str, Any], cancel: CancelToken
    ) -> Iterator[Piece]:
        """Answer with the slot that has read most of the conversation. Raises `_TooLongError`."""
        reader = ChatAnswer()
        with self._slots.taken(messages) as slot:
            for chunk in self._chunks(messages, {**functions, "id_slot": slot}, cancel):
                progress = chunk.get("prompt_progress")
                if progress and progress["total"] > self._room:
                    raise _TooLongError(progress["total"])
                yield from reader.read(chunk)
        if not cancel.cancelled:
            yield from reader.end()

    def _length(self, messages: list[ChatMessage], functions: Mapping[str, Any] = {}) -> int:
        """Number of tokens of a conversation with these functions. Raises `EngineError` if the template
        rejects it."""
        try:
            first = next(self._chunks(messages, functions, CancelToken()))
        except _TooLongError as error:
            return error.tokens
        return int(first["prompt_progress"]["total"])

    def _chunks(
        self, messages: list[ChatMessage], request: Mapping[str, Any], cancel: CancelToken
    ) -> Iterator[Chunk]:
        """The chunks of an answer to the first form of the conversation that the template accepts.
        Raises `_TooLongError` if it does not fit into a slot, `EngineError` if no form is accepted."""
        refusal = ""
        for form in forms(messages, takes_system=self._takes_system):
            whole = {**self._settings, **request, "messages": as_messages(form)}
            for chunk in self.server.stream(whole, cancel):
                if error := chunk.get("error"):
                    if "n_prompt_tokens" in error:
                        raise _TooLongError(error["n_prompt_tokens"])
                    refusal = error["message"]
                    break
                yield chunk
            else:
                return
        raise EngineError(f"{self._name} does not take this conversation: {refusal}")

    def _shows_system(self) -> bool:
        """True if the template shows a system message; some refuse it, and some leave it out."""
        brief, longer = (ChatMessage("system", text) for text in ("One.", "One, two, three, four."))
        try:
            return self._length([longer, _HELLO]) > self._length([brief, _HELLO])
        except EngineError:
            return False


class _TooLongError(Exception):
    """Raised if the conversation has more tokens than fit."""

    def __init__(self, tokens: int) -> None:
        super().__init__(tokens)
        self.tokens = tokens


def _clean(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages in valid Unicode, without which llama.cpp does not take them."""
    return [replace(message, content=well_formed(message.content)) for message in messages]


def _find(model_name: str, gguf: str) -> Path:
    """The GGUF file of the model. Raises `UserError`."""
    if Path(model_name).expanduser().is_file():
        return Path(model_name).expanduser()
    folder = fetch(model_name, FLAG, files=[gguf])
    found = sorted(folder.glob(gguf))
    if not found:
        raise UserError(f"--llm_gguf {gguf}: {model_name} has no such file; choose another one")
    return found[0]
