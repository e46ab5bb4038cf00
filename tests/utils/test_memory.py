"""The memory of this machine, as the system tells it."""

from utils.memory import memory_bytes


def test_it_is_told() -> None:
    memory = memory_bytes()
    assert memory is not None
    assert 1 << 28 < memory < 1 << 50
