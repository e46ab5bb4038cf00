"""The history of a conversation."""

from LLM.chat import CUT_MARK, DEFAULT_PROMPT, Chat


def roles_and_texts(chat: Chat, text: str = "now") -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in chat.prompt(text)]


def test_it_begins_with_the_prompt_and_says_that_it_is_heard() -> None:
    assert roles_and_texts(Chat()) == [("system", DEFAULT_PROMPT), ("user", "now")]
    assert DEFAULT_PROMPT.startswith("You are a helpful AI assistant.")
    assert "read aloud" in DEFAULT_PROMPT


def test_exchanges_rotate_out_in_pairs_and_the_prompt_stays() -> None:
    chat = Chat(chat_size=2, init_chat_prompt="Prompt.")
    for number in range(5):
        chat.said(number, f"question {number}")
        chat.heard(number, f"answer {number}", cut_short=False)
    assert roles_and_texts(chat) == [
        ("system", "Prompt."),
        ("user", "question 3"),
        ("assistant", "answer 3"),
        ("user", "question 4"),
        ("assistant", "answer 4"),
        ("user", "now"),
    ]


def test_roles_take_turns_also_after_an_answer_that_was_not_heard() -> None:
    chat = Chat(init_chat_prompt="")
    chat.said(1, "first")
    chat.said(2, "second")
    assert roles_and_texts(chat) == [("user", "first\nsecond\nnow")]


def test_what_was_cut_is_marked_and_may_be_corrected() -> None:
    chat = Chat(init_chat_prompt="")
    chat.said(1, "question")
    chat.heard(1, "It is a long", cut_short=True)
    assert roles_and_texts(chat)[1] == ("assistant", f"It is a long{CUT_MARK}")
    chat.revise(1, "It is")
    assert roles_and_texts(chat)[1] == ("assistant", f"It is{CUT_MARK}")
    chat.revise(99, "nobody")


def test_roles_and_instructions() -> None:
    chat = Chat(init_chat_prompt="Prompt.", init_chat_role="developer", user_role="human")
    assert roles_and_texts(chat) == [("developer", "Prompt."), ("human", "now")]
    assert chat.prompt("now", "Other.")[0].content == "Other."


def test_a_chat_of_size_zero_remembers_nothing() -> None:
    chat = Chat(chat_size=0, init_chat_prompt="")
    chat.said(1, "question")
    chat.heard(1, "answer", cut_short=False)
    assert roles_and_texts(chat) == [("user", "now")]
