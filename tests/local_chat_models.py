"""The contract of chat models that run in this process, beside the one of all chat models."""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest

from LLM.base import ChatModel
from LLM.thoughts import Piece
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, Notice
from pipeline.turn import CancelToken
from testing.contracts import ChatModelContract

HELLO = [ChatMessage("user", "Hello.")]
TALK = [ChatMessage("user", "How are you today?"), ChatMessage("assistant", "A dog.")]


def words_of(answer: Iterator[Piece]) -> str:
    """The text of an answer, without what else may come."""
    return "".join(piece for piece in answer if isinstance(piece, str))


class LocalChatModelContract(ChatModelContract):
    """`engine` has a context of 512 tokens, and answers with 20 to 40 tokens."""

    @pytest.mark.parametrize(
        "messages",
        [
            [],
            [ChatMessage("user", "")],
            [ChatMessage("system", "Be brief.")],
            [ChatMessage("assistant", "Hello.")],
            [ChatMessage("system", "Be brief."), ChatMessage("assistant", "Hello."), *HELLO],
        ],
        ids=["none", "empty text", "system", "greeting", "greeting answered"],
    )
    def test_any_conversation_is_answered(self, engine: ChatModel, messages: list[ChatMessage]) -> None:
        assert list(engine.generate(messages, CancelToken()))

    def test_of_a_long_conversation_the_end_is_read(self, engine: ChatModel) -> None:
        system = ChatMessage("system", "Be brief.")
        answer = list(engine.generate([system, *islice(cycle(TALK), 100), *HELLO], CancelToken()))
        notices = [piece for piece in answer if isinstance(piece, Notice)]
        assert [notice.code for notice in notices] == ["conversation_shortened"]
        assert len(answer) > len(notices)

    def test_a_user_who_says_too_much_at_once_is_told(self, engine: ChatModel) -> None:
        with pytest.raises(EngineError, match="reads at most") as caught:
            list(engine.generate([ChatMessage("user", "tell me a story " * 500)], CancelToken()))
        assert caught.value.code == "too_long"
        assert list(engine.generate(HELLO, CancelToken())), "and it goes on"

    def test_a_cancelled_answer_ends_after_the_present_token(self, engine: ChatModel) -> None:
        cancel = CancelToken()
        answer = engine.generate(HELLO, cancel)
        next(answer)
        cancel.cancel()
        assert len(list(answer)) < 19
