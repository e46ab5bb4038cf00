"""Annotations of recognizers are not words; other words in brackets are."""

import pytest

from STT.annotations import without_annotations
from STT.base import Transcription
from STT.no_speech import is_silence


@pytest.mark.parametrize(
    "text",
    [
        "[BLANK_AUDIO]",
        " [BLANK_AUDIO]\n [BLANK_AUDIO]",
        "[ Silence ]",
        "[ Pause ]",
        "[silence].",
        "[Music]",
        "(music)",
        "[MUSIC PLAYING]",
        "(upbeat music)",
        "(soft piano music playing in the background)",
        "*music*",
        "*coughs*",
        "**Clears throat**",
        "[Applause] [Laughter]",
        "(audience laughing)",
        "(door closes) (footsteps)",
        "[phone ringing]",
        "(dog barks)",
        "[inaudible]",
        "[INAUDIBLE SPEECH]",
        "(unintelligible)",
        "(speaking foreign language)",
        "(speaks in foreign language)",
        "[SPEAKING SPANISH]",
        "[foreign]",
        "[no audio]",
        "[No speech]",
        "[end of recording playback]",
        "[NOISE]",
        "<unk>",
        "<noise>",
        "++NOISE++",
        "♪",
        "♪♪",
        "♪ la la la ♪",
        "🎵 Music 🎵",
        "♪ one ♪ ♪ two ♪",
        "<|nospeech|>",
        "<|en|><|nospeech|><|EMO_UNKNOWN|><|woitn|>",
        "<|0.00|><|2.40|>",
        "<|startoftranscript|><|notimestamps|><|endoftext|>",
        "[_BEG_][_TT_150]",
        "[BLANK_AUDIO",
        "(music",
        "[Musik]",
        "[Musique]",
        "[Música]",
        "[Mu\u0301sica]",
        "(risas)",
        "[музыка]",
        "[音楽]",
        "（拍手）",
        "【笑い声】",
        "[음악]",
        "[संगीत]",
        "",
    ],
)
def test_sounds_are_nothing_said(text: str) -> None:
    assert without_annotations(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello [MUSIC] there", "Hello there"),
        ("Hello [MUSIC], there.", "Hello, there."),
        ("[Music] Hello there.", "Hello there."),
        ("(coughs), excuse me", "excuse me"),
        ("*sighs* All right (laughs)", "All right"),
        ("<|0.00|> Hello<|1.20|><|1.20|> there.<|2.00|>", "Hello there."),
        ("<|en|><|NEUTRAL|><|Speech|><|withitn|>Hello.", "Hello."),
        ("♪ la la ♪ What song is this?", "What song is this?"),
        ("♪ What song is this?", "What song is this?"),
        ("你好[音乐]世界", "你好 世界"),
        ("Stop. [BLANK_AUDIO", "Stop."),
    ],
)
def test_annotations_among_words_are_taken_out(text: str, words: str) -> None:
    assert without_annotations(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "(555) 123",
        "He wrote recieve [sic] twice.",
        "I *love* it",
        "2*3*4 is 24",
        "f(x) = [1, 2]",
        "a < b and c > d",
        "The music is loud.",
        "Silence!",
        "Applause",
        "(no)",
        "(of course)",
        "(rock)",
        "[Bob]: Yes!",
        "<first name>",
        "(music for two violins)",
        "[a song about silence]",
        "Thanks for watching!",
        "  spaces   are not touched ",
        "...",
    ],
)
def test_words_stay(text: str) -> None:
    assert without_annotations(text) == text


def test_every_transcription_is_words_as_valid_unicode() -> None:
    assert Transcription("[BLANK_AUDIO]").text == ""
    assert Transcription("Hello \ud83d\ude00 \ud83d").text == "Hello 😀 \ufffd"


@pytest.mark.parametrize(
    ("no_speech", "sureness", "silence"),
    [(0.9, -1.2, True), (0.9, -0.5, False), (0.5, -1.2, False), (0.61, -1.0, True)],
)
def test_whisper_itself_says_that_it_heard_nothing(
    no_speech: float, sureness: float, silence: bool
) -> None:
    assert is_silence(no_speech, sureness) == silence
