"""Setup of the tests on real weights."""

import pytest

from tests.real.weights import FILES


@pytest.fixture(autouse=True, scope="session")
def weights() -> None:
    """Fail if weights are missing: a run that skipped these tests would prove nothing."""
    missing = [str(file.path) for file in FILES if not file.there]
    assert not missing, f"type: python -m tests.real.weights; missing: {', '.join(missing)}"
