"""The contract of end-to-end engines, over the test tone."""

import pytest

from S2S.tone import ToneResponder
from testing.end_to_end_contracts import SpeechResponderContract


class TestTone(SpeechResponderContract):
    @pytest.fixture
    def engine(self) -> ToneResponder:
        return ToneResponder()
