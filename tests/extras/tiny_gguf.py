"""A tiny GGUF file with random weights, built and saved on the spot."""

from pathlib import Path

import numpy as np

TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{{ '<think>' if enable_thinking }}"
)


def tiny_gguf(path: Path, *, template: str | None = TEMPLATE, context: int = 4096) -> Path:
    """A Llama of one layer whose tokens are bytes. It says lower case letters, since other bytes are no
    text, and never ends by itself."""
    from gguf import GGUFWriter, TokenType

    size, heads, inner = 32, 4, 64
    tokens = [
        b"<unk>",
        b"<s>",
        b"</s>",
        *(f"<0x{byte:02X}>".encode() for byte in range(256)),
        b"\xe2\x96\x81",
    ]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    kinds += [TokenType.BYTE] * 256 + [TokenType.NORMAL]
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

    embedding, output = random(len(tokens), size), random(len(tokens), size)
    embedding[:, 0], output[:, 0] = 3.0, -30.0  # a constant, by which all but letters are unlikely
    output[3 + ord("a") : 3 + ord("z") + 1, 0] = 0.0
    file.add_tensor("token_embd.weight", embedding)
    file.add_tensor("output_norm.weight", np.ones(size, np.float32))
    file.add_tensor("output.weight", output)
    for name in ("attn_norm", "ffn_norm"):
        file.add_tensor(f"blk.0.{name}.weight", np.ones(size, np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        file.add_tensor(f"blk.0.{name}.weight", random(size, size))
    for name, shape in {
        "ffn_gate": (inner, size),
        "ffn_up": (inner, size),
        "ffn_down": (size, inner),
    }.items():
        file.add_tensor(f"blk.0.{name}.weight", random(*shape))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
