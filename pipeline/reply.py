"""Reply: the audio of one turn on its way out, at the rate of the connection."""

import math
from dataclasses import replace

import numpy as np

from pipeline.audio import clean
from pipeline.errors import BadAudio
from pipeline.jitter_buffer import JitterBuffer
from pipeline.ledger import Ledger
from pipeline.messages import EndOfTurn, Samples, Speech
from pipeline.reel import Reel
from pipeline.resampler import Resampler
from pipeline.sound_check import SoundSource
from pipeline.turn import Turn
from pipeline.words import has_words

MAX_AHEAD_S = 30.0
"""Unsent audio that a reply may hold; the longest sentences take twenty seconds."""

KEPT_S = 20.0
"""Length of heard audio that is kept, since *heard* may be an estimate that the client corrects: its
connection may have been dead for some seconds before it noticed."""

LIVE_KEPT_S = 1.0
"""Length of heard audio that a full-duplex reply keeps: it never goes back."""


class Reply:
    """The reply of one turn: its audio (`reel`) and its words (`ledger`).

    Audio is resampled once, with state, from the rate of the engine. Audio of a full-duplex reply is
    `waiting` until the connection has room for it.
    """

    def __init__(self, turn: Turn, rate_hz: int, source: SoundSource) -> None:
        self.turn = turn
        self.reel = Reel()
        self.ledger = Ledger(rate_hz)
        self.waiting = JitterBuffer()
        self.is_live = False
        """True for a full-duplex reply: each piece of audio is due at a certain time, and left out if it
        is too late."""
        self.started = False
        """True once a sample was released."""
        self.end_reason: str | None = None
        """Reason for the end of the audio; None: more may come."""
        self.latest_text = ""
        """The last text whose audio has begun to be sent."""
        self._announced = 0
        """Number of texts returned by `texts_begun`."""
        self._rate_hz = rate_hz
        self._resampler = Resampler(rate_hz, rate_hz)
        self._input_rate_hz = rate_hz
        self._source = source
        self._check = source.new_check(turn.settings)
        self._held: list[Speech] = []
        self._good_until = 0

    def add(self, speech: Speech, now: float) -> None:
        """Add the next piece of audio. While it seems clipped, it is held back until it has been
        judged."""
        if speech.due_at is not None:
            self.is_live = True
            self.waiting.put(speech, speech.due_at, now)
            return
        self._held.append(speech)
        if self._check is None or not self._check.seems_clipped or speech.ends_text:
            self._add_held()

    def refill(self, now: float, frame_samples: int, *, silent: bool) -> None:
        """Move audio of a full-duplex reply to the reel until it holds a frame. `silent`: nothing is
        being heard."""
        while self.reel.unsent < frame_samples and len(self.waiting):
            after_silence = silent and self.started and not self.reel.unsent
            self._append(self.waiting.take(now, after_silence=after_silence))

    def judge(self, message: Speech | EndOfTurn) -> None:
        """Check the next message before it is added. Raises `BadAudio`."""
        if self._check is None:
            return
        if isinstance(message, Speech):
            if message.text is not None:
                self._check.text_begins(message.text)
            self._check.take(message.samples, message.sample_rate_hz)
        ends_text = message.ends_text if isinstance(message, Speech) else not self.turn.failed
        if ends_text:
            self._check.text_ends()

    def refuse(self, message: Speech | EndOfTurn, fault: BadAudio) -> Speech | EndOfTurn:
        """Discard the bad audio that has not been sent; returns the replacement for this message.

        The answer ends here. A full-duplex model goes on, since it may recover; silence replaces the bad
        audio.
        """
        if self._source.is_duplex:
            if isinstance(message, Speech):
                message = replace(message, samples=np.zeros_like(message.samples))
            return message
        held_s = sum(len(speech.samples) / speech.sample_rate_hz for speech in self._held)
        bad = math.ceil(max(0.0, fault.earlier_s - held_s) * self._rate_hz)
        good = max(self._good_until, self.reel.end - bad)
        self._held.clear()
        self.reel.cut(good)
        self.ledger.cut_off(good)
        return EndOfTurn(self.turn, f"{self._source.stage} failed")

    def end(self, reason: str) -> None:
        """End the reply: no more audio will come."""
        self._add_held()
        self.ledger.audio_reaches(self.reel.end)
        self.ledger.text_ends()
        self.end_reason = reason

    def has_frame(self, samples: int) -> bool:
        """True if a frame can be cut: a whole one, or the last."""
        return self.reel.unsent >= samples or (self._has_last_audio and self.reel.unsent > 0)

    def wants_audio(self, frame_samples: int) -> bool:
        """True if the next message should be taken: no frame can be cut, or the sentence is incomplete.

        A sentence is taken whole, since only then can the share of it that was heard be computed.
        `MAX_AHEAD_S` is the limit, since an end-to-end model may have no sentences. Audio of a
        full-duplex reply is always taken.
        """
        if self.end_reason is not None or self.is_live:
            return self.end_reason is None
        in_mid_sentence = self.ledger.text_is_open and self.reel.unsent < MAX_AHEAD_S * self._rate_hz
        return in_mid_sentence or not self.has_frame(frame_samples)

    @property
    def all_sent(self) -> bool:
        """True if the audio has ended and all of it was sent."""
        return self._has_last_audio and self.reel.unsent == 0

    @property
    def _has_last_audio(self) -> bool:
        return self.end_reason is not None and not len(self.waiting)

    @property
    def is_unheard(self) -> bool:
        """True if there were words to speak, but no audio of them came."""
        spoken = self.turn.settings.spoken and self.reel.end == 0
        return spoken and any(map(has_words, self.ledger.begun(0)))

    def next_frame(self, samples: int) -> tuple[int, Samples]:
        """Cut the next frame; returns its position and audio. The last one is filled up with silence."""
        position = self.reel.position
        audio = self.reel.take(samples)
        if len(audio) < samples:
            audio = np.concatenate((audio, np.zeros(samples - len(audio), np.float32)))
        return position, audio

    @property
    def has_text(self) -> bool:
        """True if a text is due to be reported."""
        return bool(self.ledger.begun(self.reel.position, self._announced))

    def texts_begun(self) -> list[str]:
        """Return the texts whose audio began to be sent since the last call."""
        texts = self.ledger.begun(self.reel.position, self._announced)
        self._announced += len(texts)
        self.latest_text = texts[-1] if texts else self.latest_text
        return texts

    def forget(self, heard: int) -> None:
        """Discard old audio, of which `heard` samples were heard. For a full-duplex reply, which may
        never end, also discard the positions of its texts; for other replies they are kept, since a
        client may still correct the length that was heard."""
        sample = heard - int((LIVE_KEPT_S if self.is_live else KEPT_S) * self._rate_hz)
        self.reel.forget(sample)
        if self.is_live:
            self.ledger.forget(sample, self._announced)

    def _add_held(self) -> None:
        for speech in self._held:
            self._append(speech)
        self._held.clear()

    def _append(self, speech: Speech) -> None:
        if speech.text is not None:
            self.ledger.text_starts(speech.text, self.reel.end)
        for word in speech.words:
            sample = self.reel.end + word.sample * self._rate_hz // speech.sample_rate_hz
            self.ledger.word_starts(word.chars, speech.spoken_chars, sample)
        if len(speech.samples):
            self.reel.append(self._resampled(clean(speech.samples), speech.sample_rate_hz))
        self.ledger.audio_reaches(self.reel.end)
        if speech.ends_text:
            self.ledger.text_ends()
            self._good_until = self.reel.end

    def _resampled(self, samples: Samples, rate_hz: int) -> Samples:
        if rate_hz != self._input_rate_hz:
            self._input_rate_hz = rate_hz
            self._resampler = Resampler(rate_hz, self._rate_hz)
        return self._resampler.feed(samples)
