"""A recording that is damaged or cut off, with the real default engines."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.connections.recorded.test_file_mode import QUESTION, answer
from tests.speech import RATE_HZ as SPEECH_RATE_HZ
from tests.speech import share_heard, silence, spoken


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_of_a_damaged_recording_what_can_be_read_is_answered(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"question.{kind.lower()}"
    said = spoken(QUESTION)
    soundfile.write(path, np.concatenate((said, silence(1000))), SPEECH_RATE_HZ)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 7 // 8])
    transcript, _, told = answer(str(path), tmp_path)
    assert share_heard(QUESTION, transcript["turns"][-1]["user_text"]) > 0.5
    assert f"{path}: the file is damaged or cut off: " in told
