"""Qwen2.5-Omni (Alibaba): hears, thinks and speaks in one model, through Transformers.

Xu et al., "Qwen2.5-Omni Technical Report", arXiv 2503.20215. The model's thinker writes the answer, its
talker turns the text into audio codes, and its token2wav turns the codes into audio.
"""

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoTokenizer,
    Qwen2_5OmniConfig,
    Qwen2_5OmniForConditionalGeneration,
    WhisperFeatureExtractor,
)
from transformers.utils.logging import set_verbosity_error

from LLM.chat_template import ChatTemplate
from LLM.conversation import SHORTENED
from pipeline.audio import clean
from pipeline.engine_info import ResponderInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import MAX_OUTPUT_TOKENS, AudioChunk, ChatMessage, CutOff, Notice, Samples
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece
from utils.pretrained import Pretrained, fetch_pretrained
from utils.stopping import stopped_on_cancel, was_cut_off
from utils.voices import expect_known

set_verbosity_error()  # the library warns of values in its own default configuration

RATE_HZ = 24000
"""Sample rate of the answers (README of QwenLM/Qwen2.5-Omni); the model's files do not state it."""

WHO = (
    "You are Qwen, a virtual human developed by the Qwen Team, Alibaba Group, capable of perceiving "
    "auditory and visual inputs, as well as generating text and speech."
)
"""Qwen requires this text at the beginning of the instructions, or the audio may be bad (README)."""

CODES_A_TOKEN = 16
"""Limit of audio codes for each token of text: 0.3 s, about the length of a word. For 256 tokens this is
the library's own limit, 4096."""

MIN_AUDIO_S = 0.1
"""Minimum length of speech; shorter speech is padded with silence, since the encoder needs some
frames."""

_SPEAKER = {"bos_token", "cond", "ref_mel"}
"""Entries of each speaker in spk_dict.pt."""

_FILES = ("*.json", "*.jinja", "*.txt", "*.safetensors", "spk_dict.pt")


class QwenOmniResponder:
    """Answers speech or typed text, and knows the conversation. A voice is a speaker of the model.

    The answer comes as a whole: the library's talker begins when the thinker has finished. A cancelled
    answer stops between two tokens of either, or between two steps of token2wav.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        torch_dtype: str = "auto",
        voice: str | None = None,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        pretrained = fetch_pretrained(model_name, "--s2s_model_name", "Qwen2.5-Omni", files=_FILES)
        config = pretrained.load(AutoConfig)
        if not isinstance(config, Qwen2_5OmniConfig):
            raise pretrained.refuse(f"a model of the type {config.model_type}")
        # loaded in parts: the model's whole processor needs torchvision, for pictures
        self._extractor = pretrained.load(WhisperFeatureExtractor)
        self._tokenizer = _tokenizer(pretrained)
        self._model = pretrained.load_model(_Omni, device, dtype=torch_dtype)
        if not self._model.has_talker:
            raise pretrained.refuse("one without a talker, which cannot speak")
        thinker = config.thinker_config
        self._settings = self._model.thinker.generation_config
        self._settings.update(max_new_tokens=256)
        self._settings.update(**(gen_kwargs or {}))
        self._settings.eos_token_id = _ends(self._tokenizer)
        self._settings.pad_token_id = self._tokenizer.pad_token_id
        marks = (thinker.audio_start_token_id, thinker.audio_token_index, thinker.audio_end_token_id)
        self._audio_marks = self._tokenizer.convert_ids_to_tokens(list(marks))
        if None in self._audio_marks:
            raise pretrained.refuse("a tokenizer without marks of audio")
        special = sorted(self._tokenizer.get_added_vocab(), key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, special)))
        self._template = ChatTemplate(
            model_name,
            lambda messages: self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            ),
            lambda text: self._tokenizer(text, add_special_tokens=False)["input_ids"],
            context=thinker.text_config.max_position_embeddings or sys.maxsize,
            answer=self._settings.max_new_tokens,
        )
        voices = tuple(self._model.speaker_map)
        self.info = ResponderInfo(
            name="qwen-omni",
            model=model_name,
            device=device,
            sample_rate_hz=self._extractor.sampling_rate,
            voices=voices,
            takes_text=True,
        )
        self._voice = voice or voices[0]
        try:
            self.expect_voice(self._voice)
        except EngineError as error:
            raise UserError(f"--s2s_voice: {error}") from error

    def expect_voice(self, voice: str) -> None:
        """Accept a speaker of the model."""
        expect_known(self.info.voices, voice)

    def respond(
        self, question: Question, cancel: CancelToken
    ) -> Iterator[SpokenPiece | Notice | CutOff]:
        """Yield the answer in one piece. Raises `EngineError` for a voice that the model does not have,
        and for a question that is longer than it can read."""
        voice = question.settings.voice or self._voice
        self.expect_voice(voice)
        hears, heard = self._hear(question.samples)
        prompt = self._template.prompt(self._conversation(question, heard))
        if prompt.shortened:
            yield SHORTENED
        if cancel.cancelled:
            return
        speaker = voice if question.settings.spoken else None
        longest = self._settings.max_new_tokens
        answer = self._answer(prompt.tokens, hears, speaker, longest, cancel)
        if answer is None:
            return
        text, audio, is_cut_off = answer
        yield SpokenPiece(AudioChunk(audio, RATE_HZ), text)
        if is_cut_off:
            yield CutOff(MAX_OUTPUT_TOKENS)

    def warm_up(self) -> None:
        """Answer a second of silence with two tokens; an answer of the usual length would take long."""
        hears, heard = self._hear(np.zeros(self.info.sample_rate_hz, np.float32))
        prompt = self._template.prompt([ChatMessage("user", heard)])
        self._answer(prompt.tokens, hears, self._voice, 2, CancelToken())

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _hear(self, samples: Samples) -> tuple[dict[str, torch.Tensor], str]:
        """The speech as input of the model, and as placeholders in the conversation; both empty if there
        is no speech. Raises `EngineError` for more speech than the model's files allow (300 s on the
        hub)."""
        if not len(samples):
            return {}, ""
        rate_hz, longest_s = self.info.sample_rate_hz, self._extractor.chunk_length
        if len(samples) > longest_s * rate_hz:
            raise EngineError(
                f"expected at most {longest_s} s of speech, got {len(samples) / rate_hz:.0f}", "too_long"
            )
        missing = int(MIN_AUDIO_S * rate_hz) - len(samples)
        extracted = self._extractor(
            np.pad(clean(samples), (0, max(missing, 0))),
            sampling_rate=rate_hz,
            padding="longest",
            truncation=False,
            return_attention_mask=True,
            return_tensors="pt",
        )
        features, mask = extracted["input_features"], extracted["attention_mask"]
        frames = int(mask.sum())
        tokens = ((frames - 1) // 2 + 1 - 2) // 2 + 1  # two halvings, by convolution and by pooling
        begin, sound, end = self._audio_marks
        model = self._model
        return {
            "input_features": features.to(model.device, model.dtype),
            "feature_attention_mask": mask.to(model.device),
        }, f"{begin}{sound * tokens}{end}"

    def _conversation(self, question: Question, heard: str) -> list[ChatMessage]:
        """The messages with their instructions, in which nothing can be mistaken for special tokens."""
        messages = [replace(m, content=self._special.sub("", m.content)) for m in question.messages]
        told = [message.content for message in messages if message.role == "system"]
        said = [message for message in messages if message.role != "system"]
        asked = heard + self._special.sub("", question.text)
        return [
            ChatMessage("system", "\n\n".join([WHO, *told])),
            *said,
            *([ChatMessage("user", asked)] if asked else []),
        ]

    def _answer(
        self,
        prompt: list[int],
        heard: Mapping[str, torch.Tensor],
        voice: str | None,
        longest: int,
        cancel: CancelToken,
    ) -> tuple[str, Samples, bool] | None:
        """The answer as text and as audio, and True if it was cut off; None if it was cancelled, or has
        no words. Without a voice there is no audio. `longest`: the limit of the answer, in tokens of
        text."""
        model = self._model
        tokens = torch.tensor([prompt], device=model.device)
        most_codes = CODES_A_TOKEN * longest
        wav = model.token2wav
        steps = model.thinker, model.talker, wav.code2wav_dit_model, wav.code2wav_bigvgan_model
        output: Any = None
        with stopped_on_cancel(cancel, *steps), torch.inference_mode():
            output = model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                speaker=voice or self._voice,
                generation_mode="audio" if voice else "text",
                thinker_max_new_tokens=longest,
                thinker_min_new_tokens=1,  # an empty sequence breaks the next part
                talker_max_new_tokens=most_codes,
                talker_min_new_tokens=1,
                **heard,
            )
        if output is None or cancel.cancelled:
            return None
        sequences, sound = output if voice else (output, torch.empty(0))
        written = sequences[0, len(prompt) :].tolist()
        text = self._tokenizer.decode(written, skip_special_tokens=True).strip()
        if not text:
            return None
        audio = sound.float().cpu().numpy()
        dit, vocoder = wav.config.dit_config, wav.config.bigvgan_config
        codes = len(audio) // (dit.repeats * math.prod(vocoder.upsample_rates))
        return text, audio, was_cut_off(written, self._settings) or codes >= most_codes


class _Omni(Qwen2_5OmniForConditionalGeneration):  # type: ignore[misc]
    """The model, loaded in a way that reports layers without weights, which the library's own does
    not."""

    @classmethod
    def from_pretrained(cls, folder: str, **settings: Any) -> Any:
        """The model, and the report on its weights that other models give. Raises `ValueError` for a
        damaged speaker file."""
        model, report = super(Qwen2_5OmniForConditionalGeneration, cls).from_pretrained(
            folder, **settings
        )
        # reads tensors and numbers only, and runs no code
        model.load_speakers(Path(folder) / "spk_dict.pt")
        speakers = model.speaker_map.values()
        if not speakers or not all(isinstance(s, dict) and s.keys() >= _SPEAKER for s in speakers):
            raise ValueError(f"a spk_dict.pt without {', '.join(sorted(_SPEAKER))} of each speaker")
        return model, report


def _tokenizer(pretrained: Pretrained) -> Any:
    """The tokenizer with its chat template, which may be in the file of the processor. Raises
    `UserError`."""
    tokenizer = pretrained.load(AutoTokenizer)
    file = pretrained.folder / "chat_template.json"
    if tokenizer.chat_template is None and file.is_file():
        try:
            tokenizer.chat_template = str(json.loads(file.read_text("utf-8"))["chat_template"])
        except (ValueError, KeyError, TypeError) as error:
            raise pretrained.refuse(f"a chat_template.json that cannot be read ({error!r})") from error
    if tokenizer.chat_template is None:
        raise pretrained.refuse("a model without a chat template")
    return tokenizer


def _ends(tokenizer: Any) -> list[int]:
    """The tokens that end an answer: end of message, and end of text."""
    vocabulary = tokenizer.get_vocab()
    named = {"<|im_end|>", "<|endoftext|>", tokenizer.eos_token}
    return sorted(vocabulary[token] for token in named & vocabulary.keys())
