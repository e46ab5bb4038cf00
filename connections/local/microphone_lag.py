"""MicrophoneLag: notices a microphone whose sound arrives late, which else looks like a long pause."""

LATE_S = 0.5
"""Lag that a user notices. Usual are a few hundredths of a second, and 0.2 s on a very busy machine."""

LASTING_S = 2.0
"""Length of sound, all of it late, after which it is no hiccup."""


class MicrophoneLag:
    """Measures in seconds of sound, so it needs no timer. It speaks up once, since a user who is told
    can do something, and need not be told again."""

    def __init__(self) -> None:
        self._late_s = 0.0
        self._was_told = False

    def hear(self, length_s: float, lag_s: float) -> str | None:
        """Note that a block of this length came `lag_s` after its last sample was captured. Returns the
        sentence for the user, the first time that there is one."""
        self._late_s = self._late_s + length_s if lag_s > LATE_S else 0.0
        if self._was_told or self._late_s < LASTING_S:
            return None
        self._was_told = True
        return (
            f"the microphone is {lag_s:.1f} s behind, and so are the answers; close other programs that "
            "keep this machine busy, start this one again, or choose another --input_device"
        )
