"""Marks: text that models write around the words of an answer, if their server does not remove it.

To add a model's marks, add a row. They are compared exactly, as tokenizers write them.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an answer that is not spoken."""

    opening: str
    closings: tuple[str, ...]
    """The first of them to come ends it. If none comes, or there are none, it ends with the answer."""


THOUGHTS = (
    Span("<think>", ("</think>",)),  # Qwen, DeepSeek, SmolLM, GLM
    Span("<thinking>", ("</thinking>",)),
    Span("<thought>", ("</thought>",)),
    Span("<reasoning>", ("</reasoning>",)),
    Span("[THINK]", ("[/THINK]",)),  # Mistral
    Span("◁think▷", ("◁/think▷",)),  # Kimi
    Span("<seed:think>", ("</seed:think>",)),  # Seed
    Span("<|channel>thought", ("<channel|>",)),  # Gemma
    Span("<|START_THINKING|>", ("<|END_THINKING|>",)),  # Command A
    Span(  # gpt-oss
        "<|channel|>analysis<|message|>",
        ("<|end|>", "<|return|>", "<|channel|>final<|message|>", "<|channel|>commentary<|message|>"),
    ),
)

CALLS = (
    Span("<tool_call>", ("</tool_call>",)),  # Hermes, Qwen, GLM
    Span("<tool_calls>", ("</tool_calls>",)),
    Span("<function_call>", ("</function_call>",)),
    Span("<function=", ("</function>",)),  # Llama, Qwen Coder
    Span("[TOOL_CALLS]", ("</s>",)),  # Mistral
    Span("<|python_tag|>", ("<|eom_id|>", "<|eot_id|>")),  # Llama
    Span("<|tool_call>", ("<tool_call|>",)),  # Gemma
    Span("<|tool_calls_section_begin|>", ("<|tool_calls_section_end|>",)),  # Kimi
    Span("<｜tool▁calls▁begin｜>", ("<｜tool▁calls▁end｜>",)),  # DeepSeek
    Span("<|START_ACTION|>", ("<|END_ACTION|>",)),  # Command A
    Span("<|channel|>commentary to=", ("<|call|>",)),  # gpt-oss
    Span("<tool_response>", ("</tool_response>",)),  # a result that the model made up
)

REMOVED = (
    *("<|im_end|>", "<|im_start|>assistant", "<|im_start|>"),  # ChatML: Qwen, SmolLM and others
    *("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"),  # Llama
    "<|start_header_id|>assistant<|end_header_id|>",
    *("<end_of_turn>", "<start_of_turn>model", "<turn|>", "<|turn>model"),  # Gemma
    *("</s>", "<|endoftext|>", "<｜end▁of▁sentence｜>"),  # Mistral, GPT, DeepSeek
    *("<|end|>", "<|return|>", "<|call|>", "<|start|>assistant"),  # gpt-oss, Phi
    *("<|channel|>final<|message|>", "<|channel|>commentary<|message|>"),
    *("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|END_OF_TURN_TOKEN|>"),  # Command A
)
"""Marks of the end of an answer, and those that begin one."""

OTHERS = (
    *("<|im_start|>user", "<|im_start|>system", "<|im_start|>tool"),
    "<|start_header_id|>user<|end_header_id|>",
    *("<start_of_turn>user", "<|turn>user", "<|start|>user"),
)
"""Marks with which a model goes on as somebody else: the answer ends before them."""
