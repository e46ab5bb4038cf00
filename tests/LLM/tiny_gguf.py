"""A tiny GGUF file with random weights, built and saved on the spot."""

from pathlib import Path

import numpy as np

TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ '<think>' if enable_thinking }}"
)

TOOL_TEMPLATE = """
{%- if tools %}
    {{- '<|im_start|>system\\n# Tools\\n\\n<tools>' }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- '\\n</tools>\\n\\n<tool_call>{"name": NAME, "arguments": ARGUMENTS}</tool_call><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role != "tool" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '<tool_call>{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>user\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response><|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
"""In the manner of Qwen 2.5."""


def tiny_gguf(path: Path, *, template: str | None = TEMPLATE, context: int = 4096) -> Path:
    """A Llama of one layer whose tokens are bytes. It says lower case letters, since other bytes are no
    text, and never ends by itself. With `TOOL_TEMPLATE` it prefers to call a function."""
    from gguf import GGUFWriter, TokenType

    size, heads, inner = 32, 4, 64
    tokens = [
        b"<unk>",
        b"<s>",
        b"</s>",
        *(f"<0x{byte:02X}>".encode() for byte in range(256)),
        b"\xe2\x96\x81",
        b"<tool_call>",
    ]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    kinds += [TokenType.BYTE] * 256 + [TokenType.NORMAL, TokenType.USER_DEFINED]
    file = GGUFWriter(path, "llama")
    file.add_context_length(context)
    file.add_embedding_length(size)
    file.add_block_count(1)
    file.add_feed_forward_length(inner)
    file.add_head_count(heads)
    file.add_head_count_kv(heads)
    file.add_rope_dimension_count(size // heads)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_vocab_size(len(tokens))
    file.add_tokenizer_model("llama")
    file.add_token_list(tokens)
    file.add_token_scores([0.0] * len(tokens))
    file.add_token_types(kinds)
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_unk_token_id(0)
    if template is not None:
        file.add_chat_template(template)
    chance = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return chance.normal(0, 0.3, shape).astype(np.float32)

    def random_output(*shape: int) -> np.ndarray:
        weights = random(*shape)
        weights[0] = 0.0  # the first value of a state stays as it is embedded
        return weights

    embedding, output = random(len(tokens), size), random(len(tokens), size)
    embedding[:, 0], output[:, 0] = 3.0, -30.0  # a constant, by which all but letters are unlikely
    output[3 + ord("a") : 3 + ord("z") + 1, 0] = 0.0
    if template == TOOL_TEMPLATE:
        output[-1, 0] = 10.0
    file.add_tensor("token_embd.weight", embedding)
    file.add_tensor("output_norm.weight", np.ones(size, np.float32))
    file.add_tensor("output.weight", output)
    for name in ("attn_norm", "ffn_norm"):
        file.add_tensor(f"blk.0.{name}.weight", np.ones(size, np.float32))
    for name in ("attn_q", "attn_k", "attn_v"):
        file.add_tensor(f"blk.0.{name}.weight", random(size, size))
    for name in ("ffn_gate", "ffn_up"):
        file.add_tensor(f"blk.0.{name}.weight", random(inner, size))
    file.add_tensor("blk.0.attn_output.weight", random_output(size, size))
    file.add_tensor("blk.0.ffn_down.weight", random_output(size, inner))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
