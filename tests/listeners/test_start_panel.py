"""The start panel: its rows, and how they look on a terminal and in a file."""

import io
import sys

import pytest

from listeners.start_panel import describe, show_panel
from pipeline.description import Description, Part

BUILT_IN = Description(
    (
        Part("vad", "silero", "", None, ("*",), False, None),
        Part("stt", "moonshine", "small and fast", "tiny-en", ("en",), False, None),
        Part("llm", "smollm2", "SmolLM2-135M: very small", None, ("en",), True, None),
        Part("tts", "piper", "", "en_US-joe-medium", ("en",), False, None),
        Part("tts", "espeak", "a robot's voice", None, ("*",), True, None),
    ),
    hints={"llm": "for real answers, install Ollama", "tts": ""},
)
SOUND = "Built-in Microphone ▸ Built-in Output (echo removed)"


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, width: int = 80) -> list[str]:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    show_panel(describe(BUILT_IN, SOUND))
    return stream.getvalue().splitlines()


def test_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    class File(io.StringIO):
        encoding = "utf-8"

    assert shown(monkeypatch, File(), 40) == [
        "  Ears   Moonshine tiny-en · English",
        "  Mind   SmolLM2-135M: very small  ▸ for real answers, install Ollama",
        "  Voice  Piper en_US-joe-medium · English, else eSpeak",
        "  Mic    Built-in Microphone ▸ Built-in Output (echo removed)",
        "  Private: nothing you say leaves this machine",
    ]


def test_without_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ascii(io.StringIO):
        encoding = "ascii"

    lines = shown(monkeypatch, Ascii())
    assert lines[0] == "  Ears   Moonshine tiny-en - English"
    assert lines[3] == "  Mic    Built-in Microphone > Built-in Output (echo removed)"
    assert "\n".join(lines).isascii()


def test_a_narrow_terminal_wraps_beside_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    lines = shown(monkeypatch, Terminal(), 40)
    plain = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines]
    assert plain[1:4] == [
        "  Mind   SmolLM2-135M: very small  ▸ for",
        "         real answers, install Ollama",
        "  Voice  Piper en_US-joe-medium ·",
    ]
    assert all(len(line) <= 40 for line in plain)


def test_engines_elsewhere_are_told() -> None:
    elsewhere = Description(
        (
            Part("stt", "moonshine", "", "tiny-en", ("en",), False, None),
            Part("llm", "openai", "any server", "gpt-5-mini", ("*",), False, "api.openai.com"),
            Part("tts", "openai", "any server", "tts-1", ("*",), False, "voices.example"),
        )
    )
    rows = list(describe(elsewhere))
    assert rows[1].text == "gpt-5-mini · any language · at api.openai.com"
    assert rows[-1].text == (
        "Not private: your words go to api.openai.com, the answers go to voices.example"
    )


@pytest.mark.parametrize(
    ("device", "told"),
    [("cpu", ""), ("", ""), ("cuda, float16", " · on cuda, float16")],
)
def test_an_unusual_device_is_told(device: str, told: str) -> None:
    ears = Part("stt", "whisper", "", "openai/whisper-tiny", ("en",), False, None, device)
    assert next(describe(Description((ears,)))).text == f"whisper-tiny · English{told}"


def test_one_model_in_place_of_three() -> None:
    model = Part("s2s", "qwen-omni", "", "Qwen/Qwen2.5-Omni-3B", (), False, None)
    assert [row.label for row in describe(Description((model,)))] == ["Model", ""]
    assert next(iter(describe(Description((model,))))).text == "Qwen2.5-Omni-3B"
