"""A function of a Realtime client is called by a model in the program's own process."""

import json
import re
import signal
import subprocess
from pathlib import Path

from tests.command import command
from tests.LLM.tiny_gguf import TOOL_TEMPLATE, tiny_gguf
from tests.realtime_client import RealtimeClient

LAMP = {
    "type": "function",
    "name": "lamp",
    "description": "Switch the lamp.",
    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
}


def test_the_model_calls_and_is_told_the_result(tmp_path: Path) -> None:
    file = tiny_gguf(tmp_path / "tools.gguf", template=TOOL_TEMPLATE)
    engines = ["--llm", "llama-cpp", "--llm_model_name", str(file), "--tts", "espeak"]
    limits = ["--llm_context", "1024", "--llm_gen_max_tokens", "120", "--llm_gen_temperature", "0"]
    server = subprocess.Popen(
        command("--mode", "websocket", "--port", "0", *engines, *limits),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    with server.stderr as told:
        line = next(line for line in told if "http://localhost:" in line)
        port = int(re.findall(r"localhost:(\d+)", line)[0])
        with RealtimeClient(port) as client:
            client.until("session.created")
            client.configure(tools=[LAMP], tool_choice="required", instructions="Be brief.")
            client.note("Switch on the lamp.")
            client.send("response.create", response={"output_modalities": ["text"]})
            first = client.until("response.done").response.output[0]
            assert (first.type, first.name) == ("function_call", "lamp")
            assert json.loads(first.arguments)["on"] in (True, False)
            output = {"type": "function_call_output", "call_id": first.call_id, "output": "done"}
            client.send("conversation.item.create", item=output)
            client.send("response.create", response={"output_modalities": ["text"]})
            last = client.until("response.done").response
            assert last.status_details.reason == "max_output_tokens", "random weights find no end"
            assert last.output[0].type == "function_call"
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130
