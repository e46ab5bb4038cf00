"""Conversations in the templates of models with different requirements."""

from typing import Any

import pytest

from LLM.chat_template import ChatTemplate, Prompt
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, ToolCall

transformers_templates: Any = pytest.importorskip("transformers.utils.chat_template_utils")

CHATML = """\
{%- for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if enable_thinking is defined and enable_thinking is false %}<think>

</think>

{% endif %}{% endif %}"""

BEGINS_IN_THOUGHT = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]<think>\n"
)

GEMMA = """\
{%- if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}
{%- for m in messages %}
{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
{%- endif %}[{{ 'model' if m['role'] == 'assistant' else m['role'] }}]{{ m['content'] | trim }}
{%- endfor %}[model]"""

MISTRAL = """\
{%- if messages[0]['role'] == 'system' %}[S]{{ messages[0]['content'] }}{% set messages = messages[1:] %}
{%- endif %}
{%- for m in messages %}
{%- if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('After the optional system message, conversation roles must alternate') }}
{%- endif %}[{{ m['role'] }}]{{ m['content'] }}
{%- endfor %}"""

FIRST_PHI_3 = """\
{%- for m in messages %}{% if m['role'] == 'user' %}<|user|>{{ m['content'] }}<|end|><|assistant|>
{%- elif m['role'] == 'assistant' %}{{ m['content'] }}<|end|>{% endif %}{% endfor %}"""
"""A template that drops the system message silently."""

SYSTEM, HELLO = ChatMessage("system", "Be brief."), ChatMessage("user", "Hello.")
GREETING = ChatMessage("assistant", "Welcome.")


def template(jinja: str, *, context: int = 10_000, answer: int = 10, **settings: object) -> ChatTemplate:
    """A template rendered as Transformers does, with one token a character."""

    def render(messages: list[dict[str, str]]) -> str:
        rendered, _ = transformers_templates.render_jinja_template(
            [messages], chat_template=jinja, add_generation_prompt=True, **settings
        )
        text: str = rendered[0]
        return text

    return ChatTemplate(
        "a model", render, lambda text: [ord(c) for c in text], context=context, answer=answer
    )


def text_of(prompt: Prompt) -> str:
    return "".join(map(chr, prompt.tokens))


def test_the_system_message_has_its_role_where_the_template_has_one() -> None:
    assert text_of(template(CHATML).prompt([SYSTEM, HELLO])) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello.<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


@pytest.mark.parametrize("jinja", [GEMMA, FIRST_PHI_3], ids=["gemma", "phi 3"])
def test_else_it_stands_before_the_first_message_of_the_user(jinja: str) -> None:
    written = text_of(template(jinja).prompt([SYSTEM, HELLO, GREETING, HELLO]))
    assert written.count("Be brief.") == 1
    assert "Be brief.\n\nHello." in written


@pytest.mark.parametrize("jinja", [CHATML, GEMMA, MISTRAL, FIRST_PHI_3, BEGINS_IN_THOUGHT])
@pytest.mark.parametrize(
    "messages", [[], [SYSTEM], [GREETING], [SYSTEM, GREETING, HELLO], [HELLO, HELLO]]
)
def test_any_conversation_can_be_written(jinja: str, messages: list[ChatMessage]) -> None:
    written = text_of(template(jinja).prompt(messages))
    for message in messages:
        if message is not GREETING or jinja != FIRST_PHI_3:
            assert message.content in written


def test_thinking_is_turned_off_where_the_template_can() -> None:
    off = template(CHATML, enable_thinking=False).prompt([HELLO])
    assert text_of(off).endswith("<think>\n\n</think>\n\n")
    assert list(off.opening()) == []


def test_a_thought_that_the_template_begins_is_told() -> None:
    assert list(template(BEGINS_IN_THOUGHT).prompt([HELLO]).opening()) == ["<think>"]


def test_what_functions_were_asked_is_left_out() -> None:
    call = ToolCall("1", "weather", "{}")
    messages = [HELLO, ChatMessage("assistant", "", (call,)), ChatMessage("tool", "rain", answers="1")]
    assert text_of(template(GEMMA).prompt([*messages, GREETING, HELLO])) == (
        "[user]Hello.[model]Welcome.[user]Hello.[model]"
    )


@pytest.mark.parametrize("context", [50, 100, 200, 500, 800])
@pytest.mark.parametrize("jinja", [CHATML.replace("im_", ""), GEMMA, MISTRAL])
def test_as_much_is_read_as_there_is_room_for(jinja: str, context: int) -> None:
    talk = [ChatMessage(role, f"{n:03}") for n in range(50) for role in ("user", "assistant")]
    small = template(jinja, context=context + 10, answer=10)
    if "start" in jinja and context == 50:
        with pytest.raises(EngineError, match="reads at most 50 tokens; the last message is longer"):
            small.prompt([SYSTEM, *talk, HELLO])
        return
    prompt = small.prompt([SYSTEM, *talk, HELLO])
    written = text_of(prompt)
    assert prompt.shortened
    assert len(written) <= context
    assert "Be brief." in written
    assert "Hello." in written
    kept = [f"{n:03}" in written for n in range(50)]
    assert kept == sorted(kept), "the oldest are left out"
    one_more = talk[2 * (50 - sum(kept) - 1) :]
    assert len(text_of(template(jinja).prompt([SYSTEM, *one_more, HELLO]))) > context, "and no more"


def test_an_answer_gets_at_most_half_of_the_room() -> None:
    assert not template(GEMMA, context=60, answer=1000).prompt([HELLO]).shortened


def test_what_no_template_takes_is_one_sentence() -> None:
    broken = template("{{ raise_exception('never') }}")
    with pytest.raises(EngineError, match="template of a model does not take this conversation: never"):
        broken.prompt([HELLO])
