"""A scripted server in its own process, which logs as the command does.

``python -m tests.log_server LEVEL FORMAT TOKEN`` prints its port, and serves until its input ends.
"""

import sys
from collections.abc import Iterator, Sequence

from pipeline.errors import EngineError
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from testing.server import ScriptedWebServer
from utils.logs import set_up_logging


def generate(
    messages: Sequence[ChatMessage],
    cancel: CancelToken,
    tools: Sequence[Tool] = (),
    tool_choice: str = ANY_TOOL,
) -> Iterator[str]:
    """Answer, or fail as the message says; the errors contain the user's words."""
    said = messages[-1].content
    if "refuse" in said:
        raise EngineError(f"refused: {said}", "unreachable")
    if "break" in said:
        raise ValueError(said)
    yield "the answer is ANSWERED"


if __name__ == "__main__":
    level, written_as, token = sys.argv[1:]
    set_up_logging(level, written_as)
    with ScriptedWebServer(token=token, max_sessions=2) as server:
        server.stt._texts = ["the user SAID"]
        server.llm.generate = generate  # type: ignore[method-assign]
        print(server.port, flush=True)
        sys.stdin.read()
