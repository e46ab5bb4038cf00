"""A scripted language model behind the OpenAI protocol, whose first word takes 100 ms."""

import itertools
import time

from pipeline.turn import CancelToken
from testing.chat_server import ChatHandler, ChatServer
from testing.hold import Hold

FIRST_WORD_S = 0.1
WORDS_PER_S = 60

ANSWERS = (
    "That has come up a few times lately, and most people see it as you do. It tends to get easier "
    "after a while. A good start is to pick one small thing and stay with it. The rest usually falls "
    "into place.",
    "I can see two ways of looking at it. One is to wait and let things settle by themselves. The other "
    "is to do something today, even if it is not much. Both have worked well for others in the same "
    "place.",
    "There is a long story behind that, and I will keep it short. It started with a mistake that nobody "
    "noticed for years. By then everybody had grown used to it. So it stayed, and it is still there "
    "today.",
    "It depends on how much time you have this week. With an hour or two you can get most of it done. I "
    "would leave the difficult part for the weekend. By Monday it should look very different from now.",
    "Many things of that kind were first made by hand, in small shops by the river. Later on came "
    "machines, and with them the factories. Only a few of the old shops are left. They are well worth "
    "a visit.",
)
"""Statements that take eight to ten seconds to say, so that there is time to speak over them."""


class PacedModel(ChatServer):
    """Gives one answer after the other, whatever it is asked, at a steady pace."""

    def __init__(self) -> None:
        self.answers = itertools.cycle(ANSWERS)
        super().__init__()
        self.between_words = _Pace()

    @property
    def handler(self) -> type[ChatHandler]:
        """The class that handles requests."""
        return _PacedHandler


class _PacedHandler(ChatHandler):
    script: PacedModel

    def answer(self, request: dict[str, object]) -> None:
        time.sleep(FIRST_WORD_S)
        self.script.reply = next(self.script.answers)
        super().answer(request)


class _Pace(Hold):
    """Lets a word pass every sixtieth of a second."""

    def pass_through(self, cancel: CancelToken) -> None:
        time.sleep(1 / WORDS_PER_S)
