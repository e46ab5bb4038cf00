"""Four callers of one language model in this process: answers one by one, or all at once."""

import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from benchmarks.figures import median, table
from LLM.base import ChatModel
from LLM.transformers_chat import TransformersChatModel
from pipeline.messages import ChatMessage
from pipeline.turn import CancelToken

CALLERS = 4
ROUNDS = 5
PROMPT_WORDS = 150
"""Length of a system prompt and a few exchanges."""

ANSWER_WORDS = 30
"""Length of some ten seconds of speech."""

TEMPLATE = "{% for m in messages %} {{ m.content }}{% endfor %}"


@dataclass(frozen=True)
class Round:
    """Times of callers that ask at the same moment, in seconds."""

    first_words: list[float]
    whole: float

    @property
    def words_each_s(self) -> float:
        """Words a second of all callers together."""
        return len(self.first_words) * ANSWER_WORDS / self.whole


def random_model(folder: Path) -> Path:
    """Save a Qwen3 with 32 million random weights, whose tokens are words."""
    words = {name: number for number, name in enumerate(["<unk>", "<end>", *map(str, range(600))])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(words),
        hidden_size=512,
        intermediate_size=1536,
        num_hidden_layers=10,
        num_attention_heads=8,
        num_key_value_heads=4,
        head_dim=64,
        max_position_embeddings=4096,
        tie_word_embeddings=False,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight[:2] = 0  # it never ends by itself
    model.save_pretrained(folder)
    return folder


def ask(model: ChatModel, callers: int, seed: int) -> Round:
    """Ask `callers` questions at once. The program refuses callers that wait longer than ten seconds;
    this does not."""
    first_words: list[float] = []
    slots = threading.Semaphore(model.info.slots)
    together = threading.Barrier(callers + 1)

    def call(number: int) -> None:
        words = " ".join(str((seed * 31 + number * 7 + n) % 600) for n in range(PROMPT_WORDS))
        question = [ChatMessage("user", words)]
        together.wait()
        begun_at = time.perf_counter()
        with slots:
            answer = model.generate(question, CancelToken())
            next(answer)
            first_words.append(time.perf_counter() - begun_at)
            for _ in answer:
                pass

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    together.wait()
    begun_at = time.perf_counter()
    for thread in threads:
        thread.join()
    return Round(first_words, time.perf_counter() - begun_at)


def main() -> str:
    """Run the benchmark and return its table. On one core, since threads that wait for each other
    measure the other load on the machine."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        random_model(Path(folder))
        settings = {"max_new_tokens": ANSWER_WORDS, "do_sample": False}
        chat_models = {
            name: TransformersChatModel(folder, "cpu", "float32", parallel=parallel, gen_kwargs=settings)
            for name, parallel in (("one by one", 1), (f"--llm_parallel {CALLERS}", CALLERS))
        }
    cases = [(name, callers) for callers in (1, CALLERS) for name in chat_models]
    rounds: dict[tuple[str, int], list[Round]] = {case: [] for case in cases}
    for seed in range(ROUNDS):  # side by side, so that other load affects all alike
        for name, callers in cases:
            rounds[name, callers].append(ask(chat_models[name], callers, seed))
    for model in chat_models.values():
        model.close()
    rows = [
        [
            name,
            callers,
            median([1000 * first for r in rounds[name, callers] for first in r.first_words]),
            median([1000 * max(r.first_words) for r in rounds[name, callers]]),
            median([r.words_each_s for r in rounds[name, callers]]),
        ]
        for name, callers in cases
    ]
    header = ["", "callers", "first word, median ms", "first word of the last, median ms", "tokens / s"]
    return table(
        "Callers of one language model in this process, 32 million weights, one core", header, rows
    )


if __name__ == "__main__":
    print(main())
