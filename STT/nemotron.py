"""Nemotron: NVIDIA's streaming recognizer, through Transformers; each chunk is computed once."""

import copy
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoProcessor, NemotronAsrStreamingForRNNT

from pipeline.audio import clean
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.pretrained import fetch_pretrained

RATE_HZ = 16000


class NemotronRecognizer:
    """A conformer with caches and a transducer, run step by step here: the library's `generate` keeps
    the state of a call in the model, so two streams could not take turns.

    `latency_ms` is the length of a chunk, which is how far the encoder looks ahead. Partial transcripts
    are late by this much; final ones are not, since the last chunk is filled up with silence. A call
    stops between two tokens; the encoder cannot be stopped within a chunk.
    """

    def __init__(
        self, model_name: str, device: str, latency_ms: int = 560, torch_dtype: str = "auto"
    ) -> None:
        expected = "a streaming Nemotron of Transformers"
        pretrained = fetch_pretrained(model_name, "--stt_model_name", expected)
        kind = pretrained.load(AutoConfig).model_type
        if kind != "nemotron_asr_streaming":
            raise pretrained.refuse(kind)
        self.processor = pretrained.load(AutoProcessor)
        self.model = pretrained.load_model(NemotronAsrStreamingForRNNT, device, dtype=torch_dtype)
        latencies = {
            ms: tokens for tokens, ms in self.processor.supported_streaming_latencies_ms.items()
        }
        if latency_ms not in latencies:
            known = ", ".join(map(str, sorted(latencies)))
            raise UserError(f"--stt_latency_ms: expected one of {known}, got {latency_ms}")
        self.processor.set_num_lookahead_tokens(latencies[latency_ms])
        self.info = RecognizerInfo(
            name="nemotron",
            slots=1,  # a stream has its own state, but a chunk uses the whole device
            model=model_name,
            device=device,
            sample_rate_hz=RATE_HZ,
            languages=("en",),
            chunk_samples=latency_ms * RATE_HZ // 1000,
        )

    def open(self, language: str | None) -> "NemotronStream":
        """Open a stream for a new utterance."""
        return NemotronStream(self.model, self.processor)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """Transcribe in one pass through the encoder: the words of a stream, computed faster."""
        stream = self.open(language)
        stream.hear_all(samples, cancel)
        return stream.finish(cancel)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""


class NemotronStream:
    """One utterance: the audio that does not fill a chunk yet, the caches of the encoder, the state of
    the decoder, and the tokens so far.

    A frame of the spectrogram is computed from `n_fft` samples around its own, so the audio begins with
    half of them silent, as in one pass over the whole (``center=True``). The encoder takes chunks of a
    fixed number of frames, the first of which is shorter.
    """

    def __init__(self, model: Any, processor: Any) -> None:
        self._model = model
        self._processor = processor
        features = processor.feature_extractor
        self._hop: int = features.hop_length
        self._window: int = features.n_fft
        self._audio: Samples = np.zeros(self._window // 2, np.float32)
        self._encoded = self._window // 2
        """The number of these samples that no new frame needs to hear."""
        self._frames: int = processor.num_mel_frames_first_audio_chunk
        self._caches: dict[str, Any] = {"cache": None, "padding_cache": None}
        self._tokens: list[int] = []
        self._memory: Any = None
        """State of the network that predicts a token from those before it; never changed in place."""
        self._prediction: torch.Tensor | None = None

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        """All words so far."""
        self._audio = np.concatenate((self._audio, clean(samples)))
        while len(self._audio) >= self._needed(self._frames) and not cancel.cancelled:
            outputs = self._encode(self._frames, use_cache=True, **self._caches)
            self._caches = {
                "cache": outputs.cache,
                "padding_cache": outputs.padding_cache,
            }
            self._decode(outputs.pooler_output[0], cancel)
        return self._text()

    def finish(self, cancel: CancelToken) -> Transcription:
        """Pad the last chunk with silence, and end the utterance."""
        if len(self._audio) > self._encoded and not cancel.cancelled:
            silence = np.zeros(self._needed(self._frames) - len(self._audio), np.float32)
            self.feed(silence, cancel)
        return Transcription(self._text(), "en")

    def fork(self) -> "NemotronStream":
        """A copy that has heard the same."""
        other = copy.copy(self)
        other._tokens = list(self._tokens)
        with torch.inference_mode():
            other._caches = copy.deepcopy(self._caches)
        return other

    def hear_all(self, samples: Samples, cancel: CancelToken) -> None:
        """Hear a whole utterance, padded with silence to the same chunks as if it came in pieces."""
        self._audio = np.concatenate((self._audio, clean(samples)))
        if len(self._audio) == self._encoded or cancel.cancelled:
            return
        frames, chunk = self._frames, self._processor.num_mel_frames_per_audio_chunk
        while len(self._audio) - frames * self._hop > self._window - self._hop:
            frames += chunk
        self._audio = np.pad(self._audio, (0, max(0, self._needed(frames) - len(self._audio))))
        self._decode(self._encode(frames, use_cache=False).pooler_output[0], cancel)

    def _needed(self, frames: int) -> int:
        """The number of samples from which so many frames are computed."""
        return (frames - 1) * self._hop + self._window

    def _encode(self, frames: int, **caches: Any) -> Any:
        """The next so many frames of the spectrogram, through the encoder."""
        heard = self._audio[: self._needed(frames)]
        with torch.inference_mode():
            spectrogram = self._processor.feature_extractor(
                heard, sampling_rate=RATE_HZ, center=False, return_tensors="pt"
            )["input_features"]
            self._audio = self._audio[frames * self._hop :]
            self._encoded = self._window - self._hop
            self._frames = self._processor.num_mel_frames_per_audio_chunk
            return self._model.get_audio_features(
                input_features=spectrogram.to(self._model.device, self._model.dtype),
                num_lookahead_tokens=self._processor.default_num_lookahead_tokens,
                output_attention_mask=False,
                **caches,
            )

    def _decode(self, frames: torch.Tensor, cancel: CancelToken) -> None:
        """Decode greedily, as the library does in `generate`: for each frame, tokens until a blank
        one."""
        model, config = self._model, self._model.config
        with torch.inference_mode():
            if self._prediction is None:
                self._predict(config.blank_token_id)
            for frame in frames:
                for _ in range(config.max_symbols_per_step):
                    if cancel.cancelled:
                        return
                    token = int(model.joint(self._prediction, frame).argmax())
                    if token == config.blank_token_id:
                        break
                    self._tokens.append(token)
                    self._predict(token)

    def _predict(self, token: int) -> None:
        decoder = self._model.decoder
        embedded = decoder.embedding(torch.tensor([[token]], device=self._model.device))
        hidden, self._memory = decoder.lstm(embedded, self._memory)
        self._prediction = decoder.decoder_projector(hidden)[0, 0]

    def _text(self) -> str:
        return str(self._processor.decode(self._tokens, skip_special_tokens=True)).strip()
