"""SmolLM2: the small built-in language model, and settings that get the best out of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.weights import FETCH, SMOLLM2
from LLM.chat import DEFAULT_PROMPT, split_answer_in
from LLM.llama_cpp_chat import LlamaCppChatModel
from LLM.sentence_end import SmolLM2SentenceJudge
from LLM.thoughts import Piece
from pipeline.engine_info import ChatModelInfo
from pipeline.errors import Unavailable, UserError
from pipeline.messages import ChatMessage, Notice
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken

NAME = "SmolLM2-135M"

CONTEXT = 2048
"""Tokens of a conversation, including the client's instructions; each slot takes 25 MB for them."""

SLOTS = 4


@dataclass(frozen=True, slots=True)
class Manner:
    """The way in which the model is prompted. The defaults are the best of those that
    benchmarks/questions.py compares."""

    prompt: str = ""
    """System message in place of the default one of a `Chat`. Empty: the one in the model's template,
    with which it was trained."""
    opening: tuple[tuple[str, str], ...] = (("Hi", "Hello! How can I help you today?"),)
    """Exchanges before the conversation. The model was trained on conversations that begin with this
    one; without it, the model takes a goodbye for a complaint."""
    exchanges: int = 2
    """Number of latest exchanges that the model reads. From four on, it responds to the mood of the
    conversation more than to the question: 65 % of its answers are right after two, 42 % after four."""
    sentences: int = 2
    """Longest answer, in sentences."""
    sampling: Mapping[str, Any] = field(
        default_factory=lambda: {
            "temperature": 0.2,
            "top_p": 0.9,
            "repeat_penalty": 1.1,
            "repeat_last_n": 16,
            "dry_multiplier": 0.8,
            "dry_allowed_length": 3,
            "dry_penalty_last_n": 256,
            "max_tokens": 80,
        }
    )
    """Settings of llama.cpp. The repetition penalty reaches back only a dozen words; if it reached
    farther, the model would avoid the words of the question, and the user's name. DRY penalizes repeated
    sequences of more than three tokens, in the whole conversation: without it, the model gave the same
    answer three times in a row."""


class SmolLM2Model:
    """SmolLM2-135M-Instruct, run by llama.cpp. Answers in one or two whole sentences, in English.
    Instructions of the client or the user replace its prompt."""

    def __init__(self, manner: Manner = Manner()) -> None:
        if not SMOLLM2.there:
            raise Unavailable(f"--llm smollm2: {SMOLLM2.path} is {SMOLLM2.state}; type: {FETCH}")
        self._manner = manner
        try:
            self._model = LlamaCppChatModel(
                str(SMOLLM2.path),
                gguf="",
                device="cpu",
                context=CONTEXT,
                parallel=SLOTS,
                cache_type="q8_0",
                gen_kwargs=manner.sampling,
                spare_slots=1,
            )
        except UserError as error:
            raise UserError(
                f"--llm smollm2: llama.cpp cannot load {SMOLLM2.path}; to fetch it again, type: {FETCH}"
            ) from error
        self.info = ChatModelInfo(
            name="smollm2",
            slots=SLOTS,
            languages=("en",),
            max_sentences=manner.sentences,
            model=NAME,
        )

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer, token by token; the LLM stage ends it after `Manner.sentences`."""
        asked, language = self._asked(messages)
        if language is not None and not language.startswith("English"):
            yield _english_only(language)
        yield from self._model.generate(asked, cancel)

    def read(self, messages: Sequence[ChatMessage], cancel: CancelToken) -> None:
        """Read a conversation that is about to be answered, as far as it is known."""
        self._model.read(self._asked(messages)[0], cancel)

    def warm_up(self) -> None:
        """Make the first call, without the notices that come before the answer."""
        asked, _ = self._asked([ChatMessage("user", "Hello.")])
        next(self._model.generate(asked, CancelToken()), None)

    def sentence_judge(self) -> SmolLM2SentenceJudge:
        """A judge of sentences with the same weights, in the slot that is left."""
        return SmolLM2SentenceJudge(self._model.server, SLOTS)

    def close(self) -> None:
        """Free the weights."""
        self._model.close()

    def _asked(self, messages: Sequence[ChatMessage]) -> tuple[list[ChatMessage], str | None]:
        """The conversation in the form that the model handles best, and the language that its
        instructions name."""
        said = list(messages)
        prompt, language = "", None
        if said and said[0].role == "system":
            prompt, language = split_answer_in(said.pop(0).content)
        own = prompt not in ("", DEFAULT_PROMPT)
        if not own:
            prompt = self._manner.prompt
        starts = [at for at, message in enumerate(said[:-1]) if message.role == "user"]
        if len(starts) > self._manner.exchanges:
            said = said[starts[len(starts) - self._manner.exchanges] :]
        opening = [
            ChatMessage(role, text)
            for exchange in (() if own else self._manner.opening)
            for role, text in zip(("user", "assistant"), exchange, strict=True)
        ]
        system = [ChatMessage("system", prompt)] if prompt else []
        return [*system, *opening, *said], language


def _english_only(language: str) -> Notice:
    return Notice("language_fallback", f"{NAME} does not speak {language}; it answers in English")
