"""A model's thoughts are left out of its answer."""

import pytest

from LLM.openai_chat import OpenAIChatModel
from LLM.thoughts import UnmarkedThoughts, without_thoughts
from pipeline.messages import ChatMessage, Notice, ToolCall
from pipeline.turn import CancelToken
from testing.chat_server import ChatServer
from testing.conversation import Conversation
from testing.fakes import ScriptedModel

ANSWERS = {
    "Fine. And you?": "Fine. And you?",
    "<think>Let me see.</think>Fine.": "Fine.",
    "<think>\nLet me see.\n</think>\n\nFine, I am.": "Fine, I am.",
    "  <think></think>Fine.": "  Fine.",
    "Well. <think>Hm.</think> Fine.": "Well. Fine.",
    "<think>a</think>\n<think>b</think>\nFine.": "Fine.",
    "<think>a <think> b</think> Fine.": "Fine.",
    "Fine.<think>It goes on and on": "Fine.",
    "<think>It goes on and on </thin": "",
    "1 < 2, and a <b> is no tag, nor is <thin": "1 < 2, and a <b> is no tag, nor is <thin",
    "": "",
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 1000])
def test_thoughts_are_left_out_however_the_answer_is_cut_into_pieces(answer: str, length: int) -> None:
    pieces = [answer[at : at + length] for at in range(0, len(answer), length)]
    assert "".join(map(str, without_thoughts(pieces))) == ANSWERS[answer]


def test_of_a_thought_that_began_in_the_prompt_nothing_more_is_passed_on() -> None:
    assert list(without_thoughts(["I think.\n</think>\n\nFine."])) == ["Fine."]
    assert list(without_thoughts(["Hm.", " So</thi", "nk>", "\n", "Fine."])) == ["Hm.", " So", "Fine."]


def test_what_can_be_no_tag_does_not_wait() -> None:
    answer = without_thoughts(iter(["Fine ", "<", "3"]))
    assert next(answer) == "Fine "
    assert next(answer) == "<3"


def test_calls_and_notices_pass() -> None:
    call, notice = ToolCall("1", "weather", "{}"), Notice("code", "text")
    assert list(without_thoughts(["<think>a", call, notice, "</think>b"])) == [call, notice, "b"]


def test_thoughts_without_a_beginning_are_known_from_the_answer_before() -> None:
    thoughts = UnmarkedThoughts()

    def heard(*pieces: str) -> str:
        return "".join(map(str, without_thoughts(thoughts.mark(pieces))))

    assert heard("Hm, ", "so. ", "</think>", "Fine.") == "Hm, so. Fine."
    assert heard("Hm, ", "so. ", "</think>", "Fine.") == "Fine."
    assert heard("The model ", "is another now.") == ""
    assert heard("The model ", "is another now.") == "The model is another now."
    assert heard("<think>", "Hm.", "</think>", "Fine.") == "Fine."
    assert heard("Fine.") == "Fine."


def test_a_server_whose_template_begins_the_thought() -> None:
    with ChatServer("Hm, let me see. </think> Fine.") as server:
        model = OpenAIChatModel(base_url=server.base_url)
        hello = [ChatMessage("user", "Hello.")]
        list(model.generate(hello, CancelToken()))
        server.failures = [500]
        answer = without_thoughts(model.generate(hello, CancelToken()))
        assert "".join(map(str, answer)) == "Fine."
        assert len(server.requests) == 3, "a call that fails before the first word is still repeated"
        model.close()


@pytest.mark.parametrize("reply", ["<think>They greet me. So do I.</think> Hello. Hello again."])
def test_thoughts_are_neither_spoken_nor_remembered(reply: str) -> None:
    with Conversation(llm=ScriptedModel(reply)) as conversation:
        turn = conversation.session.respond("Hello.")
        assert conversation.until_done(turn.number).heard == "Hello. Hello again."
        assert [m.content for m in conversation.chat.prompt("")][1:] == ["Hello.", "Hello. Hello again."]
