"""`--help`, and its pages about parts, engines, modes and presets."""

import dataclasses
import re
import sys
import textwrap
from pathlib import Path

import pytest

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.chat_server_arguments import ChatServerArguments
from arguments_classes.failover_arguments import FailoverArguments
from arguments_classes.module_arguments import ModuleArguments
from arguments_classes.vad_arguments import VADArguments
from catalog.registry import all_specs
from command_line.arguments import MODES
from command_line.flag_rows import COLUMN
from command_line.help_pages import EXAMPLES
from command_line.parse import parse_command_line
from command_line.words import WORDS, flags_for, split
from pipeline.errors import UserError

COMMON = (ModuleArguments, VADArguments, ChatArguments, ChatServerArguments, FailoverArguments)
CLASSES = (*COMMON, *MODES.values(), *(c for spec in all_specs() if (c := spec.argument_class())))


def page(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parse_command_line(argv)
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_the_short_page_begins_with_examples_and_names_each_flag_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = page(capsys, "--mode", "local", "--help")
    lines = shown.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert lines[2] == "Examples"
    assert lines[9:11] == ["", "Flags"]
    flags = re.findall(
        r"(?<![\w|-])--[a-z]\w*", shown.partition("\nFlags\n")[2].partition("\n--help all")[0]
    )
    assert {"--mode", "--preset", "--headphones", "--no_speculate", "--stt_model_name"} <= set(flags)
    assert len(flags) == len(set(flags)), "each once"
    assert "(default: None)" not in shown
    assert not re.search(r"--\w+-\w", shown), "only the spelling with underscores"


@pytest.mark.parametrize(("words", "flags"), [example[1:] for example in EXAMPLES])
def test_the_examples_work(words: str, flags: str) -> None:
    by_flags = parse_command_line(flags.split())
    assert parse_command_line(flags_for(*split(words.split()))) == by_flags


@pytest.mark.parametrize(
    ("started", "spelling"),
    [("/usr/bin/s2s", "s2s talk"), ("s2s_pipeline.py", "python s2s_pipeline.py --mode local")],
)
def test_examples_are_spelled_as_the_program_was_started(
    started: str, spelling: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [started])
    assert f" {spelling}\n" in page(capsys, "-h")


@pytest.mark.parametrize("word", WORDS)
def test_a_word_has_a_page_and_its_examples_work(
    word: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/s2s"])
    shown = page(capsys, *flags_for(*split([word, "--help"])))
    assert shown.startswith(f"s2s {word} ")
    assert len(shown.splitlines()) <= 40
    assert max(map(len, shown.splitlines())) <= 80
    for example in shown.partition("Examples\n")[2].partition("\n\n")[0].splitlines():
        assert example.startswith("  s2s ")
        parsed, flags = split(example.split()[1:])
        if parsed != "get":
            parse_command_line(flags_for(parsed, flags))


@pytest.mark.parametrize(("word", "mode"), [("talk", "local"), ("serve", "websocket"), ("file", "file")])
def test_the_page_of_a_word_names_every_flag_of_its_mode(
    word: str, mode: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/s2s"])
    flags = page(capsys, *flags_for(*split([word, "--help"]))).partition("\nFlags\n")[2]
    fields = dataclasses.fields(MODES[mode])
    assert [field.name for field in fields if not re.search(rf" --{field.name}\b", flags)] == []


def test_the_page_of_s2s_is_that_of_the_conversation_that_it_begins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/s2s"])
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    shown = page(capsys, *flags_for(*split(["--help"])))
    assert len(shown.splitlines()) <= 40
    assert "  mode local        --input_device" in shown


def test_the_page_shows_the_flags_of_the_voice_that_will_speak(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("piper", reason="no wheel for this machine")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/s2s"])
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    flags = "--tts_model_name --tts_voice --tts_language --tts_speed"
    assert f"  tts piper         {flags}\n" in page(capsys, *flags_for(*split(["--help"])))
    shown = page(capsys, *flags_for(*split(["--help", "tts"])))
    assert "\n--tts piper\n  --tts_model_name MODEL\n" in shown
    assert "--tts_rate" not in shown


@pytest.mark.parametrize(
    ("words", "mode"),
    [([], "local"), (["serve"], "websocket"), (["file"], "file")],
)
def test_the_page_of_all_flags_has_the_mode_of_the_word(
    words: list[str], mode: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    default = re.compile(
        r"\n  --mode MODE +local, websocket, file, socket or realtime\s+\(default:\s+(\w+)\)"
    )
    assert default.findall(page(capsys, "--help", "all")) == ["socket"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/s2s"])
    shown = page(capsys, *flags_for(*split([*words, "--help", "all"])))
    assert default.findall(shown) == [mode]


@pytest.mark.parametrize(
    ("topic", "parts"),
    [
        ("tts", ("kokoro ", "--tts_voice VOICE", "--tts_language CODE")),
        ("llm", ("llama-cpp ", "--llm_model_name MODEL", "conversation", "--chat_size N")),
        ("vad", ("silero ", "--speculate/--no_speculate", "(default: on)")),
        ("s2s", ("moshi ", "realtime ")),
        ("kokoro", ("--tts kokoro: ", "--tts_onnx")),
        ("open_api", ("--llm openai: ", "--llm_base_url URL")),
        ("openai", ("--stt openai: ", "--llm openai: ", "--tts openai: ")),
        ("eliza", ("--llm eliza: ", "it has no flags")),
        ("file", ("--mode file", "--realtime/--no_realtime", "(default: reply.wav)")),
        ("cpu", ("small models, fast enough on a CPU", "--tts pocket")),
        ("presets", ("offline ", "classic ")),
        ("all", ("--mode file", "--mode local", "--s2s_sessions N", "--failover_tts_s N", "offline ")),
    ],
)
def test_the_page_of_a_topic(
    topic: str, parts: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = page(capsys, "--help", topic)
    assert not [part for part in parts if part not in shown], shown


def test_the_page_of_a_part_has_the_flags_of_the_chosen_engine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = page(capsys, "--tts", "openai,espeak", "--help", "tts")
    assert "--tts openai" in shown
    assert "--tts_espeak_rate N" in shown
    assert "words per minute, 80 to 450 (default: 170)" in shown
    assert "--tts_onnx" not in shown


def test_an_unknown_topic_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"got 'kokro'; did you mean --help kokoro\?"):
        parse_command_line(["--help", "kokro"])


@pytest.mark.parametrize("flags", CLASSES)
def test_explanations_have_at_most_two_lines(flags: type) -> None:
    for field in dataclasses.fields(flags):
        text = field.metadata["help"]
        assert len(textwrap.wrap(text, 80 - COLUMN, break_on_hyphens=False)) <= 2, (field.name, text)


def test_every_switch_has_an_opposite() -> None:
    assert parse_command_line(["--json_events", "--no_json_events"]).module.json_events is False
    assert parse_command_line(["--no-json-events"]).module.json_events is False
    assert parse_command_line(["--json_events"]).module.json_events is True
    on = parse_command_line(["--llm", "transformers", "--llm_gen_do_sample"]).engines["llm"][0]
    assert on.settings["gen_kwargs"]["do_sample"] is True
