"""The speakers that the Parler models know by name, the default of each language first."""

from collections.abc import Mapping

Speakers = Mapping[str, tuple[str, ...]]
"""ISO 639-1 code (639-3 where there is none) ▶ names."""

_ENGLISH = (
    "Jon, Lea, Gary, Jenna, Mike, Laura, Lauren, Eileen, Alisa, Karen, Barbara, Carol, Emily, Rose, "
    "Will, Patrick, Eric, Rick, Anna, Tina, Brenda, David, Jordan, Yann, Joy, James, Jason, Aaron, "
    "Naomie, Jerry, Bill, Tom, Rebecca, Bruce"
)
"""INFERENCE.md of huggingface/parler-tts, the most consistent speakers first."""

_EXPRESSO = "Thomas, Talia, Elisabeth, Jerry"
"""The card of parler-tts/parler-tts-mini-expresso."""

_MULTILINGUAL = {
    "en": "Steven, Olivia, Megan",
    "fr": "Christine, Daniel, Michelle, Megan",
    "es": "Steven, Olivia, Megan",
    "pt": "Sophia, Nicholas",
    "pl": "Alex, Natalie",
    "de": "Nicole, Christopher, Megan, Michelle",
    "it": "Richard, Julia, Megan",
    "nl": "Mark, Jessica, Michelle",
}
"""The card of parler-tts/parler-tts-mini-multilingual-v1.1."""

_INDIC = {
    "en": "Thoma, Mary, Swapna, Dinesh, Meera, Jatin, Aakash, Sneha, Kabir, Tisha, Chingkhei, Thoiba, "
    "Priya, Tarun, Gauri, Nisha, Raghav, Kavya, Ravi, Vikas, Riya",
    "as": "Amit, Sita, Poonam, Rakesh",
    "bn": "Arjun, Aditi, Tapan, Rashmi, Arnav, Riya",
    "brx": "Bikram, Maya, Kalpana",
    "doi": "Karan",
    "gu": "Yash, Neha",
    "hi": "Rohit, Divya, Aman, Rani",
    "hne": "Bhanu, Champa",
    "kn": "Suresh, Anu, Chetan, Vidya",
    "ml": "Anjali, Harish, Anju",
    "mni": "Laishram, Ranjit",
    "mr": "Sanjay, Sunita, Nikhil, Radha, Varun, Isha",
    "ne": "Amrita",
    "or": "Manas, Debjani",
    "pa": "Divjot, Gurpreet",
    "sa": "Aryan",
    "ta": "Jaya, Kavitha",
    "te": "Prakash, Lalitha, Kiran",
}
"""The card of ai4bharat/indic-parler-tts, the recommended speakers first."""


def _table(names: Mapping[str, str]) -> Speakers:
    return {language: tuple(listed.split(", ")) for language, listed in names.items()}


_MODELS: Mapping[str, Speakers] = {
    "jenny": _table({"en": "Jenny"}),
    "expresso": _table({"en": _EXPRESSO}),
    "multilingual": _table(_MULTILINGUAL),
    "indic": _table(_INDIC),
    "parler-tts-mini-v1": _table({"en": _ENGLISH}),
    "parler-tts-large-v1": _table({"en": _ENGLISH}),
}
"""Speakers by a part of the model's name."""


def speakers_of(model_name: str) -> Speakers:
    """The speakers of a model on the hub, or of a folder with such a name; empty if they are not
    known."""
    called = model_name.rstrip("/").rpartition("/")[2].lower()
    return next((speakers for part, speakers in _MODELS.items() if part in called), {})
