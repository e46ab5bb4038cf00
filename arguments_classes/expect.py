"""expect: the checks by which a dataclass refuses a value."""

import ipaddress

from pipeline.errors import UserError


def expect(holds: bool, flag: str, expected: str, got: object) -> None:
    """Raise `UserError` unless `holds`, the condition for the value of a flag."""
    if not holds:
        raise UserError(f"--{flag}: expected {expected}, got {got}")


def expect_port(flag: str, port: int) -> None:
    """Raise `UserError` unless this is a port number; 0 lets the system choose one."""
    expect(0 <= port <= 65535, flag, "a port from 0 to 65535", port)


def expect_network(flag: str, network: str) -> None:
    """Raise `UserError` unless this is an IP address or a network of them, such as 10.0.0.0/8."""
    try:
        ipaddress.ip_network(network)
    except ValueError:
        expect(False, flag, "addresses or networks such as 10.0.0.0/8, separated by spaces", network)
