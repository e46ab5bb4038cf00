"""When a pause ends a turn: the turn detector between the short pause and the long one."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog.weights import FETCH, SMART_TURN, SMOLLM2
from engines.loader import load_turn_judges
from pipeline.activity import Activity
from pipeline.errors import UserError
from pipeline.events import TurnPending
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import Origin
from STT.base import Transcription
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedRecognizer, ScriptedSentenceJudge, ScriptedTurnDetector
from tests.speech import HUMAN, human, silence
from VAD.base import SentenceJudge
from VAD.endpointer import PHRASE_PAUSE_MS
from VAD.smart_turn import SmartTurnDetector, log_mel
from VAD.turn_end_policy import TurnEndPolicy
from VAD.turn_end_score import TurnEndScore
from VAD.turn_judges import TurnJudges

SCORE = TurnEndScore.load()


def conversation(
    detector: ScriptedTurnDetector | None,
    judge: ScriptedSentenceJudge | None = None,
    *,
    stt: ScriptedRecognizer | None = None,
    **settings: float,
) -> Conversation:
    endpointing = EndpointerSettings(**settings)  # type: ignore[arg-type]
    return Conversation(endpointing=endpointing, turn_detector=detector, sentence_judge=judge, stt=stt)


def silence_before_the_answer(talk: Conversation) -> float:
    talk.speak(640)
    latency = talk.until_done(1).latency
    assert latency.silence_ms is not None
    return latency.silence_ms


def windows_ms(pause_ms: float) -> float:
    """The first window in which the pause is as long as this."""
    return 32.0 * math.ceil(pause_ms / 32)


@pytest.mark.parametrize("speculate", [True, False])
@pytest.mark.parametrize(
    ("completeness", "expected_ms"),
    [
        (1.0, PHRASE_PAUSE_MS),
        (0.9, windows_ms(SCORE.pause_needed(0.9, None, 0.85))),
        (0.2, windows_ms(SCORE.pause_needed(0.2, None, 0.85))),
        (0.0, 1024),
    ],
)
def test_the_less_it_sounds_complete_the_longer_it_is_waited_for(
    completeness: float, expected_ms: float, speculate: bool
) -> None:
    with conversation(ScriptedTurnDetector(completeness), speculate=speculate) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(expected_ms, abs=1)


@pytest.mark.parametrize(("by_ear", "by_words"), [(0.9, 0.5), (0.9, 0.02), (0.02, 0.5), (0.02, 0.02)])
def test_the_words_count_too(by_ear: float, by_words: float) -> None:
    needed_ms = SCORE.pause_needed(by_ear, by_words, 0.85)
    judge = ScriptedSentenceJudge(by_words)
    with conversation(ScriptedTurnDetector(by_ear), judge) as talk:
        expected_ms = windows_ms(min(max(needed_ms, PHRASE_PAUSE_MS), 1000))
        assert silence_before_the_answer(talk) == pytest.approx(expected_ms, abs=1)
    assert len(judge.asked) == 1


def test_the_words_alone_decide_without_an_ear() -> None:
    with conversation(None, ScriptedSentenceJudge(0.9)) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(PHRASE_PAUSE_MS, abs=1)


def test_words_in_another_language_say_nothing() -> None:
    judge = ScriptedSentenceJudge(0.0)
    recognizer = ScriptedRecognizer(Transcription("des mots", "fr"))
    with conversation(ScriptedTurnDetector(1.0), judge, stt=recognizer) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(PHRASE_PAUSE_MS, abs=1)
    assert judge.asked == []


def test_without_a_guess_there_are_no_words_to_wait_for() -> None:
    judge = ScriptedSentenceJudge(0.0)
    with conversation(ScriptedTurnDetector(1.0), judge, speculate=False) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(PHRASE_PAUSE_MS, abs=1)
    assert judge.asked == []


def test_a_judge_of_words_that_fails_is_as_good_as_none(caplog: pytest.LogCaptureFixture) -> None:
    judge = ScriptedSentenceJudge(0.0)
    judge.error = ValueError("what was said")
    with conversation(ScriptedTurnDetector(1.0), judge) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(PHRASE_PAUSE_MS, abs=1)
    assert "scripted-words failed: ValueError" in caplog.text
    assert "what was said" not in caplog.text


def test_an_answer_needs_the_words_so_the_verdict_waits_for_them_as_long_as_for_silence() -> None:
    judges = TurnJudges(
        SharedEngine(ScriptedTurnDetector(1.0)), SharedEngine(ScriptedSentenceJudge(1.0))
    )
    activity = Activity()
    policy = TurnEndPolicy(EndpointerSettings(), judges, activity)
    with Conversation() as talk:
        guess, other = (talk.session.begin_turn(Origin.SPEECH) for _ in range(2))
        policy.pause_began(lambda: silence(100), 16000)
        assert activity.wait_idle(10)
        assert policy.patience_ms == PHRASE_PAUSE_MS
        policy.guessed(guess)
        assert policy.patience_ms == 500
        policy.heard_words(other, "of another turn", "en")
        assert policy.patience_ms == 500
        policy.heard_words(guess, "I have finished.", "en")
        assert activity.wait_idle(10)
        assert policy.patience_ms == PHRASE_PAUSE_MS
        policy.pause_ended()
        assert policy.patience_ms == 500


@pytest.mark.parametrize(("patience", "expected_ms"), [("quick", 300), ("normal", 500), ("slow", 2000)])
def test_the_user_chooses_the_patience(patience: str, expected_ms: float) -> None:
    with conversation(None) as talk:
        talk.session.change_settings(talk.session.settings.changed({"patience": patience}))
        assert silence_before_the_answer(talk) == pytest.approx(windows_ms(expected_ms))


def test_the_patience_of_the_operator_counts_where_it_goes_further() -> None:
    hasty, calm = EndpointerSettings(min_silence_ms=200), EndpointerSettings(min_silence_ms=3000)
    assert hasty.with_patience("quick") == hasty
    assert calm.with_patience("slow") == calm
    assert calm.with_patience("quick").min_silence_ms == 300


@pytest.mark.parametrize("min_silence_ms", [250, 1000])
def test_patience_grows_with_the_pause_that_the_user_has_set(min_silence_ms: float) -> None:
    needed_ms = SCORE.pause_needed(0.5, None, 0.85) * min_silence_ms / 500
    with conversation(ScriptedTurnDetector(0.5), min_silence_ms=min_silence_ms) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(windows_ms(needed_ms), abs=1)


def test_without_one_silence_decides() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(512, abs=1)


def test_one_that_fails_is_as_good_as_none(caplog: pytest.LogCaptureFixture) -> None:
    detector = ScriptedTurnDetector(0.9)
    detector.error = ValueError("what was said")
    with conversation(detector) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(512, abs=1)
    assert "scripted-turn failed: ValueError" in caplog.text
    assert "what was said" not in caplog.text


def test_it_tells_that_it_waits_for_the_rest_and_that_it_came() -> None:
    detector = ScriptedTurnDetector(0.0)
    with conversation(detector) as talk:
        talk.speak(640)
        talk.wait(256)
        assert talk.events(TurnPending) == [TurnPending(True, 840.0)]
        talk.speak(320)
        assert talk.events(TurnPending)[1:] == [TurnPending(False, 0.0)]
        talk.until_done(2)
        assert [event.pending for event in talk.events(TurnPending)] == [True, False, True]
        detector.answer = 1.0
        talk.ask()
        assert len(talk.events(TurnPending)) == 3, "nothing is waited for"


def test_one_that_hangs_holds_nothing_up() -> None:
    detector = ScriptedTurnDetector(0.9)
    detector.hold.close()
    with conversation(detector) as talk:
        talk.speak(640, settle=False)
        talk.wait(640, settle=False)
        mail = talk.session.events.subscribe()
        while type(mail.fetch(60)).__name__ != "ReplyStarted":
            talk.clock.advance(512)
        detector.hold.open()
        talk.settle()


def test_each_pause_is_judged_by_itself_and_a_late_verdict_is_void() -> None:
    detector = ScriptedTurnDetector(0.0)
    with conversation(detector) as talk:
        talk.speak(640)
        talk.wait(256)
        detector.answer = 1.0
        talk.speak(640)
        talk.wait(256)
        assert len(detector.asked) == 2
        assert len(detector.asked[1]) > len(detector.asked[0]) + 16000 * 0.8, "the whole, each time"
        assert talk.sink.turns(), "and the second time it was complete"


# -- the model itself ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector() -> SmartTurnDetector:
    path = SMART_TURN.path
    if not path.exists():
        pytest.skip(f"Smart Turn is not in {path.parent} ({FETCH})")
    return SmartTurnDetector(str(path))


@pytest.mark.parametrize("seconds", [0.3, 3.0, 8.0, 11.0])
def test_the_features_are_those_of_whisper(seconds: float) -> None:
    from transformers import WhisperFeatureExtractor

    samples = np.random.default_rng(0).normal(0.01, 0.1, int(16000 * seconds)).astype(np.float32)
    last = samples[-128_000:]
    padded = np.pad(last, (128_000 - len(last), 0))
    expected = WhisperFeatureExtractor(chunk_length=8)(
        padded, sampling_rate=16000, return_tensors="np", do_normalize=True
    ).input_features[0]
    assert np.allclose(log_mel(samples), expected, atol=1e-3)


def test_finished_sentences_sound_more_complete_than_cut_ones(detector: SmartTurnDetector) -> None:
    human("utterances/neutral_1.flac")
    items = json.loads((HUMAN / "utterances" / "utterances.json").read_text())
    whole, cut = [], []
    for item in [item for item in items if item.get("cut_s")][:10]:
        audio = human(f"utterances/{item['file']}")
        whole.append(detector.completeness(_pausing(audio[: int(16000 * item["speech_end_s"])])))
        cut.append(detector.completeness(_pausing(audio[: int(16000 * item["cut_s"])])))
    assert np.mean(whole) > np.mean(cut) + 0.2


def _pausing(audio: Samples) -> Samples:
    return np.concatenate((audio, silence(32)))


def test_silence_and_noise_are_judged_too(detector: SmartTurnDetector) -> None:
    for audio in (silence(100), np.random.default_rng(0).normal(0, 0.1, 200_000).astype(np.float32)):
        assert 0 <= detector.completeness(audio) <= 1


def test_where_the_file_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    assert SMART_TURN.path == tmp_path / SMART_TURN.name
    assert not load_turn_judges("auto", ScriptedModel())
    assert not load_turn_judges("silence", ScriptedModel())
    with pytest.raises(UserError, match="expected a recognizer"):
        load_turn_judges("words", None)
    for missing in ("audio", "words", "/nowhere/model.onnx"):
        with pytest.raises(UserError, match=r"is missing; type|expected auto, audio, words"):
            load_turn_judges(missing, ScriptedModel())
    SMART_TURN.path.write_bytes(bytes(SMART_TURN.size))
    assert not load_turn_judges("auto", ScriptedModel())
    with pytest.raises(UserError, match="is damaged; type: python -m catalog"):
        load_turn_judges("audio", ScriptedModel())
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(UserError, match="--turn_detector"):
        load_turn_judges(str(tmp_path / "text.onnx"), ScriptedModel())


@pytest.fixture(scope="module")
def judge() -> Iterator[SentenceJudge]:
    pytest.importorskip("xllamacpp", reason="no wheel for this machine")
    if not SMOLLM2.there:
        pytest.skip(f"SmolLM2 is not here ({FETCH})")
    from LLM.sentence_end import SmolLM2SentenceJudge

    judge = SmolLM2SentenceJudge()
    yield judge
    judge.close()


@pytest.mark.parametrize(
    ("whole", "unfinished"),
    [
        ("What time is it?", "What time is."),
        ("Tell me a story.", "Tell me a."),
        ("I would like a cup of tea.", "I would like a cup of."),
        ("We went to the beach yesterday.", "We went to the beach and."),
        ("Turn off the light!", "Turn off the"),
    ],
)
def test_a_whole_sentence_is_told_from_its_beginning(
    judge: SentenceJudge, whole: str, unfinished: str
) -> None:
    assert judge.ended(whole) > 4 * judge.ended(unfinished)


@pytest.mark.parametrize("words", ["", "...", '"', "🙂", "word " * 1000, "<|im_end|>", "{x} %s"])
def test_any_words_can_be_judged(judge: SentenceJudge, words: str) -> None:
    assert 0 <= judge.ended(words) <= 1
