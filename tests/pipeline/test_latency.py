"""The latency of a turn: its waterfall, and the report page of many turns."""

from pathlib import Path

import pytest

from listeners.latency_report import SLOWEST_KEPT, LatencyReport
from pipeline.errors import UserError
from pipeline.latency import Latency, Mark, Step, waterfall
from pipeline.settings import EndpointerSettings
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedRecognizer
from tests.command import run


def marks(**at_s: float) -> dict[str, Mark]:
    return {name: Mark(at, at + 100) for name, at in at_s.items()}


def test_the_steps_are_counted_from_the_end_of_speech() -> None:
    steps = waterfall(
        marks(
            speech_end=1.0, begun=1.1, stt_start=1.1, stt_first=1.2, stt_last=1.2, llm_start=1.2,
            llm_first=1.3, llm_last=1.5, endpoint=1.5, first_audio=1.6, heard_to=3.0,
        )
    )  # fmt: skip
    rounded = [Step(step.name, round(step.starts_ms), round(step.ends_ms)) for step in steps]
    assert rounded == [
        Step("silence", 0, 500),
        Step("stt", 100, 200),
        Step("llm", 200, 500),
        Step("reply", 600, 2000),
    ]


def test_without_an_end_of_speech_they_are_counted_from_the_beginning() -> None:
    steps = waterfall(marks(begun=1.0, llm_start=1.0, llm_first=1.5, llm_last=1.5, first_audio=1.6))
    assert [(step.name, round(step.ends_ms)) for step in steps] == [("llm", 500)]
    assert waterfall({}) == ()


def test_every_turn_tells_its_waterfall() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        talk.speak(640)
        done = talk.until_done(1)
        names = [step.name for step in done.waterfall]
        assert names[0] == "silence"
        assert sorted(names[1:]) == ["llm", "reply", "stt", "tts"]
        assert done.waterfall[0].ends_ms == pytest.approx(done.latency.silence_ms)


def test_the_report_is_one_page_without_words_or_a_network(tmp_path: Path) -> None:
    report = LatencyReport(tmp_path / "out.html")
    recognizer = ScriptedRecognizer("xylophone question")
    with Conversation(
        stt=recognizer, llm=ScriptedModel("A xylophone answer."), endpointing=EndpointerSettings()
    ) as talk:
        listener = report.listen(talk.session, "one")
        talk.speak(640)
        talk.until_done(1)
        talk.session.close()
        listener.join(60)
    report.write()
    page = (tmp_path / "out.html").read_text()
    assert "one, turn 1" in page
    assert "1 answers" in page
    assert "xylophone" not in page
    assert "<script src=" not in page, "nothing is fetched"


def test_it_keeps_the_slowest(tmp_path: Path) -> None:
    report = LatencyReport(tmp_path / "out.html")
    for number in range(3 * SLOWEST_KEPT):
        latency = Latency(total_ms=float(number), silence_ms=0.0, rest_ms=float(number))
        report.add("same name", latency, (Step("reply", 0.0, 1.0),))
    report.write()
    assert min(turn.total_ms for turn in report._slowest) == 2 * SLOWEST_KEPT


def test_no_turn_at_all_is_a_page_too(tmp_path: Path) -> None:
    LatencyReport(tmp_path / "out.html").write()
    assert "0 answers" in (tmp_path / "out.html").read_text()


def test_a_page_that_could_not_be_written_is_told_at_start(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        LatencyReport(tmp_path / "nowhere" / "out.html")
    ended = run("--mode", "websocket", "--port", "0", "--latency_report", "/nowhere/out.html")
    assert ended.returncode == 2


def test_a_recording_that_is_not_in_real_time_has_no_report() -> None:
    ended = run("--mode", "file", "--input", "x.wav", "--latency_report", "out.html")
    assert ended.returncode == 2
    assert "--latency_report: expected --realtime with it" in ended.stderr
