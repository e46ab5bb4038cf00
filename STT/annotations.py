"""Annotations: text that recognizers write for sounds that are not words, such as "[BLANK_AUDIO]"."""

import re
import unicodedata
from collections.abc import Mapping

from pipeline.words import has_words, well_formed

SOUNDS: Mapping[str, str] = {
    "sounds": "music musical applause laugh laughs laughing laughter chuckle chuckles chuckling "
    "giggle giggles giggling cough coughs coughing sneeze sneezes sneezing sigh sighs sighing "
    "sniff sniffs sniffing sniffle sniffles sniffling gasp gasps gasping groan groans groaning "
    "grunt grunts grunting moan moans moaning yawn yawns yawning hiccup hiccups burp burps "
    "breathing breathes inhale inhales exhale exhales clears clearing throat cry cries crying sob "
    "sobs sobbing scream screams screaming shouting cheer cheers cheering clap claps clapping "
    "whistle whistles whistling hum hums humming singing sings vocalizing chanting mumbles "
    "mumbling murmur murmurs murmuring whispers whispering chatter chattering babble babbling "
    "crosstalk noise noises sound sounds static beep beeps beeping bleep bleeps buzz buzzes "
    "buzzing ring rings ringing chime chimes chiming ding dinging click clicks clicking clack "
    "clatter clattering typing tapping knock knocks knocking thud thuds thump thumps bang bangs "
    "banging crash crashes crashing boom booming explosion explosions gunshot gunshots gunfire "
    "footsteps rustle rustling creak creaks creaking squeak squeaks squeaking hiss hisses hissing "
    "whoosh whooshes whooshing rumble rumbles rumbling roar roars roaring bark barks barking meow "
    "meows chirp chirps chirping crickets siren sirens honk honks honking thunder rain wind "
    "splash splashing gurgling crackling engine revving screech screeches screeching bell jingle "
    "instrumental slam slams opens closes ticking alarm",
    "no words": "silence silent pause pauses blank audio speech nospeech inaudible unintelligible "
    "indistinct indiscernible incomprehensible garbled foreign speaking speaks talking talks "
    "playback censored",
    "tokens": "unk sil spn nsn lgh brth",
    "music": "musik musique música musica muziek muzyka muzică musikk müzik zene hudba музыка музика "
    "μουσική موسيقى موسیقی מוזיקה संगीत సంగీతం இசை 音楽 音乐 音樂 음악",
    "applause": "applaus beifall applaudissements aplausos applausi aplauze oklaski аплодисменты "
    "alkış alkışlar 拍手 掌声 掌聲 박수",
    "laughter": "lachen gelächter lacht rires rire risas risa risate risos gelach śmiech смех сміх "
    "gülüşmeler skratt 笑 笑い 笑い声 笑声 笑聲 웃음",
    "silence": "stille silencio silenzio silêncio stilte cisza тишина sessizlik 沈黙 静音 沉默 침묵 "
    "pausa pauze пауза",
    "not understood": "unverständlich inintelligible ininteligible incomprensibile inaudibile "
    "inaudível onverstaanbaar niezrozumiałe неразборчиво 聞き取り不能 听不清 聽不清",
    "coughs": "husten hustet toux tousse tos tose tosse кашель 咳 咳嗽 기침",
    "noise": "geräusch geräusche rauschen bruit bruits ruido rumore rumori ruído geluid шум 雑音 噪音 "
    "소음",
    "sighs": "seufzt soupir soupire suspira suspiro sospira вздох",
}
"""Words for sounds: in English, then by meaning in other languages. An annotation has at least one."""

ABOUT_SOUNDS = (
    "a an the of and in on with to from at by over no non all both end ending ends start "
    "starts begins continues continuing stops fade fades fading out up opening closing intro "
    "outro theme play playing plays played soft softly loud loudly quiet quietly gentle "
    "gently upbeat dramatic slow slowly fast sad happy tense suspenseful ominous eerie calm "
    "cheerful lively energetic intense epic inspirational inspiring relaxing mellow playful "
    "romantic mysterious light heavy heavily deep deeply dark sharply nervous nervously evil "
    "rock pop jazz classical orchestral electronic techno hip hop folk country metal rap "
    "piano guitar violin drum drums flute bass synth organ choir distant faint faintly "
    "muffled background foreground audience crowd people man woman men women child children "
    "kids baby boy girl male female speaker group voice voices overlapping dog dogs cat cats "
    "bird birds cow horse car cars vehicle traffic phone telephone doorbell door doors "
    "keyboard mouse clock water motor machine microphone mic camera bells glass breaking "
    "blowing horn shuts chair paper video signal white radio tv television recording spoken "
    "vocalized language languages another other unknown english spanish french german "
    "italian portuguese dutch polish russian ukrainian greek turkish arabic hebrew persian "
    "hindi telugu tamil bengali urdu chinese mandarin cantonese japanese korean vietnamese "
    "thai indonesian swedish norwegian danish finnish latin gibberish"
)
"""Words that can extend an annotation, but are none alone, as in "(soft piano music)"."""

_SOUNDS = frozenset(" ".join(SOUNDS.values()).split())
_ALL = _SOUNDS.union(ABOUT_SOUNDS.split())

_TOKEN = re.compile(r"<\|[^<>|]*(?:\|>|$)|\[_[A-Za-z0-9_]+\]")
"""Special tokens: "<|0.00|>" of Whisper, "<|nospeech|>" of SenseVoice, "[_TT_150]" of whisper.cpp."""

_NOTES = "♩♪♫♬🎵🎶"

_SUNG = re.compile(f"[{_NOTES}]+[^{_NOTES}]*[{_NOTES}]+|[{_NOTES}]+")
"""Musical notes, and the text between them: a song in the background."""

_ENCLOSED = re.compile(
    r"\[([^\[\]]*)(?:\]|$)|\(([^()]*)(?:\)|$)|（([^（）]*)(?:）|$)|［([^［］]*)(?:］|$)|【([^【】]*)(?:】|$)"
    r"|\*+([^*]+)(?:\*+|$)|<([^<>]*)>|\+\+([^+]+)\+\+"
)
"""Forms of annotations. The one at the end of the text may be cut off, since the audio is."""


def without_annotations(text: str) -> str:
    """The text without annotations, as valid Unicode; empty if nothing else was in it.

    Only known annotations are removed, since words may be in brackets, too: "(555) 123", "[sic]".
    """
    text = well_formed(text)
    words = _ENCLOSED.sub(_unless_annotation, _SUNG.sub(" ", _TOKEN.sub(" ", text)))
    if words == text:
        return text
    if not has_words(words):
        return ""
    return re.sub(r" (?=[,.;:!?…])", "", " ".join(words.split())).lstrip(",.;:!?… ")


def _unless_annotation(enclosed: re.Match[str]) -> str:
    content = next(filter(None, enclosed.groups()), "")
    words = re.findall(r"[^\s_.,:;!?…/-]+", unicodedata.normalize("NFC", content).casefold())
    is_annotation = _ALL.issuperset(words) and not _SOUNDS.isdisjoint(words)
    return " " if is_annotation else enclosed[0]
