"""Interjections: words that listeners say without taking the turn, and sounds of hesitation.

They are one feature among several of `Addressing`, never the rule; a language without a list does
without it.
"""

import functools
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import groupby

from pipeline.language import plain

HESITATIONS: Mapping[str, str] = {
    "en": "um uhm uh er erm eh ah oh ooh hm mm mm-hm mhm uh-huh huh ha haha ugh phew whew woo argh ach "
    "achoo atchoo ahem tsk pff psst shh well so you-know i-mean",
    "de": "äh ähm öh öhm ehm hm hmm mm ah ach oh hä hui puh uff haha hatschi",
    "es": "eh em ehm este mm hm hmm ah oh uf uy ay ja jaja achís",
    "fr": "euh heu hum hm hmm mm ah oh hein bah ben pff ouf aïe haha atchoum",
    "it": "eh ehm mm hm hmm ah oh uhm boh uff etciù ahah",
    "pt": "é eh hã hum hm hmm mm ah oh ufa ué atchim",
    "hi": "अं उम् हम्म हूँ अरे ओह आह उफ़",
    "te": "ఆ ఉమ్ మ్మ్ హమ్ అబ్బా ఓహ్ అయ్యో",
    "ja": "えー えっと ええと あの あのー うーん んー ん あー おー へー はっくしょん",
    "zh": "嗯 呃 额 啊 哦 噢 唔 哎 那个 阿嚏",
    "ko": "음 어 아 오 흠 에 저기 에취",
}
"""Sounds of hesitation, surprise or effort, words that only fill a pause, and the spellings that
recognizers find for coughs."""

BACKCHANNELS: Mapping[str, str] = {
    "en": "yeah yep yup yes okay ok kay right all-right alright sure i-see i-c wow really good great "
    "nice cool true exactly indeed absolutely of-course got-it makes-sense make-sense thats-right "
    "thats-true is-that-so no-way go-on interesting fine totally definitely perfect fair-enough i-know",
    "de": "mhm ja jaja jo okay ok genau stimmt richtig gut klar ach-so aha verstehe echt wirklich super "
    "toll schön natürlich eben",
    "es": "sí ajá vale ya claro bien bueno okay ok exacto cierto entiendo de-acuerdo qué-bien verdad "
    "perfecto por-supuesto",
    "fr": "oui ouais mhm d'accord okay ok bien-sûr voilà exactement je-vois ah-bon c'est-vrai super "
    "bien vraiment tout-à-fait",
    "it": "sì mhm okay ok va-bene certo giusto esatto capisco bene davvero ho-capito ecco",
    "pt": "sim aham uhum tá okay ok certo claro isso entendi pois-é bom verdade exato",
    "hi": "हाँ हां जी अच्छा ठीक ठीक-है सही हम्म बिल्कुल समझा ओके",
    "te": "అవును సరే అలాగే ఊ ఊఁ అవునా నిజమే ఓకే అర్థమైంది మంచిది",
    "ja": "はい うん うんうん ええ そう そうですね そうですか なるほど へえ ほんと たしかに オッケー",
    "zh": "对 是 是的 好 好的 嗯嗯 哦 明白 知道了 没错 真的 行 可以",
    "ko": "네 예 응 그래 그래요 맞아 맞아요 그렇구나 알겠어요 정말",
}
"""Words with which a listener shows attention, or agrees, while somebody else is speaking."""

OPENINGS: Mapping[str, str] = {
    "en": "stop wait no not never hey hello sorry please enough next again pause cancel help quiet "
    "excuse hold hang thank thanks actually what where when who why which how can could would "
    "will should may do does did is are was were have has had i'm i'd i'll i've my me you your "
    "he she it it's we they the this that these those there a an but and or because if tell "
    "let give show say read play go come make put turn take one two three",
    "de": "stopp halt warte nein nicht hey hallo entschuldigung bitte genug weiter nochmal pause was "
    "wo wann wer warum wieso welche wie kann können kannst ist sind war habe ich du sie er es "
    "wir das der die den ein eine aber und oder weil wenn sag zeig mach geh nimm",
    "es": "para alto espera no nunca oye hola perdón favor basta siguiente otra qué dónde cuándo "
    "quién por cuál cómo puede puedes es son era tengo yo tú me mi el la los las un una pero y "
    "o porque si dime dame",
    "fr": "stop arrête attends non pas jamais hé bonjour pardon assez suivant encore que quoi où "
    "quand qui pourquoi quel comment peux pouvez est sont je tu il elle nous on le la les un "
    "une mais et ou si dis donne",
}
"""Words that a turn may consist of, or begin with, however short it is. A recognizer writes other
single words for interjections that it has not understood."""


def is_unlikely_turn(text: str, language: str | None) -> bool:
    """True if these one or two words are neither interjections nor words with which turns begin. False
    in a language without a list."""
    openings = _openings(language)
    words = content_words(text, language, answering=True)
    return bool(openings) and 0 < len(words) <= 2 and not openings.intersection(words)


def content_words(text: str, language: str | None, *, answering: bool) -> list[str]:
    """The words that are no interjections. While the program is not `answering`, only hesitations are
    left out: "Yes." is then what the user says."""
    known = _phrases(language, answering)
    words = _words(text)
    found, at = [], 0
    while at < len(words):
        length = next((n for n in (3, 2, 1) if _letters("".join(words[at : at + n])) in known), 0)
        found += [] if length else [words[at]]
        at += max(1, length)
    return found


def may_become_interjection(text: str, language: str | None) -> bool:
    """True if these first words may still turn out to be an interjection: "I" may become "I see"."""
    beginning = _letters("".join(_words(text)))
    return any(phrase.startswith(beginning) for phrase in _phrases(language, answering=True))


@functools.lru_cache(64)
def _openings(language: str | None) -> frozenset[str]:
    return frozenset(map(_letters, OPENINGS.get(plain(language or "en"), "").split()))


@functools.lru_cache(64)
def _phrases(language: str | None, answering: bool) -> frozenset[str]:
    code = plain(language or "en")
    lists = (HESITATIONS, BACKCHANNELS) if answering else (HESITATIONS,)
    return frozenset(word for table in lists for word in map(_letters, table.get(code, "").split()))


def _words(text: str) -> list[str]:
    return [word for word in map(_letters, text.split()) if word]


def _letters(word: str) -> str:
    """The letters of a word, in lower case, without repetitions: "Hmmm," and "hm" are the same."""
    return "".join(letter for letter, _ in groupby(_spelled(word)))


def _spelled(word: str) -> Iterator[str]:
    composed = unicodedata.normalize("NFC", word.casefold())
    return (c for c in composed if unicodedata.category(c)[0] in "LMN")
