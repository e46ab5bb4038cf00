"""Apologies: what the voice says in place of an answer that failed, since silence would be a riddle."""

from collections.abc import Callable, Iterator

from pipeline.errors import EngineError
from pipeline.language import plain
from pipeline.messages import Sentence
from pipeline.turn import Turn

PAUSE_S = 10.0
"""Time for which an apology is not repeated: many failures in a row are told once."""

_UNSPEAKABLE = ("nothing_heard",)
"""Codes of errors of an engine that did answer."""

UNREACHABLE = {
    "en": "I can't reach the language model.",
    "de": "Ich kann das Sprachmodell nicht erreichen.",
    "es": "No puedo conectar con el modelo de lenguaje.",
    "fr": "Je n'arrive pas à joindre le modèle de langage.",
    "it": "Non riesco a raggiungere il modello linguistico.",
    "pt": "Não consigo contactar o modelo de linguagem.",
}
NO_ANSWER = {
    "en": "The language model gave no answer.",
    "de": "Das Sprachmodell hat nicht geantwortet.",
    "es": "El modelo de lenguaje no ha respondido.",
    "fr": "Le modèle de langage n'a pas répondu.",
    "it": "Il modello linguistico non ha risposto.",
    "pt": "O modelo de linguagem não respondeu.",
}
NOT_UNDERSTOOD = {
    "en": "I can't understand speech right now.",
    "de": "Ich kann gerade keine Sprache verstehen.",
    "es": "Ahora mismo no puedo entender lo que dices.",
    "fr": "Je n'arrive pas à comprendre la parole pour le moment.",
    "it": "In questo momento non riesco a capire il parlato.",
    "pt": "De momento não consigo entender a fala.",
}


class Apologies:
    """The apologies of one session. Each is spoken and shown like an answer, but not remembered."""

    def __init__(
        self,
        now: Callable[[], float],
        when_committed: Callable[[Turn, Callable[[], None]], None],
    ) -> None:
        self._now = now
        self._when_committed = when_committed
        self._silent_until = 0.0

    def for_failure(self, stage: str, turn: Turn, error: Exception) -> Iterator[Sentence]:
        """The sentence to say, if the failure left `turn` without any answer that can be heard."""
        if f"{stage}_first" in turn.marks or not (turn.settings.spoken and turn.settings.apologizes):
            return
        if isinstance(error, EngineError) and error.code in _UNSPEAKABLE:
            return
        if self._now() < self._silent_until:
            return
        turn.apologized = True
        self._when_committed(turn, self._said)
        code = plain(turn.settings.language or turn.language or "en")
        texts = _texts(stage, error)
        text = texts.get(code, texts["en"])
        yield Sentence(turn, text, text)

    def _said(self) -> None:
        self._silent_until = self._now() + PAUSE_S


def _texts(stage: str, error: Exception) -> dict[str, str]:
    if stage == "stt":
        return NOT_UNDERSTOOD
    unreachable = isinstance(error, EngineError) and error.code == "unreachable"
    return UNREACHABLE if unreachable else NO_ANSWER
