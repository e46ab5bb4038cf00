"""Key list: the keys of a conversation at a terminal, as the start panel and the screen name them."""

from typing import NamedTuple

from pipeline.session import Session


class KeyHelp(NamedTuple):
    """One key: its name, one word for what it does, and a sentence."""

    key: str
    does: str
    about: str


def key_list(session: Session, *, has_offers: bool) -> list[KeyHelp]:
    """The keys for this conversation, the most needed first. `has_offers`: there are better parts."""
    if session.settings.hands_free:
        keys = [KeyHelp("Space", "mute", "turn the microphone off or on")]
    else:
        keys = [KeyHelp("Space", "talk", "begin to talk, and again when you have finished")]
    keys.append(KeyHelp("Esc", "stop", "stop the answer, or take back what you are saying"))
    if session.capabilities.texts:
        keys.append(KeyHelp("T", "type", "type instead of talking: Enter sends, Esc leaves"))
    if has_offers:
        keys.append(KeyHelp("B", "better", "choose a better voice or language model"))
    keys += [
        KeyHelp("L", "latency", "show where the time of each answer goes"),
        KeyHelp("?", "keys", "this list"),
        KeyHelp("Q", "quit", "end the conversation, as Ctrl-C does"),
    ]
    return keys
