"""word_pages: the pages of the help about the words of `s2s`."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from catalog.environments import ENVIRONMENTS
from command_line.arguments import MODES
from command_line.flag_rows import rows, shown, to_type
from command_line.parser import Parser


@dataclass(frozen=True, slots=True)
class WordPage:
    """The page about one word: what to type, what it does, and examples."""

    usage: str
    about: str
    examples: tuple[str, ...]
    mode: str | None = None
    """The mode whose flags belong to the word."""
    explained: tuple[str, ...] = ()
    """The flags that the page explains, if the mode has too many; (): all."""

    def lines(self, width: int) -> Iterator[str]:
        """The page, in lines of at most `width`."""
        yield from (self.usage, "", *textwrap.wrap(self.about, width), "", "Examples")
        yield from (f"  {example}" for example in self.examples)
        if self.mode is not None:
            yield from ("", "Flags")
            yield from self._flags(self.mode, width)
            yield from ("", "The flags of everything else are in: s2s --help")

    def _flags(self, mode: str, width: int) -> Iterator[str]:
        (actions,) = Parser([MODES[mode]]).groups.values()
        by_name = {action.dest: action for action in shown(actions)}
        explained = [by_name.pop(name) for name in self.explained or tuple(by_name)]
        yield from rows(explained, width)
        if by_name:
            yield from ("", f"For a public server (s2s --help {mode} explains all)")
            names = " ".join(to_type(action) for action in by_name.values())
            yield from textwrap.wrap(
                names, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
            )


WORD_PAGES = {
    "talk": WordPage(
        "s2s talk [settings.json] [flags]",
        "Talks with you through the microphone and the loudspeaker of this machine. Without the word, "
        "s2s does the same, and opens a page if one of them is missing.",
        ("s2s talk", "s2s talk --headphones", "s2s talk --preset cpu"),
        "local",
    ),
    "serve": WordPage(
        "s2s serve [settings.json] [flags]",
        "Serves a web page to talk on, at http://localhost:8000/, and an API for programs.",
        (
            "s2s serve --open",
            "s2s serve --port 9000",
            "s2s serve --host 0.0.0.0 --token_file tokens.txt",
        ),
        "websocket",
        (
            *("open", "port", "host", "token", "token_file", "insecure"),
            *("ssl_certfile", "ssl_keyfile", "allow_origins"),
        ),
    ),
    "file": WordPage(
        "s2s file recording [flags]",
        "Answers a recording. The reply is written to reply.wav; both sides in stereo, and a "
        "transcript, beside it.",
        ("s2s file question.wav", "s2s file question.wav --output answer.flac"),
        "file",
    ),
    "check": WordPage(
        "s2s check [all] [settings.json] [flags]",
        "Says what must be fixed before you can talk, what would be better, and what is ready, each "
        "with what to type. With all it shows every engine, model and variable, too. The flags are "
        "those of the conversation that you mean.",
        ("s2s check", "s2s check all", "s2s check --mode websocket --preset cuda"),
    ),
    "voices": WordPage(
        "s2s voices [engine] [flags]",
        "Lists the voices of the engine that speaks, or of another: a synthesizer, or an end-to-end "
        "engine. --tts_voice NAME chooses one of a synthesizer, --s2s_voice NAME one of the others.",
        ("s2s voices", "s2s voices kokoro", "s2s talk --tts kokoro --tts_voice af_heart"),
    ),
    "get": WordPage(
        "s2s get [name] [flags]",
        "Downloads models before they are needed: without a name those that are built in, with one a "
        "better part or the models of a preset, with flags those of the parts that they choose.",
        ("s2s get", "s2s get kokoro", "s2s get cpu", "s2s get --stt faster-whisper"),
    ),
    "install": WordPage(
        "s2s install engine",
        "Installs an engine in an environment of its own, apart from the others, whose packages it "
        f"would disturb: {', '.join(environment.name for environment in ENVIRONMENTS)}.",
        ("s2s install parler",),
    ),
}
