"""Errors that carry a sentence for the user."""


class UserError(Exception):
    """A mistake that the user can correct.

    The text is one sentence: expected X, got Y, and what to do. If it is about a flag, it begins with
    that, "--thresh: …", or with the flag and its value, "--tts piper needs …"; other flags in it are
    advice. The command prints it without a stack trace and exits with `exit_code`.
    """

    exit_code = 2


class Unavailable(UserError):
    """A part that this machine lacks: a package, a model, a server. Another engine may stand in."""


class NoAudioDevice(UserError):
    """The machine has no microphone or no loudspeaker."""

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


class NothingHeard(EngineError):
    """The model wrote an answer, but the user hears nothing of it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, code="nothing_heard")


class BadAudio(EngineError):
    """An engine made audio that is not speech: silence, a constant, noise at full scale, NaN.

    ``earlier_s``: seconds of earlier audio that are bad, too.
    """

    def __init__(self, sentence: str, earlier_s: float) -> None:
        super().__init__(sentence, code="bad_audio")
        self.earlier_s = earlier_s


class SessionClosed(Exception):
    """The session takes no more input: it is finishing or closed."""


class SessionBusy(Exception):
    """Too many turns, or too much audio, are waiting in this session."""


class ProtocolError(Exception):
    """A message from the client breaks the protocol, or asks for something that is not granted.

    The text says what was expected; ``code`` is for programs.
    """

    def __init__(self, text: str, code: str = "bad_message") -> None:
        super().__init__(text)
        self.code = code
