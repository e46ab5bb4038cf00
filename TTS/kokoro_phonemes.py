"""Converts text to the phonemes on which Kokoro was trained, by way of those of eSpeak NG.

The weights were trained on the phonemes of misaki (hexgrad/misaki, Apache-2.0), which writes a diphthong
or an affricate as one letter: "A" in "day", "ʤ" in "jam". The tables are those of misaki/espeak.py and,
for Japanese and Chinese, made to match misaki/ja.py and misaki/zh.py. Unlike misaki with
spaCy, eSpeak does not analyze grammar ("read", "lead"), and in Japanese it reads only kana.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping

import sentencex

from pipeline.errors import EngineError
from TTS.espeak import espeak_library
from TTS.espeak_text import for_espeak
from TTS.kokoro_voices import LANGUAGES

_SYMBOLS = (
    (1, ";:,.!?"), (9, '—…"()“” \u0303ʣʥʦʨᵝꭧAI'), (31, "O"), (33, "Q"), (35, "ST"), (39, "W"),
    (41, "Yᵊabcdef"), (50, "hijklmnopqrstuvwxyzɑɐɒæ"), (75, "βɔɕç"), (80, "ɖðʤə"), (85, "ɚɛɜ"),
    (90, "ɟ"), (92, "ɡ"), (99, "ɥ"), (101, "ɨɪʝ"), (110, "ɯɰŋɳɲɴø"), (118, "ɸθœ"), (123, "ɹ"),
    (125, "ɾɻ"), (128, "ʁɽʂʃʈʧ"), (135, "ʊʋ"), (138, "ʌɣɤ"), (142, "χʎ"), (147, "ʒʔ"), (156, "ˈˌː"),
    (162, "ʰ"), (164, "ʲ"), (169, "↓"), (171, "→↗↘"), (177, "ᵻ"),
)  # fmt: skip
TOKENS: Mapping[str, int] = {
    symbol: first + place for first, symbols in _SYMBOLS for place, symbol in enumerate(symbols)
}
"""Phonemes and punctuation ▶ their numbers, from config.json of hexgrad/Kokoro-82M; 0 begins and ends
a text."""

_ENGLISH_VOICES = ("a", "b")

_VOICES = {
    "a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "j": "ja", "p": "pt-br",
    "z": "cmn",
}  # fmt: skip
"""The first letter of a voice ▶ the voice of eSpeak."""

_ENGLISH = {
    "ʔˌn\u0329": "tn", "ʔn\u0329": "tn", "ʔ": "t", "a^ɪ": "I", "a^ʊ": "W", "d^ʒ": "ʤ", "e^ɪ": "A",
    "e": "A", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "ə^l": "ᵊl", "ʲo": "jɔ", "ʲə": "jə", "ʲ": "", "ɚɹ": "əɹ",
    "ɚ": "əɹ", "r": "ɹ", "x": "k", "ç": "k", "ɐ": "ə", "ɬ": "l", "\u0303": "", "o": "ɔ", "ɾ": "T",
}  # fmt: skip
_AMERICAN = {"o^ʊ": "O", "ɜːɹ": "ɜɹ", "ɜː": "ɜɹ", "ɪə": "iə", "ː": ""}
_BRITISH = {"e^ə": "ɛː", "iə": "ɪə", "ə^ʊ": "Q"}
_OTHERS = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "s^s": "S",
    "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "-": "",
}  # fmt: skip
_JAPANESE = {
    "t^ɕ": "ʨ", "d^ʑ": "ʥ", "t^s": "ʦ", "dz": "ʣ", "ɯ^ᵝ": "ɯ", "ɽ": "ɾ", "ˈ": "", "ˌ": "", "hi": "çi",
}  # fmt: skip
_CHINESE = {
    "ts.h": "ꭧʰ", "ts.": "ꭧ", "tsh": "ʦʰ", "ts": "ʦ", "tS;h": "ʨʰ", "tS;": "ʨ", "S;": "ɕ", "s.": "ʂ",
    "z.": "ɻ", "kh": "kʰ", "ph": "pʰ", "th": "tʰ", "X": "x", "N": "ŋ", "i.": "ɨ", "i[": "ɨ", "iE": "jɛ",
    "iA": "ja", "iou": "jou", "uo": "wo", "uA": "wa", "uai": "wai", "uei": "wei", "u@": "wə",
    "ong": "ʊŋ", "yE": "ɥe", "y&": "ɥɛ", "y@": "y", "o-": "ɤ", "@r": "ɚ", "@": "ə", "A": "a", "E": "ɛ",
    "'": "", ",": "", "_": "", "|": "", "55": "→", "35": "↗", "214": "↓", "21": "↓", "51": "↘", "11": "",
}  # fmt: skip
"""From eSpeak's own names of Chinese phonemes and tones, since its output in the phonetic alphabet does
not distinguish the tones."""

_TABLES = {"a": _ENGLISH | _AMERICAN, "b": _ENGLISH | _BRITISH, "j": _JAPANESE, "z": _CHINESE}
"""The first letter of a voice ▶ eSpeak's phonemes and misaki's; of the other voices: `_OTHERS`."""

_BETWEEN_WORDS = re.compile(r"(?<=\w) (?=\w)")
"""A non-breaking space in its place keeps eSpeak from running English words together: "in the" would be
"ɪnðə", on which the model was not trained."""

_PRONOUN = re.compile(r"(?<!\S)(?=I[mvdl]?(?:\s|$))")
"""The start of "I", "I'm", "I've". misaki stresses it, eSpeak does not, and Kokoro then swallows it."""

_MARK = re.compile(r"([;:,.!?—…，、。！？：；।])\W*\w?$")
"""The punctuation at the end of a clause, before the first character of the next."""

_ASCII_MARKS = str.maketrans("，、。！？：；।", ",,.!?:;.")
_SYLLABIC = re.compile(r"(\S)\u0329")
"""A syllabic consonant, as in "button"."""

_FOREIGN = re.compile(r"\([^)]*\)")
"""The mark that eSpeak writes where it switches languages: "(en)"."""

_KANJI = re.compile("[\u3400-\u9fff]")


def clauses(text: str, letter: str) -> Iterator[str]:
    """The clauses of a text in phonemes, each with its punctuation; `letter` is the first of a voice.

    Raises `EngineError` for kanji in Japanese: eSpeak would name the script instead of reading them.
    """
    if letter == "j" and _KANJI.search(text):
        raise EngineError(
            "expected Japanese in kana, got kanji; use --tts kokoro-torch, which reads them",
            "no_phonemes",
        )
    language = LANGUAGES[letter]
    text = text.encode("utf-8", "replace").decode()  # a server may cut an emoji in two
    for sentence in sentencex.segment(language, for_espeak(text)):
        for line in sentence.splitlines():
            yield from _clauses_of_sentence(line, letter)


def _clauses_of_sentence(sentence: str, letter: str) -> Iterator[str]:
    """Join what eSpeak takes for two clauses at the period of an abbreviation: "Mr. Smith"."""
    if letter in _ENGLISH_VOICES:
        sentence = _BETWEEN_WORDS.sub("\u00a0", sentence)
    found = espeak_library().phonemes(sentence, _VOICES[letter], ipa=letter != "z")
    clause: list[str] = []
    for place, (characters, spoken) in enumerate(found):
        ends = _MARK.search(characters)
        mark = ends[1].translate(_ASCII_MARKS) if ends else ""
        last = place == len(found) - 1
        if phonemes := _as_trained(spoken, letter):
            clause.append(phonemes + ("" if mark == "." and not last else mark))
        if clause and (last or clause[-1][-1] in ";:,.!?—…"):
            yield " ".join(clause)
            clause = []


def _as_trained(spoken: str, letter: str) -> str:
    """Turn eSpeak's phonemes into misaki's, without those that have no token."""
    table = _TABLES.get(letter, _OTHERS)
    longest_first = sorted(table, key=len, reverse=True)
    known_to_espeak = re.compile("|".join(map(re.escape, longest_first)))
    spoken = known_to_espeak.sub(lambda match: table[match[0]], _FOREIGN.sub("", spoken))
    if letter in _ENGLISH_VOICES:
        spoken = _PRONOUN.sub("ˌ", _SYLLABIC.sub(r"ᵊ\1", spoken))
    known = (c if c in TOKENS else unicodedata.normalize("NFD", c) for c in spoken)
    return "".join(c for c in "".join(known) if c in TOKENS).strip()
