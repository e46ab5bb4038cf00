"""A language model server that sends nonsense: does every conversation survive it?

    python -m benchmarks.hostile --answers 1000 --seed 1

Each of several clients of the Realtime protocol asks a question that is answered with nonsense
(benchmarks/hostile_model.py), and then one that is answered sanely. Counts the connections that were
closed, the answers that never ended, the sane answers that were not heard, and the answers that were
called complete though nothing of them was heard.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from benchmarks.figures import table
from benchmarks.hostile_model import HOSTILE, SANE, HostileModel
from benchmarks.line import RealtimeLine
from benchmarks.program import web_server

ANSWERS, CLIENTS, SEED = 1000, 16, 1

OVER_S = 30.0
"""Longest wait for the end of an answer; the longest answers play for ten seconds."""

TOOL = {"type": "function", "name": "look", "description": "Look.", "parameters": {"type": "object"}}
FAULTS = (
    "connection closed",
    "never over",
    "next turn not heard",
    "completed, not heard",
    "refused by a server",
)


async def converse(port: int, numbers: list[int], seen: Counter[str], model: HostileModel) -> None:
    """Ask the questions with these numbers, each followed by a sane one."""
    line = RealtimeLine(port)
    await line.open()
    line.say("session.update", session={"type": "realtime", "tools": [TOOL]})
    events = line.events()
    try:
        for number in numbers:
            asked = f"{HOSTILE} {number}"
            status, _, heard, called = await _ask(line, events, asked)
            seen[f"answers {status}"] += 1
            if status == "completed" and not (heard or called) and number in model.spoke:
                _fault(seen, "completed, not heard", asked)
            status, said, heard, _ = await _ask(line, events, f"{SANE} {number}")
            if not (status == "completed" and heard and str(number) in said):
                _fault(seen, "next turn not heard", f"{asked}: {status}, {said!r}")
    except TimeoutError:
        _fault(seen, "never over", asked)
    except (ConnectionError, EOFError, StopAsyncIteration):
        _fault(seen, "connection closed", asked)
    finally:
        line.close()


async def _ask(
    line: RealtimeLine, events: AsyncIterator[dict[str, Any]], text: str
) -> tuple[str, str, int, int]:
    """Ask, and wait for the end of the answer. Returns its status, its words, and the numbers of its
    pieces of audio and of its calls."""
    content = [{"type": "input_text", "text": text}]
    line.say("conversation.item.create", item={"type": "message", "role": "user", "content": content})
    line.say("response.create")
    said, heard, calls = "", 0, 0
    async with asyncio.timeout(OVER_S):
        while True:
            event = await anext(events)
            match event["type"]:
                case "response.output_audio.delta":
                    heard += 1
                case "response.output_audio_transcript.delta":
                    said += event["delta"]
                case "response.done":
                    response = event["response"]
                    calls = sum(item["type"] == "function_call" for item in response["output"])
                    return response["status"], said, heard, calls


def _fault(seen: Counter[str], kind: str, about: str) -> None:
    seen[kind] += 1
    print(f"{kind}: {about}", file=sys.stderr)


async def ask_all(port: int, answers: int, clients: int, model: HostileModel) -> Counter[str]:
    """Let all clients ask their share."""
    seen: Counter[str] = Counter()
    shares = [list(range(first, answers, clients)) for first in range(clients)]
    await asyncio.gather(*(converse(port, share, seen, model) for share in shares))
    return seen


def run(answers: int, clients: int, seed: int) -> Counter[str]:
    """Count the outcomes of so many answers."""
    with HostileModel(seed) as model:
        flags = [
            "--tts",
            "espeak",
            "--llm",
            "openai",
            "--llm_base_url",
            model.base_url,
            "--llm_retries",
            "0",
        ]
        with web_server(*flags) as port:
            seen = asyncio.run(ask_all(port, answers, clients, model))
        seen["refused by a server"] = len(model.poisoned)
        for fault in sorted(set(model.poisoned)):
            print(f"in a request: {fault}", file=sys.stderr)
    return seen


def main(answers: int = ANSWERS, clients: int = CLIENTS, seed: int = SEED) -> str:
    """Run the benchmark and return its table."""
    seen = run(answers, clients, seed)
    rows = [[name, seen[name]] for name in (*FAULTS, *sorted(seen.keys() - FAULTS))]
    return table(
        f"{answers} answers of a hostile model, {clients} clients, seed {seed}", ["", "how many"], rows
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--answers", type=int, default=ANSWERS)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    print(main(**vars(parser.parse_args())))
