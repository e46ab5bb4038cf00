"""expect: how a dataclass refuses a value."""

from pipeline.errors import UserError


def expect(holds: bool, flag: str, expected: str, got: object) -> None:
    """Raise `UserError` unless the value of a flag is what it must be."""
    if not holds:
        raise UserError(f"--{flag}: expected {expected}, got {got}")


def expect_port(flag: str, port: int) -> None:
    """Raise `UserError` unless this is a port number; 0 lets the system choose one."""
    expect(0 <= port <= 65535, flag, "a port from 0 to 65535", port)
