"""The parts of an answer that are not meant for the user are left out."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence

import pytest

from LLM.marks import CALLS, OTHERS, REMOVED, THOUGHTS
from LLM.openai_chat import OpenAIChatModel
from LLM.thoughts import Piece, UnmarkedThoughts, opened_in, without_thoughts
from pipeline.errors import EngineError
from pipeline.messages import (
    CONTENT_FILTER,
    INVALID_CALL,
    MAX_OUTPUT_TOKENS,
    ChatMessage,
    CutOff,
    Notice,
    ToolCall,
)
from pipeline.turn import CancelToken
from testing.chat_server import ChatServer
from testing.conversation import Conversation
from testing.fakes import ScriptedModel

HELLO = [ChatMessage("user", "Hello.")]

ANSWERS = {
    "Fine. And you?": "Fine. And you?",
    "<think>Let me see.</think>Fine.": "Fine.",
    "<think>\nLet me see.\n</think>\n\nFine, I am.": "Fine, I am.",
    "  <think></think>Fine.": "  Fine.",
    "Well. <think>Hm.</think> Fine.": "Well. Fine.",
    "<think>a</think>\n<think>b</think>\nFine.": "Fine.",
    "<think>a <think> b</think> Fine.": "Fine.",
    "<think>a</think>Fine.\n</think>\nAnd you?": "Fine.\nAnd you?",
    "Fine.<think>It goes on and on": "Fine.",
    "</think>\n\nFine.": "Fine.",
    "Fine. And you?\n</think>": "Fine. And you?\n",
    "1 < 2, and a <b> is no tag, nor is <thin": "1 < 2, and a <b> is no tag, nor is <thin",
    "": "",
    # gpt-oss, as it is written without its server's parser
    "<|channel|>analysis<|message|>Hm.<|end|>"
    "<|start|>assistant<|channel|>final<|message|>Fine.<|return|>": "Fine.",
    "<|channel|>analysis<|message|>Hm.<|channel|>final<|message|>Fine.": "Fine.",
    "<|channel|>commentary<|message|>One moment. <|end|>"
    "<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|>Fine.": "One moment. Fine.",
    # ends, and what a model says in the place of the user
    "Fine.<|im_end|>\n<|im_start|>user\nAnd you?": "Fine.\n",
    "<|im_start|>assistant\nFine.<|im_end|>": "\nFine.",
    "<start_of_turn>model\nFine.<end_of_turn>\n<start_of_turn>user\nAnd": "\nFine.\n",
    "It's<|end|> fine.": "It's fine.",
    # in mid-sentence a tag is a word
    "It ends with </think> and that is all.": "It ends with </think> and that is all.",
    "It ends with </think>. And that is all.": "It ends with </think>. And that is all.",
    "It ends with `</think>`": "It ends with `</think>`",
    "A </thinking> tag": "A </thinking> tag",
    "It begins with <think> and ends with </think>, both.": (
        "It begins with <think> and ends with </think>, both."
    ),
    "Qwen writes [THINK] or <tool_call> first.": "Qwen writes [THINK] or <tool_call> first.",
    'The tag "<tool_call>" begins a call.': 'The tag "<tool_call>" begins a call.',
    # calls that nobody can read
    "One moment. <tool_call>weather in London</tool_call>": "One moment. ",
    'One moment. <function=weather>{"city": "London"}</function>': "One moment. ",
    'One moment.[TOOL_CALLS][{"name": "weather", "arguments": {}}]': "One moment.",
    'I look <tool_call>{"name": "weather"}</tool_call> Done.': "I look Done.",
    "One moment. <tool_call>it goes on": "One moment. ",
}


def left(pieces: Iterable[Piece]) -> str:
    return "".join(map(str, without_thoughts(pieces)))


def cut(answer: str, length: int) -> list[str]:
    return [answer[at : at + length] for at in range(0, len(answer), length)]


LENGTHS = pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 1000])


@pytest.mark.parametrize("answer", ANSWERS)
@LENGTHS
def test_thoughts_are_left_out_however_the_answer_is_cut_into_pieces(answer: str, length: int) -> None:
    assert left(cut(answer, length)) == ANSWERS[answer]


@pytest.mark.parametrize("span", THOUGHTS, ids=lambda span: span.opening)
@LENGTHS
def test_every_mark_of_a_thought_is_known(span: object, length: int) -> None:
    opening, closings = span.opening, span.closings  # type: ignore[attr-defined]
    for closing in closings:
        assert left(cut(f"{opening}\nHm.\n{closing}\n\nFine.", length)) == "Fine."
        assert left(cut(f"Well.\n{opening}Hm. {closing}Fine.", length)) == "Well.\nFine."
    assert opened_in(f"Hello.{opening}\n") == opening


@pytest.mark.parametrize("span", CALLS, ids=lambda span: span.opening)
@LENGTHS
def test_every_mark_of_a_call_is_known(span: object, length: int) -> None:
    opening, closings = span.opening, span.closings  # type: ignore[attr-defined]
    for closing in (*closings, ""):
        assert left(cut(f"Well. {opening}weather[]{closing}", length)) == "Well. "


@pytest.mark.parametrize("mark", REMOVED)
@LENGTHS
def test_every_mark_of_an_end_is_known(mark: str, length: int) -> None:
    assert left(cut(f"{mark}Fine.{mark}", length)) == "Fine."


@pytest.mark.parametrize("mark", OTHERS)
@LENGTHS
def test_what_the_model_says_in_the_place_of_others_is_left_out(mark: str, length: int) -> None:
    assert left(cut(f"Fine. {mark}\nAnd you?", length)) == "Fine. "


@pytest.mark.parametrize("mark", OTHERS)
@pytest.mark.parametrize("marked", [False, True])
def test_there_the_model_is_stopped(mark: str, marked: bool) -> None:
    read = []

    def pieces() -> Iterator[Piece]:
        for piece in ("Fine. ", f"{mark}\n", "And", " you?"):
            read.append(piece)
            yield piece

    answer = UnmarkedThoughts().mark(pieces()) if marked else pieces()
    assert left(answer) == "Fine. "
    assert read == ["Fine. ", f"{mark}\n"]
    assert list(answer) == [], "it is closed, although there is a reference to it"


class Lonely(ScriptedModel):
    """Goes on in the place of the user, until it is stopped."""

    def generate(
        self, messages: Sequence[ChatMessage], cancel: CancelToken, *_: object
    ) -> Iterator[str]:
        yield "Fine. <|im_start|>user\nAnd you?"
        self.hold.pass_through(cancel)


def test_an_answer_does_not_wait_for_what_is_said_in_the_place_of_the_user() -> None:
    llm = Lonely(slots=1)
    llm.hold.close()
    with Conversation(llm=llm) as conversation:
        for _ in range(2):
            turn = conversation.session.respond("Hello.")
            assert conversation.until_done(turn.number).heard == "Fine."


def test_a_server_is_stopped_there() -> None:
    with ChatServer("Fine. <|im_start|>user\nAnd you? " + "No. " * 100_000) as server:
        model = OpenAIChatModel(base_url=server.base_url)
        assert left(model.generate(HELLO, CancelToken())) == "Fine. "
        assert server.client_left.wait(60)
        server.reply = "Fine."
        assert left(model.generate(HELLO, CancelToken())) == "Fine."
        model.close()


NOTHING_TO_SAY = (
    "<think>It goes on and on </thin",
    "<think>Hm.</think>",
    "<think>\n\n</think>\n\n",
    "<tool_call>weather in London</tool_call>",
    "[TOOL_CALLS]",
)


@pytest.mark.parametrize("answer", NOTHING_TO_SAY)
@LENGTHS
def test_an_answer_of_which_nothing_is_left_is_an_error(answer: str, length: int) -> None:
    with pytest.raises(EngineError, match="only its thoughts") as caught:
        left(cut(answer, length))
    assert caught.value.code == "nothing_heard"
    for other in (CutOff(MAX_OUTPUT_TOKENS), ToolCall("1", "weather", "{}")):
        assert list(without_thoughts([answer, other])) == [other]


def test_of_a_thought_that_began_in_the_prompt_nothing_more_is_passed_on() -> None:
    assert list(without_thoughts(["I think.\n</think>\n\nFine."])) == ["Fine."]
    assert list(without_thoughts(["Hm.", " So.</thi", "nk>", "\n", "Fine."])) == ["Hm.", " So.", "Fine."]


def test_what_can_be_no_tag_does_not_wait() -> None:
    answer = without_thoughts(iter(["Fine ", "<", "3"]))
    assert next(answer) == "Fine "
    assert next(answer) == "<3"


def test_calls_and_notices_pass() -> None:
    call, notice = ToolCall("1", "weather", "{}"), Notice("code", "text")
    assert list(without_thoughts(["<think>a", call, notice, "</think>b"])) == [call, notice, "b"]


ARGS = '{"city": "London"}'
HERMES = f'{{"name": "weather", "arguments": {ARGS}}}'
WRITTEN = {
    f"<tool_call>{HERMES}</tool_call>": 1,
    f"<tool_call>\n{HERMES}\n</tool_call>\n<tool_call>\n{HERMES}\n</tool_call>": 2,
    f"<tool_call>\n{HERMES}\n": 1,
    f"<tool_call>{HERMES}\n{HERMES}</tool_call>": 2,
    f'<tool_call>{{"function": {HERMES}}}</tool_call>': 1,
    f'<tool_call>{{"name": "weather", "parameters": {ARGS}}}</tool_call>': 1,
    f'<tool_call>{{"name": "weather", "arguments": {json.dumps(ARGS)}}}</tool_call>': 1,
    f"<function=weather>{ARGS}</function>": 1,
    f"[TOOL_CALLS][{HERMES}, {HERMES}]": 2,
    f"[TOOL_CALLS]weather[ARGS]{ARGS}</s>": 1,
    f"[TOOL_CALLS] weather{ARGS}": 1,
    f"<|python_tag|>{HERMES}<|eom_id|>": 1,
    f"<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{ARGS}<|call|>": 1,
    f"<|start|>assistant<|channel|>commentary to=functions.weather<|message|>{ARGS}<|call|>": 1,
}


@pytest.mark.parametrize("answer", WRITTEN)
@pytest.mark.parametrize("length", [1, 5, 1000])
def test_calls_in_the_text_are_calls_if_there_is_such_a_function(answer: str, length: int) -> None:
    pieces = cut(f"One moment. {answer}", length)
    text = [piece for piece in without_thoughts(pieces, {"weather"}) if isinstance(piece, str)]
    calls = [piece for piece in without_thoughts(pieces, {"weather"}) if isinstance(piece, ToolCall)]
    assert "".join(text).strip() == "One moment."
    assert [(call.name, json.loads(call.arguments)) for call in calls] == (
        [("weather", {"city": "London"})] * WRITTEN[answer]
    )
    assert len({call.id for call in calls}) == len(calls)
    assert left(pieces).strip() == "One moment."


def test_brackets_that_are_too_deep_are_no_call() -> None:
    assert left([f"One moment. <tool_call>{'[' * 100_000}</tool_call>"]) == "One moment. "


class TestUnmarkedThoughts:
    @pytest.fixture
    def thoughts(self) -> UnmarkedThoughts:
        """Of a server that is known to leave the opening out."""
        thoughts = UnmarkedThoughts()
        for _ in range(2):
            list(thoughts.mark(["Hm.\n", "</think>\n", "Fine."]))
        return thoughts

    def heard(self, thoughts: UnmarkedThoughts, *pieces: str) -> str:
        return left(thoughts.mark(pieces))

    @pytest.mark.parametrize("span", THOUGHTS[:7], ids=lambda span: span.opening)
    def test_they_are_known_from_the_two_answers_before(self, span: object) -> None:
        thoughts, end = UnmarkedThoughts(), span.closings[0]  # type: ignore[attr-defined]
        for _ in range(2):
            assert self.heard(thoughts, "Hm, ", "so. ", end, "Fine.") == "Hm, so. Fine."
        assert self.heard(thoughts, "Hm, ", "so.\n", end, "\n\n", "Fine.") == "Fine."
        assert self.heard(thoughts, "Hm, ", "so.", end, "Fine.") == "Fine."

    @pytest.mark.parametrize(
        "answer",
        ["Your train leaves at nine.", "<think>Hm.</think>Fine.", "Your train <think> leaves"],
    )
    def test_an_answer_without_them_is_heard_whole_at_once(
        self, thoughts: UnmarkedThoughts, answer: str
    ) -> None:
        assert self.heard(thoughts, *cut(answer, 3)) == left([answer])
        pieces = list(thoughts.mark(cut(answer, 3)))
        assert pieces == cut(answer, 3), "and the next one is not held"

    @pytest.mark.parametrize(
        "answer",
        [
            "It ends with </think> and that is all.",
            "It ends with </think>.",
            "It is `</think>`, of course.",
            "<think>Hm.</think>Fine.",
            "Fine.\n</think>",
            "Fine.",
        ],
    )
    @pytest.mark.parametrize("length", [1, 4, 1000])
    def test_nothing_is_learnt_from_an_answer_that_says_the_tag(self, answer: str, length: int) -> None:
        thoughts = UnmarkedThoughts()
        for _ in range(2):
            self.heard(thoughts, *cut(answer, length))
        assert list(thoughts.mark(["Your train ", "leaves."])) == ["Your train ", "leaves."]

    @pytest.mark.parametrize(
        "answers",
        [
            ["a\n</think>\nb"],
            ["a\n</think>\nb", "a\n</thinking>\nb"],
            ["a\n</think>\nb", "Fine.", "a\n</think>\nb"],
        ],
    )
    def test_one_answer_does_not_delay_the_next_one(self, answers: list[str]) -> None:
        thoughts = UnmarkedThoughts()
        for answer in answers:
            self.heard(thoughts, answer)
        assert list(thoughts.mark(["Your train ", "leaves."])) == ["Your train ", "leaves."]

    def test_the_model_is_seen_to_be_at_work(self, thoughts: UnmarkedThoughts) -> None:
        answer = thoughts.mark(iter(["Hm. ", "So.\n</think>\n", "Fine."]))
        assert next(answer) == ""

    def test_calls_and_the_end_pass(self, thoughts: UnmarkedThoughts) -> None:
        call, end = ToolCall("1", "f", "{}"), CutOff(MAX_OUTPUT_TOKENS)
        answer = [piece for piece in thoughts.mark(["Fine.", call, end]) if piece]
        assert answer == [call, end, "<think>Fine."]

    @pytest.mark.parametrize("reason", [MAX_OUTPUT_TOKENS, CONTENT_FILTER])
    def test_half_a_thought_is_left_out_and_so_is_the_next_one(
        self, thoughts: UnmarkedThoughts, reason: str
    ) -> None:
        end = CutOff(reason)
        for pieces in (["Hm. ", "So"], ["Hm.", "\n</think>"], ["Hm. ", "So"]):
            assert list(without_thoughts(thoughts.mark([*pieces, end]))) == [end]
        assert self.heard(thoughts, "Hm. ", "So.\n</think>\n", "Fine.") == "Fine."

    def test_a_nameless_call_cuts_no_thought_off(self, thoughts: UnmarkedThoughts) -> None:
        end = CutOff(INVALID_CALL)
        assert [piece for piece in thoughts.mark(["Fine.", end]) if piece] == [end, "Fine."]


def test_a_server_whose_template_begins_the_thought() -> None:
    with ChatServer("Hm, let me see. </think> Fine.") as server:
        model = OpenAIChatModel(base_url=server.base_url)
        for _ in range(2):
            list(model.generate(HELLO, CancelToken()))
        server.failures = [500]
        answer = without_thoughts(model.generate(HELLO, CancelToken()))
        assert "".join(map(str, answer)) == "Fine."
        assert len(server.requests) == 4, "a call that fails before the first word is still repeated"
        model.close()


def test_an_answer_that_says_the_tag_does_not_silence_the_next_one() -> None:
    with ChatServer("It ends with </think> and that is all.") as server:
        model = OpenAIChatModel(base_url=server.base_url)
        list(model.generate(HELLO, CancelToken()))
        server.reply = "Your train leaves at nine."
        assert list(model.generate(HELLO, CancelToken())) == [
            "Your",
            " train",
            " leaves",
            " at",
            " nine.",
        ]
        model.close()


@pytest.mark.parametrize("reply", ["<think>They greet me. So do I.</think> Hello. Hello again."])
def test_thoughts_are_neither_spoken_nor_remembered(reply: str) -> None:
    with Conversation(llm=ScriptedModel(reply)) as conversation:
        turn = conversation.session.respond("Hello.")
        assert conversation.until_done(turn.number).heard == "Hello. Hello again."
        assert [m.content for m in conversation.chat.prompt("")][1:] == ["Hello.", "Hello. Hello again."]


def test_they_are_spoken_if_the_model_is_said_to_mean_them() -> None:
    model = ScriptedModel("<think>Hm.</think> Fine.")
    model.info = dataclasses.replace(model.info, keeps_thoughts=True)
    with Conversation(llm=model) as conversation:
        turn = conversation.session.respond("Hello.")
        assert "Hm." in conversation.until_done(turn.number).heard


def test_they_are_passed_on_if_the_user_wants_it() -> None:
    with ChatServer("Hm.\n</think>\nFine.") as server:
        model = OpenAIChatModel(base_url=server.base_url, keep_thoughts=True)
        for _ in range(2):
            assert "".join(map(str, model.generate(HELLO, CancelToken()))) == server.reply
        assert model.info.keeps_thoughts
        model.close()
