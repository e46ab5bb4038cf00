"""A language model server that sends nonsense, with the real program: every conversation survives it."""

import pytest

from benchmarks.hostile import FAULTS, run

pytestmark = pytest.mark.slow


def test_conversations_survive_a_hostile_model() -> None:
    seen = run(answers=40, clients=8, seed=3)
    assert {fault: seen[fault] for fault in FAULTS} == dict.fromkeys(FAULTS, 0)
    assert sum(number for name, number in seen.items() if name.startswith("answers")) == 40
