"""Moshi with tiny random weights. Runs in its environment only: see pytest.ini beside this file."""

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("moshi", reason="runs in the environment `moshi`")

import torch
from moshi.models import LMGen, loaders
from moshi.utils.compile import CUDAGraphed, no_compile
from safetensors.torch import load_file, save_file

from catalog.registry import EngineSpec
from engines.isolation.engines import IsolatedDuplexModel, isolate
from engines.starting import warm_up
from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from pipeline.settings import SessionSettings
from S2S.base import DuplexModel, DuplexStream
from S2S.moshi import FLAG, MoshiModel, cache_bytes, expect_room, find_checkpoint
from testing.contracts import speech_like
from testing.end_to_end_contracts import DuplexModelContract
from tests.isolated.tiny_moshi import tiny_moshi

FRAME = 1920


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_moshi(tmp_path_factory.mktemp("hub") / "moshiko")


@pytest.fixture(scope="module")
def greedy(folder: Path) -> MoshiModel:
    """A model that always chooses the likeliest token, for two conversations."""
    return MoshiModel(str(folder), "cpu", temperature=0, text_temperature=0, sessions=2)


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def frames(count: int, seed: int = 0) -> list[Samples]:
    """Noise that gets louder and quieter."""
    loudness = 0.3 * np.abs(np.sin(np.arange(count * FRAME) / 10_000))
    noise = np.random.default_rng(seed).normal(0, loudness).astype(np.float32)
    return list(noise.reshape(count, FRAME))


def talk(stream: DuplexStream, said: list[Samples]) -> tuple[Samples, list[str | None]]:
    """The model's audio in answer to `samples`, and its text frame by frame."""
    answers = [stream.answer(frame) for frame in said]
    return np.concatenate([audio for audio, _ in answers]), [text for _, text in answers]


def converse(model: DuplexModel, said: list[Samples]) -> tuple[Samples, list[str | None]]:
    stream = model.open(SessionSettings())
    answer = talk(stream, said)
    stream.close()
    return answer


class TestContract(DuplexModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: Path) -> MoshiModel:
        return MoshiModel(str(folder), "cpu")


class TestContractOfTwo(DuplexModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, greedy: MoshiModel) -> MoshiModel:
        return greedy


class TestContractInAProcessOfItsOwn(DuplexModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: Path) -> Iterator[IsolatedDuplexModel]:
        spec = EngineSpec("s2s", "moshi", "listens while it speaks", "S2S.moshi:MoshiModel", duplex=True)
        settings = {"model_name": str(folder), "device": "cpu", "temperature": 0, "text_temperature": 0}
        model = isolate(spec, settings, "cpu")
        yield model
        model.close()

    def test_it_says_there_what_it_says_here(
        self, engine: IsolatedDuplexModel, greedy: MoshiModel
    ) -> None:
        here, there = converse(greedy, frames(20)), converse(engine, frames(20))
        np.testing.assert_allclose(there[0], here[0], rtol=0, atol=1e-6)
        assert there[1] == here[1]


def test_mimi_with_state_hears_and_says_what_it_does_at_once(folder: Path) -> None:
    """Compare latents and decode random codes: a random model's own codes would all be the same."""
    mimi = find_checkpoint(str(folder)).get_mimi("cpu")
    audio = torch.from_numpy(np.stack(frames(40)))
    codes = torch.randint(0, mimi.cardinality, (1, mimi.num_codebooks, 40))
    with torch.no_grad(), no_compile():
        latents = mimi.encode_to_latent(audio.reshape(1, 1, -1), quantize=False)
        said = mimi.decode(codes)
        with mimi.streaming(1):
            heard_by_frame = [mimi.encode_to_latent(f[None, None], quantize=False) for f in audio]
            said_by_frame = [mimi.decode(codes[..., i : i + 1]) for i in range(40)]
        without_state = [mimi.decode(codes[..., i : i + 1]) for i in range(40)]
    assert latents.std() > 0.01
    torch.testing.assert_close(torch.cat(heard_by_frame, -1), latents, rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.cat(said_by_frame, -1), said, rtol=0, atol=1e-5)
    assert (torch.cat(without_state, -1) - said).abs().max() > 1e-3


def test_every_frame_is_answered_as_the_package_answers_a_file(folder: Path, greedy: MoshiModel) -> None:
    """Compared with the loop of `moshi.run_inference`, on models of its own."""
    said = frames(30)
    checkpoint = find_checkpoint(str(folder))
    mimi, model = checkpoint.get_mimi("cpu"), checkpoint.get_moshi("cpu", torch.float32)
    generator = LMGen(model, temp=0, temp_text=0)
    expected = []
    with torch.no_grad(), no_compile(), mimi.streaming(1), generator.streaming(1):
        for number, frame in enumerate(said):
            codes = mimi.encode(torch.from_numpy(frame)[None, None])
            if number == 0:
                generator.step(codes)
            expected.append(mimi.decode(generator.step(codes)[:, 1:])[0, 0].numpy())
    audio, _ = converse(greedy, said)
    np.testing.assert_allclose(audio, np.concatenate(expected), rtol=0, atol=1e-6)


def test_a_new_conversation_begins_anew(greedy: MoshiModel) -> None:
    said = frames(30)
    first, text = converse(greedy, said)
    converse(greedy, frames(7, seed=1))
    for _ in range(3):  # in both states
        again, same_text = converse(greedy, said)
        np.testing.assert_array_equal(again, first)
        assert same_text == text
    other, _ = converse(greedy, frames(30, seed=2))
    assert np.abs(other - first).max() > 1e-5, "it does not hear what is said to it"


def test_conversations_do_not_hear_each_other(greedy: MoshiModel) -> None:
    said = [frames(20), frames(20, seed=3)]
    alone = [converse(greedy, each)[0] for each in said]
    streams = [greedy.open(SessionSettings()) for _ in said]
    together: list[list[Samples]] = [[], []]
    for pair in zip(*said, strict=True):
        for stream, frame, answers in zip(streams, pair, together, strict=True):
            answers.append(stream.answer(frame)[0])
    for stream in streams:
        stream.close()
    for expected, answers in zip(alone, together, strict=True):
        np.testing.assert_array_equal(np.concatenate(answers), expected)
    assert not np.array_equal(alone[0], alone[1])


def test_with_the_same_seed_it_says_the_same(folder: Path) -> None:
    model, said = MoshiModel(str(folder), "cpu"), frames(20)
    answers = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        answers.append(converse(model, said))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    assert answers[0][1] == answers[1][1]
    assert answers[0][1] != answers[2][1]


def test_its_words(greedy: MoshiModel) -> None:
    """Padding (0 and 3) and marks are not text; a word begins with a space."""
    tokens = greedy._tokenizer
    by_name = {tokens.id_to_piece(number): number for number in range(tokens.vocab_size())}
    assert greedy.piece(None) == greedy.piece(0) == greedy.piece(3) == greedy.piece(by_name["<s>"]) == ""
    assert greedy.piece(by_name["▁"]) == " "
    assert greedy.piece(by_name["o"]) == "o"
    assert greedy.piece(by_name["<0xC3>"]) == b"\xc3"


def test_a_character_of_several_bytes_comes_with_its_last(
    greedy: MoshiModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = greedy._tokenizer
    written = iter([tokens.piece_to_id(piece) for piece in ("<0xC3>", "<0xA9>", "o", "<0xFF>", "▁")])
    silence = np.zeros(FRAME, np.float32)
    monkeypatch.setattr(greedy, "step", lambda *_, **__: (silence, next(written)))
    stream = greedy.open(SessionSettings())
    assert [stream.answer(silence)[1] for _ in range(5)] == [None, "é", "o", None, " "]
    stream.close()


def test_random_weights_write_text(folder: Path) -> None:
    _, text = converse(MoshiModel(str(folder), "cpu", text_temperature=5), frames(50))
    assert sum(piece is not None for piece in text) > 10


def test_a_long_conversation_does_not_grow(greedy: MoshiModel) -> None:
    """Longer than the context of the model (100 frames) and of Mimi (250)."""
    stream = greedy.open(SessionSettings())

    def size() -> int:
        parts = itertools.chain.from_iterable(part.values() for part in stream._state)
        tensors = [v for part in parts for v in _deep(part) if isinstance(v, torch.Tensor)]
        return sum(tensor.numel() for tensor in tensors)

    talk(stream, frames(5))
    before = size()
    audio, _ = talk(stream, frames(300))
    stream.close()
    assert size() == before > 10_000
    assert len(audio) == 300 * FRAME


def _deep(state: Any) -> list[Any]:
    """The fields of a state, and of what is in it."""
    fields = list(vars(state).values())
    caches = [field for field in fields if type(field).__name__ == "RingKVCache"]
    return fields + [value for cache in caches for value in vars(cache).values()]


@pytest.mark.parametrize("length", [0, 1, FRAME - 1, FRAME + 1, 2 * FRAME])
def test_a_frame_of_another_length_is_told(greedy: MoshiModel, length: int) -> None:
    stream = greedy.open(SessionSettings())
    with pytest.raises(EngineError, match=f"expected a frame of {FRAME} samples, got {length}"):
        stream.answer(np.zeros(length, np.float32))
    assert len(stream.answer(np.zeros(FRAME, np.float32))[0]) == FRAME
    stream.close()


def test_a_conversation_that_is_over_answers_no_more(greedy: MoshiModel) -> None:
    stream = greedy.open(SessionSettings())
    stream.close()
    with pytest.raises(EngineError, match="one that is over"):
        stream.answer(np.zeros(FRAME, np.float32))


def test_the_first_frames_are_computed_at_start_in_every_state(
    greedy: MoshiModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, warmed = greedy.step, list[int]()

    def watched(state: Any, frame: Samples, *, first: bool) -> tuple[Samples, int | None]:
        warmed.append(id(state))
        return step(state, frame, first=first)

    monkeypatch.setattr(greedy, "step", watched)
    warm_up(greedy)
    assert len(set(warmed)) == 2
    assert min(map(warmed.count, set(warmed))) >= 4
    streams = [greedy.open(SessionSettings()) for _ in range(2)]
    for stream in streams:
        stream.close()


def test_a_new_conversation_keeps_the_graphs_that_were_captured_at_start(greedy: MoshiModel) -> None:
    """A graph (`CUDAGraphed`) belongs to a state: resetting one that was warmed up must not replace it.
    On a processor they only call their function."""

    def graphs(stream: Any) -> dict[str, int]:
        parts = [(name, part) for group in stream._state for name, part in group.items()]
        return {
            f"{name} {field}": id(value)
            for name, part in parts
            for field, value in vars(part).items()
            if isinstance(value, CUDAGraphed)
        }

    warm_up(greedy)
    before = []
    for _ in range(2):
        streams = [greedy.open(SessionSettings()) for _ in range(2)]
        before.append(sorted(graphs(stream).items() for stream in streams))
        for stream in streams:
            stream.answer(np.zeros(FRAME, np.float32))
            stream.close()
    assert before[0][0]
    assert before[0] == before[1]


def removed(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda tensors: tensors.__delitem__(name)


def reshaped(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda tensors: tensors.__setitem__(name, torch.zeros(3, 3))


@pytest.mark.parametrize("file", ["model", "mimi"])
@pytest.mark.parametrize("change", [removed, reshaped])
def test_a_layer_without_its_weights_is_named(copy: Path, file: str, change: Any) -> None:
    weights = copy / f"{file}.safetensors"
    tensors = load_file(weights)
    name = next(name for name in sorted(tensors) if tensors[name].dim() == 2)
    change(name)(tensors)
    save_file(tensors, weights)
    with pytest.raises(UserError, match=rf"{FLAG} .*: expected a model .*{name}"):
        MoshiModel(str(copy), "cpu")


@pytest.mark.parametrize("name", ["model.safetensors", "mimi.safetensors", "tokenizer.model"])
def test_a_file_that_is_missing_or_cut_off_is_told(copy: Path, name: str) -> None:
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=f"{FLAG} .*: expected a model"):
        MoshiModel(str(copy), "cpu")
    (copy / name).unlink()
    with pytest.raises(UserError, match=f"got files without {name}"):
        MoshiModel(str(copy), "cpu")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model_type": "hibiki"}, "one for hibiki"),
        ({"model_type": "stt"}, "one for stt"),
        ({"model_type": "personaplex"}, "one for personaplex"),
        ({"quantize": True}, "quantized"),
        ({"dim": 128}, "size mismatch"),
        ({"dep_q": 4}, "expected a model"),
        ({"conditioners": {"mood": {"type": "unknown", "unknown": {}}}}, "unknown"),
    ],
)
def test_a_model_of_another_kind_is_told(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    folder = tiny_moshi(tmp_path / "other", **change)
    with pytest.raises(UserError, match=f"{FLAG} .*{told}"):
        MoshiModel(str(folder), "cpu")


def test_the_config_of_another_library_is_told(copy: Path) -> None:
    (copy / "config.json").write_text(json.dumps({"model_type": "moshi", "hidden_size": 4096}))
    with pytest.raises(UserError, match=r"got the config\.json of another library"):
        MoshiModel(str(copy), "cpu")


def test_a_tokenizer_of_another_model_is_told(copy: Path) -> None:
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["hello world"] * 9),
        model_prefix=str(copy / "tokenizer"),
        vocab_size=14,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(UserError, match=r"got a tokenizer of \d+ tokens for \d+"):
        MoshiModel(str(copy), "cpu")


def test_the_first_models_had_no_config(copy: Path) -> None:
    """The first models have names and sizes from the package, so the tiny weights do not fit."""
    (copy / "config.json").unlink()
    (copy / "mimi.safetensors").rename(copy / loaders.MIMI_NAME)
    (copy / "tokenizer.model").rename(copy / loaders.TEXT_TOKENIZER_NAME)
    checkpoint = find_checkpoint(str(copy))
    assert checkpoint.moshi_weights == copy / "model.safetensors"
    with pytest.raises(UserError, match="in loading state_dict for MimiModel"):
        MoshiModel(str(copy), "cpu")


def test_a_gpu_that_is_too_small_is_told() -> None:
    expect_room(24e9, 19e9, "moshiko", 1)
    with pytest.raises(
        UserError, match=r"moshiko: expected 19\.0 GB of free memory .* got 12\.0 GB; choose a l"
    ):
        expect_room(12e9, 19e9, "moshiko", 1)
    with pytest.raises(UserError, match="choose a lower --s2s_sessions, a larger GPU"):
        expect_room(12e9, 19e9, "moshiko", 2)


def test_the_cache_of_a_conversation_at_its_real_size() -> None:
    assert cache_bytes(loaders._lm_kwargs, torch.bfloat16) == 1_572_864_000


def test_a_processor_that_cannot_carry_it_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MoshiModel(str(folder), "cpu").info.device == "cpu, 1 MB"
    monkeypatch.setattr("S2S.moshi.CPU_BYTES_PER_S", 1e6)
    assert "far too slow for a conversation" in MoshiModel(str(folder), "cpu").info.device


def test_precision(folder: Path) -> None:
    model = MoshiModel(str(folder), "cpu", torch_dtype="bfloat16")
    assert len(converse(model, list(speech_like(FRAME, 5).reshape(5, FRAME)))[0]) == 5 * FRAME
    assert model._modules[2].dtype == torch.bfloat16
