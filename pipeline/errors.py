"""Errors that carry a sentence for the person in front of the program."""


class UserError(Exception):
    """Something the user can mend. The text is one sentence: what was expected, what came, what to do.

    The command prints it without a stack trace and exits with `exit_code`.
    """

    exit_code = 2


class NoAudioDevice(UserError):
    """There is no microphone or no loudspeaker here."""

    exit_code = 3


class EngineError(Exception):
    """An engine could not do its work. The text is fit to be shown to the client of the session.

    ``code`` is for programs: a short word such as ``"unreachable"`` or ``"busy"``.
    """

    def __init__(self, sentence: str, code: str = "engine_failed") -> None:
        super().__init__(sentence)
        self.code = code


class EngineBusy(EngineError):
    """No slot of an engine came free in time."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, code="busy")


class SessionClosed(Exception):
    """The session takes nothing any more: it is finishing or closed."""


class SessionBusy(Exception):
    """Too much is in line in this session already."""


class ProtocolError(Exception):
    """What a client sent is not of the protocol, or is not granted. The text says what was expected;
    ``code`` is for programs.
    """

    def __init__(self, text: str, code: str = "bad_message") -> None:
        super().__init__(text)
        self.code = code
