"""`--s2s seamless` over a tiny random model."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.engines import Engines, Responder
from pipeline.clock import SampleClock
from pipeline.errors import EngineError, UserError
from pipeline.events import ErrorEvent, Interrupted, TurnDone
from pipeline.messages import MAX_OUTPUT_TOKENS, CutOff, Notice, Samples
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece, UserWords
from s2s_pipeline import build_pipeline
from testing.contracts import speech_like
from testing.conversation import hear
from testing.end_to_end_contracts import SpeechResponderContract
from testing.fakes import LoudnessDetector
from testing.sinks import RecordingSink

pytest.importorskip("torch", reason="torch is not installed (pip install -e .[seamless])")

from S2S.seamless import MAX_AUDIO_S, SeamlessResponder, usual_code
from testing.tiny_models import tiny_chat_model
from testing.tiny_recognizers import SYLLABLES
from testing.tiny_seamless import SPEAKERS, tiny_seamless

RATE_HZ = 16000
WORDLESS = [UserWords("")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_seamless(tmp_path_factory.mktemp("seamless"))


@pytest.fixture(scope="module")
def responder(folder: Path) -> SeamlessResponder:
    return SeamlessResponder(str(folder), "cpu", target_language="fr")


def answer(
    engine: SeamlessResponder, samples: Samples, cancel: CancelToken | None = None, **settings: Any
) -> list[Any]:
    question = Question(samples, SessionSettings(**settings))
    return list(engine.respond(question, cancel or CancelToken()))


def text_of(pieces: list[Any]) -> list[str]:
    return [str(piece.text) for piece in pieces if isinstance(piece, SpokenPiece)]


class TestSeamless(SpeechResponderContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, responder: SeamlessResponder) -> SeamlessResponder:
        return responder

    def test_the_text_of_an_answer_is_the_translation(self, engine: SeamlessResponder) -> None:
        (piece,) = answer(engine, speech_like(RATE_HZ))
        assert piece.text
        assert "<" not in piece.text
        assert "__" not in piece.text

    def test_the_words_depend_on_the_sound_and_the_language(self, engine: SeamlessResponder) -> None:
        noise = [np.random.default_rng(n).normal(0, 0.1, RATE_HZ).astype(np.float32) for n in range(4)]
        assert len({*text_of([answer(engine, sound)[0] for sound in noise])}) > 1
        assert len({*text_of([answer(engine, noise[0], language=code)[0] for code in ("fr", "zh")])}) > 1

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_audio_that_is_no_number_is_silence(self, engine: SeamlessResponder, value: float) -> None:
        assert answer(engine, np.full(RATE_HZ, value, np.float32)) == WORDLESS

    def test_silence_has_no_translation(self, engine: SeamlessResponder) -> None:
        assert answer(engine, np.zeros(RATE_HZ, np.float32)) == WORDLESS

    @pytest.mark.parametrize("samples", [2, 399, 400, 559, 560, 1599])
    def test_a_click_has_no_translation(self, engine: SeamlessResponder, samples: int) -> None:
        assert answer(engine, speech_like(RATE_HZ)[:samples]) == WORDLESS

    def test_the_shortest_utterance_has_one(self, engine: SeamlessResponder) -> None:
        assert text_of(answer(engine, speech_like(RATE_HZ)[:1600]))

    def test_long_speech_is_translated_in_parts(self, engine: SeamlessResponder) -> None:
        assert len(text_of(answer(engine, speech_like(RATE_HZ, MAX_AUDIO_S)))) == 1
        assert len(text_of(answer(engine, speech_like(RATE_HZ, 2 * MAX_AUDIO_S + 1)))) >= 3

    def test_speech_of_over_ten_minutes_is_refused(self, engine: SeamlessResponder) -> None:
        """The samples are a single one, repeated without using memory."""
        hour = np.broadcast_to(np.float32(0.1), 3600 * RATE_HZ)
        refused = "expected at most 10 minutes of speech without a pause, got 60; .* mode stream"
        with pytest.raises(EngineError, match=refused) as caught:
            answer(engine, hour)
        assert caught.value.code == "too_long"


def test_its_languages_have_the_usual_codes(responder: SeamlessResponder) -> None:
    """The model's codes are arb, cmn, eng, fra, swh, tgl; it writes isl, but does not speak it."""
    assert responder.info.languages == ("ar", "zh", "en", "fr", "sw", "tl")
    assert [usual_code(code) for code in ("pes", "uzn", "hin", "jpn", "cym")] == [
        *("fa", "uz", "hi", "ja", "cy")
    ]


def test_a_session_chooses_language_and_voice(responder: SeamlessResponder) -> None:
    noise = speech_like(RATE_HZ)
    usual, french = answer(responder, noise), answer(responder, noise, language="fr")
    assert text_of(french) == text_of(usual) != text_of(answer(responder, noise, language="zh"))
    voices = [answer(responder, noise, voice=voice)[0].audio.samples for voice in ("0", "1")]
    np.testing.assert_array_equal(voices[0], usual[0].audio.samples)
    assert not np.array_equal(*voices)


def test_a_language_that_it_cannot_speak_is_replaced_with_a_notice(
    responder: SeamlessResponder,
) -> None:
    noise = speech_like(RATE_HZ)
    notice, piece = answer(responder, noise, language="is")
    text = "seamless does not speak Icelandic; it answers in French"
    assert notice == Notice("language_fallback", text)
    assert [piece.text] == text_of(answer(responder, noise))


def test_a_voice_that_it_lacks_is_an_error_of_its_turn(responder: SeamlessResponder) -> None:
    assert responder.info.voices == ("0", "1", "2")
    for voice in ("3", "-1", "alloy"):
        with pytest.raises(EngineError, match=f"expected one of the voices 0, 1, 2, got '{voice}'"):
            answer(responder, speech_like(RATE_HZ), voice=voice)
    assert answer(responder, speech_like(RATE_HZ))


def test_a_translation_without_words_is_no_answer(tmp_path: Path) -> None:
    engine = SeamlessResponder(str(tiny_seamless(tmp_path, silent=True)), "cpu")
    assert answer(engine, speech_like(RATE_HZ)) == WORDLESS


def test_special_tokens_are_no_words(tmp_path: Path) -> None:
    """A model may write nothing but language tokens; the noise that it makes of these is not an
    answer."""
    folder = tiny_seamless(tmp_path)
    settings = json.loads((folder / "generation_config.json").read_text())
    tokens = settings["text_decoder_lang_to_code_id"].values()
    vocabulary = range(max(tokens) + 1)
    settings["suppress_tokens"] = [number for number in vocabulary if number not in {3, *tokens}]
    (folder / "generation_config.json").write_text(json.dumps(settings))
    assert answer(SeamlessResponder(str(folder), "cpu"), speech_like(RATE_HZ)) == WORDLESS


def test_a_translation_that_reaches_the_limit_says_so(tmp_path: Path) -> None:
    engine = SeamlessResponder(str(tiny_seamless(tmp_path, whole=False)), "cpu")
    *pieces, last = answer(engine, speech_like(RATE_HZ, MAX_AUDIO_S + 2))
    assert len(text_of(pieces)) == 2
    assert last == CutOff(MAX_OUTPUT_TOKENS)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_weights_of_half_the_size(folder: Path, precision: str) -> None:
    engine = SeamlessResponder(str(folder), "cpu", torch_dtype=precision)
    (piece,) = answer(engine, speech_like(RATE_HZ))
    assert piece.audio.samples.dtype == np.float32
    assert np.isfinite(piece.audio.samples).all()
    assert piece.audio.samples.std() > 0


# -- cancelling ------------------------------------------------------------------------------------


def test_cancelled_before_it_began_it_computes_nothing(
    responder: SeamlessResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder._model, "generate", None)
    cancel = CancelToken()
    cancel.cancel()
    assert answer(responder, speech_like(RATE_HZ), cancel) == []


@pytest.mark.parametrize("step", ["text_decoder", "t2u_model"])
def test_cancelled_within_a_part_it_says_nothing_of_it(
    responder: SeamlessResponder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    cancel, calls = CancelToken(), []
    module = getattr(responder._model, step)
    forward = module.forward

    def cancelled(*args: Any, **settings: Any) -> Any:
        calls.append(step)
        cancel.cancel()
        return forward(*args, **settings)

    monkeypatch.setattr(module, "forward", cancelled)
    assert answer(responder, speech_like(RATE_HZ, 3 * MAX_AUDIO_S), cancel) == []
    assert len(calls) == 1
    monkeypatch.undo()
    assert answer(responder, speech_like(RATE_HZ))


def test_cancelled_between_two_parts_it_does_not_begin_the_next(responder: SeamlessResponder) -> None:
    cancel = CancelToken()
    question = Question(speech_like(RATE_HZ, 3 * MAX_AUDIO_S), SessionSettings())
    pieces = []
    for piece in responder.respond(question, cancel):
        pieces.append(piece)
        cancel.cancel()
    assert len(pieces) == 1


# -- an interpreter --------------------------------------------------------------------------------


class Interpreter:
    """A session in the reply mode `stream`, on a clock that the test advances."""

    def __init__(self, responder: SeamlessResponder) -> None:
        self.clock = SampleClock(RATE_HZ)
        self.sink = RecordingSink(self.clock.now, full_duplex=True)
        voice = Responder(SharedEngine(responder))
        engines = Engines(LoudnessDetector(), EndpointerSettings(), voice)
        settings = SessionSettings(reply_mode="stream", language="zh")
        self.session = build_pipeline(engines, self.sink, settings=settings, clock=self.clock)
        self.clock.on_advance(self.session.playout.wake)
        self.mail = self.session.events.subscribe()
        self._noise = np.random.default_rng(0)

    def speak(self, ms: int) -> None:
        for _ in range(ms // 32):
            window = self._noise.uniform(-0.5, 0.5, 512).astype(np.float32)
            hear(self.session, self.clock, window, 32)

    def wait(self, ms: int) -> None:
        hear(self.session, self.clock, np.zeros(512, np.float32), ms)


@pytest.fixture
def interpreter(responder: SeamlessResponder) -> Iterator[Interpreter]:
    interpreter = Interpreter(responder)
    yield interpreter
    interpreter.session.close()
    assert interpreter.session.join(60) == []


def test_it_interprets_phrase_by_phrase_while_the_user_speaks_on(interpreter: Interpreter) -> None:
    for _ in range(3):
        interpreter.speak(960)
        interpreter.wait(192)
    assert interpreter.sink.turns()[:2] == [1, 2], "before the user has finished"
    interpreter.wait(6000)
    assert interpreter.sink.turns() == [1, 2, 3]
    assert all(interpreter.sink.audio(turn).std() > 0.001 for turn in (1, 2, 3))
    events = list(iter(lambda: interpreter.mail.fetch(0), None))
    assert not any(isinstance(event, Interrupted) for event in events)
    done = [event for event in events if isinstance(event, TurnDone)]
    assert [bool(turn.heard) for turn in done] == [True] * 3


def test_a_vocoder_that_makes_no_numbers_is_an_error_of_its_turn(tmp_path: Path) -> None:
    responder = SeamlessResponder(str(tiny_seamless(tmp_path)), "cpu")
    responder._model.vocoder.hifi_gan.conv_post.weight.data.fill_(np.nan)
    interpreter = Interpreter(responder)
    interpreter.speak(960)
    interpreter.wait(1000)
    events = list(iter(lambda: interpreter.mail.fetch(0), None))
    (error,) = (event for event in events if isinstance(event, ErrorEvent))
    assert error.code == "bad_audio"
    assert "seamless" in error.text
    interpreter.session.close()
    assert interpreter.session.join(60) == []


# -- mistakes at start -----------------------------------------------------------------------------


def test_mistakes_are_told_at_start(folder: Path) -> None:
    languages = r"expected a language that .* speaks \(ar, zh, en, fr, sw, tl\), got 'is'"
    with pytest.raises(UserError, match=rf"^--s2s_target_language: {languages}$"):
        SeamlessResponder(str(folder), "cpu", target_language="is")
    with pytest.raises(UserError, match=rf"^--s2s_speaker_id: expected 0 to 2, .* got {SPEAKERS}$"):
        SeamlessResponder(str(folder), "cpu", speaker_id=SPEAKERS)
    with pytest.raises(UserError, match=r"^--s2s_model_name /nowhere"):
        SeamlessResponder("/nowhere", "cpu")


@pytest.mark.parametrize("part", ["speech_encoder", "text_decoder", "t2u_model", "vocoder"])
def test_made_up_layers_are_refused_by_name(tmp_path: Path, part: str) -> None:
    folder = tiny_seamless(tmp_path, without=f"{part}.")
    with pytest.raises(UserError, match=rf"layers have no weights in it \({part}\."):
        SeamlessResponder(str(folder), "cpu")


def test_layers_of_another_shape_are_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    other = shutil.copytree(folder, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["vocoder.speaker_embedding.weight"] = weights["vocoder.speaker_embedding.weight"][:, :-1]
    save_file(
        {name: tensor.contiguous() for name, tensor in weights.items()},
        other / "model.safetensors",
        metadata={"format": "pt"},
    )
    with pytest.raises(UserError, match=r"^--s2s_model_name"):
        SeamlessResponder(str(other), "cpu")


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = tiny_chat_model(tmp_path)
    expected = r"expected SeamlessM4T v2, got a model of the type llama$"
    with pytest.raises(UserError, match=rf"^--s2s_model_name .*: {expected}"):
        SeamlessResponder(str(folder), "cpu")


def test_a_first_version_is_refused(folder: Path, tmp_path: Path) -> None:
    older = shutil.copytree(folder, tmp_path / "older")
    config = json.loads((older / "config.json").read_text())
    (older / "config.json").write_text(json.dumps(config | {"model_type": "seamless_m4t"}))
    with pytest.raises(UserError, match=r"got a model of the type seamless_m4t$"):
        SeamlessResponder(str(older), "cpu")


def test_without_its_maps_it_is_refused(folder: Path, tmp_path: Path) -> None:
    """Transformers omits the maps from a file that it wrote itself."""
    bare = shutil.copytree(folder, tmp_path / "bare")
    settings = json.loads((bare / "generation_config.json").read_text())
    del settings["vocoder_lang_code_to_id"], settings["char_to_id"]
    (bare / "generation_config.json").write_text(json.dumps(settings))
    missing = "got a generation_config.json without vocoder_lang_code_to_id, char_to_id$"
    with pytest.raises(UserError, match=missing):
        SeamlessResponder(str(bare), "cpu")
    (bare / "generation_config.json").unlink()
    with pytest.raises(UserError, match=r"^--s2s_model_name .*expected SeamlessM4T v2, got"):
        SeamlessResponder(str(bare), "cpu")


def test_maps_are_read_from_a_file_that_says_that_it_was_derived(folder: Path, tmp_path: Path) -> None:
    derived = shutil.copytree(folder, tmp_path / "derived")
    settings = json.loads((derived / "generation_config.json").read_text())
    settings["_from_model_config"] = True
    (derived / "generation_config.json").write_text(json.dumps(settings))
    assert answer(SeamlessResponder(str(derived), "cpu"), speech_like(RATE_HZ))


def test_its_tokenizer_may_be_a_model_of_sentencepiece(
    folder: Path, responder: SeamlessResponder, tmp_path: Path
) -> None:
    """The model on the hub has no tokenizer.json either."""
    pytest.importorskip("sentencepiece", reason="pip install -e '.[seamless]'")
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.trainer_spec.model_type = proto.trainer_spec.BPE
    kinds = {"<unk>": 2, "<s>": 3, "</s>": 3}
    for number, piece in enumerate([*kinds, *SYLLABLES]):
        proto.pieces.add(piece=piece, score=-number, type=kinds.get(piece, 1))
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "tokenizer.json").unlink()
    (other / "sentencepiece.bpe.model").write_bytes(proto.SerializeToString())
    engine, noise = SeamlessResponder(str(other), "cpu", target_language="fr"), speech_like(RATE_HZ)
    assert text_of(answer(engine, noise)) == text_of(answer(responder, noise))


def test_weights_that_are_cut_off_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"^--s2s_model_name .*expected SeamlessM4T v2, got"):
        SeamlessResponder(str(broken), "cpu")
