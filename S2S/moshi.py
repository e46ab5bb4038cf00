"""Moshi: Kyutai's full-duplex model, at 24 kHz, in frames of 80 ms."""

import codecs
import contextlib
import json
import math
import textwrap
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from moshi.models import LMGen, LMModel, loaders
from moshi.utils.compile import no_compile
from safetensors import SafetensorError, safe_open

from pipeline.audio import clean
from pipeline.engine_info import DuplexInfo
from pipeline.errors import EngineBusy, EngineError, UserError
from pipeline.messages import Samples
from pipeline.settings import SessionSettings
from utils.hub import fetch, size_text
from utils.voices import expect_known

FLAG = "--s2s_model_name"
FILES = ("*.safetensors", "*.model", "*.json")

ROOM_BYTES = 1.5e9
"""GPU memory needed besides weights and caches: Mimi, CUDA itself, and CUDA graphs."""

CPU_BYTES_PER_S = 40e9
"""Memory bandwidth of a typical desktop. The whole model is read once for every frame."""

_SAVED = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
"""Precisions, by their names in the files."""

_UNUSABLE = (
    *(OSError, ValueError, TypeError, KeyError, AttributeError, AssertionError, RuntimeError),
    SafetensorError,
)


class MoshiModel:
    """One set of weights, and up to `sessions` conversations, each with its own state, that take turns
    on the device. Within the 80 ms that a frame lasts, a frame of every conversation has to be computed.

    The package keeps the state of a conversation in its modules; it is exchanged before a step. On a GPU
    it compiles some functions and captures CUDA graphs in the first frames of a state: at start, when
    each is warmed up (`engines/starting.py`). A new conversation resets the state and keeps the graphs.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        torch_dtype: str = "auto",
        temperature: float | None = None,
        text_temperature: float | None = None,
        sessions: int = 1,
    ) -> None:
        checkpoint = find_checkpoint(model_name)
        with _one_sentence(model_name):
            dtype, weights = _measure(checkpoint.moshi_weights, torch_dtype)
            if device.startswith("cuda"):
                needed = weights + sessions * cache_bytes(checkpoint.lm_config, dtype) + ROOM_BYTES
                expect_room(torch.cuda.mem_get_info(device)[0], needed, model_name, sessions)
            self._tokenizer = checkpoint.get_text_tokenizer()
            self._mimi = checkpoint.get_mimi(device)
            model = checkpoint.get_moshi(device, dtype)
            if other := _other_kind(model, self._tokenizer):
                raise _refuse(model_name, other)
            chosen = {"temp": temperature, "temp_text": text_temperature}
            chosen = {name: value for name, value in chosen.items() if value is not None}
            self._generator = LMGen(model, **{**checkpoint.lm_gen_config, **chosen})
        self._silent = {model.text_padding_token_id, model.end_of_text_padding_id}
        self._modules = (self._mimi, self._generator, model)
        self._device = torch.device(device)
        self._lock = threading.Lock()
        self._active: Any = None
        self._free = deque(self._new_state() for _ in range(sessions))
        demand = weights * self._mimi.frame_rate
        too_slow = device == "cpu" and demand > CPU_BYTES_PER_S
        warning = "; far too slow for a conversation, which needs a GPU that reads "
        self.info = DuplexInfo(
            name="moshi",
            slots=sessions,
            model=model_name,
            device=f"{device}, {size_text(weights)}"
            + (f"{warning}{size_text(demand)} a second" if too_slow else ""),
            sample_rate_hz=self._mimi.sample_rate,
            frame_samples=self._mimi.frame_size,
        )

    def open(self, settings: SessionSettings) -> "MoshiStream":
        """Open a conversation. Raises `EngineBusy` if all states are taken, `EngineError` for a
        voice."""
        if settings.voice is not None:
            expect_known(self.info.voices, settings.voice)
        try:
            state = self._free.popleft()
        except IndexError:
            raise EngineBusy(
                f"moshi is busy: all of its {self.info.slots} conversation(s) are open (--s2s_sessions)"
            ) from None
        with self._on(state):
            self._mimi.reset_streaming()
            self._generator.reset_streaming()
        return MoshiStream(self, state)

    def release(self, state: Any) -> None:
        """Take back the state of a conversation that is over. Does not wait."""
        self._free.append(state)

    def step(self, state: Any, frame: Samples, *, first: bool) -> tuple[Samples, int | None]:
        """The audio that answers a frame, and the text token that begins with it; neither while the
        model has not heard enough."""
        with self._on(state):
            heard = torch.from_numpy(frame).to(self._device)
            codes = self._mimi.encode(heard[None, None])
            if first:  # the very first step ignores its input (see `moshi.run_inference`)
                self._generator.step(codes)
            tokens = self._generator.step(codes)
            if tokens is None:
                return np.zeros(0, np.float32), None
            audio = self._mimi.decode(tokens[:, 1:])
            return np.clip(audio[0, 0].float().cpu().numpy(), -1, 1), int(tokens[0, 0, 0])

    def piece(self, token: int | None) -> str | bytes:
        """The text of a token, or the byte of a character that has no token of its own."""
        if token is None or token in self._silent or self._tokenizer.is_control(token):
            return ""
        text: str = self._tokenizer.id_to_piece(token)
        if self._tokenizer.is_byte(token):
            return bytes.fromhex(text[3:-1])  # "<0xE2>"
        return text.replace("▁", " ")

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _new_state(self) -> Any:
        with self._mimi.streaming(1), self._generator.streaming(1):
            return [module.get_streaming_state() for module in self._modules]

    @contextlib.contextmanager
    def _on(self, state: Any) -> Iterator[None]:
        """Compute in the state of this conversation, one conversation at a time. On a CPU nothing is
        compiled: compiling takes most of a minute, and helps little."""
        compiles = contextlib.nullcontext() if self._device.type == "cuda" else no_compile()
        with self._lock, torch.no_grad(), compiles:
            if self._active is not state:
                for module, part in zip(self._modules, state, strict=True):
                    module.set_streaming_state(part)
                self._active = state
            yield


class MoshiStream:
    """One conversation."""

    def __init__(self, model: MoshiModel, state: Any) -> None:
        self._model = model
        self._state = state
        self._first = True
        self._closed = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")("ignore")

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        """The next 80 ms of the model's voice, and the text that begins with it."""
        expected = self._model.info.frame_samples
        if len(frame) != expected:
            raise EngineError(f"expected a frame of {expected} samples, got {len(frame)}", "bad_frame")
        if self._closed:
            raise EngineError("expected an open conversation, got one that is over", "closed")
        audio, token = self._model.step(self._state, clean(frame), first=self._first)
        self._first = False
        piece = self._model.piece(token)
        text = self._utf8.decode(piece) if isinstance(piece, bytes) else piece
        return audio, text or None

    def close(self) -> None:
        """Free the state."""
        if not self._closed:
            self._closed = True
            self._model.release(self._state)


def find_checkpoint(model_name: str) -> loaders.CheckpointInfo:
    """The files of a model, from its folder or the hub. Raises `UserError`.

    The names of the files are in its config.json. The first models have no config.json; the package
    knows their file names and sizes.
    """
    folder = fetch(model_name, FLAG, files=FILES)
    config = folder / "config.json"
    with _one_sentence(model_name):
        names = json.loads(config.read_text("utf-8")) if config.exists() else {}
        kind = names.get("model_type", "moshi")
        if kind != "moshi":
            raise _refuse(model_name, f"one for {kind}")
        if names and not {"dim", "n_q", "dep_q", "num_layers", "context"} <= names.keys():
            raise _refuse(model_name, "the config.json of another library")
        if names.get("quantize"):
            raise _refuse(model_name, "quantized weights, which need a package of their own")
        weights = _file(folder, names.get("moshi_name", loaders.MOSHI_NAME))
        mimi = _file(folder, names.get("mimi_name", loaders.MIMI_NAME))
        tokenizer = _file(folder, names.get("tokenizer_name", loaders.TEXT_TOKENIZER_NAME))
        for file in (weights, mimi, tokenizer):
            if not file.is_file():
                raise _refuse(model_name, f"files without {file.name}")
        if not config.exists():
            return loaders.CheckpointInfo(weights, mimi, tokenizer, loaders._lm_kwargs)
        mimi_config = names.get("mimi_config_name")
        return loaders.CheckpointInfo.from_hf_repo(
            model_name,
            weights,
            mimi,
            tokenizer,
            config,
            _file(folder, mimi_config) if mimi_config else None,
            _file(folder, names["lora_name"]) if names.get("lora_name") else None,
        )


def expect_room(free: float, needed: float, model_name: str, sessions: int) -> None:
    """Raise `UserError` if a GPU has fewer bytes free than are needed."""
    if free < needed:
        fewer = "a lower --s2s_sessions, " if sessions > 1 else ""
        raise UserError(
            f"{FLAG} {model_name}: expected {size_text(needed)} of free memory on the GPU, got "
            f"{size_text(free)}; choose {fewer}a larger GPU, or another one with --s2s_device cuda:1"
        )


def cache_bytes(config: dict[str, Any], dtype: torch.dtype) -> int:
    """Size of the attention cache of one conversation: keys and values of all layers."""
    per_layer = 2 * config["context"] * config["dim"]
    return int(config["num_layers"] * per_layer * dtype.itemsize)


def _measure(weights: Path, torch_dtype: str) -> tuple[torch.dtype, int]:
    """The precision and the size in bytes of the weights, which are not loaded for this."""
    with safe_open(weights, "pt") as file:
        tensors = [file.get_slice(name) for name in file.keys()]  # noqa: SIM118 (no mapping)
    saved = _SAVED.get(tensors[0].get_dtype(), "bfloat16")
    dtype: torch.dtype = getattr(torch, saved if torch_dtype == "auto" else torch_dtype)
    return dtype, dtype.itemsize * sum(math.prod(tensor.get_shape()) for tensor in tensors)


def _other_kind(model: LMModel, tokenizer: Any) -> str | None:
    """A description of a model of another kind; None for one that fits."""
    if model.dep_q == 0 or model.n_q != 2 * model.dep_q:
        return f"one that hears {model.n_q - model.dep_q} codes and speaks {model.dep_q}"
    if model.fuser is not None:
        return "one that needs conditions as input"
    if tokenizer.vocab_size() < model.text_card:
        return f"a tokenizer of {tokenizer.vocab_size()} tokens for {model.text_card}"
    return None


def _file(folder: Path, name: str) -> Path:
    """A file of the model, or of another model ("hf://owner/model/file")."""
    if not name.startswith("hf://"):
        return folder / name
    owner, other, file = name.removeprefix("hf://").split("/", 2)
    return fetch(f"{owner}/{other}", FLAG, files=(file,)) / file


def _refuse(model_name: str, got: object) -> UserError:
    return UserError(f"{FLAG} {model_name}: expected a model for Kyutai's moshi package, got {got}")


@contextlib.contextmanager
def _one_sentence(model_name: str) -> Iterator[None]:
    """Turn the exceptions that the package raises for unusable files into a `UserError`. The package
    loads strictly: a layer that is missing or does not match is an error that names the layer."""
    try:
        yield
    except _UNUSABLE as error:
        got = textwrap.shorten(str(error), 300, placeholder=" ...") or type(error).__name__
        raise _refuse(model_name, got) from error
