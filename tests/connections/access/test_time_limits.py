"""Time limits of sessions, on real sockets."""

from connections.access.time_limits import TimeLimits
from testing.server import ScriptedWebServer
from tests.socket_clients import wait_for
from tests.web_client import WebClient


def test_a_session_that_nobody_uses_is_ended() -> None:
    with ScriptedWebServer(idle_timeout_s=0.5) as server, WebClient(server.port) as client:
        assert client.until("SessionEnded")["reason"] == "nobody has spoken for 0.5 s"
        assert client.until_closed() == 1000


def test_who_speaks_is_not_idle() -> None:
    """Each time the end is put off; the test above waits for one."""
    with ScriptedWebServer(idle_timeout_s=600) as server, WebClient(server.port) as client:
        client.until("welcome")
        (limits,) = (box for box in server.sessions[0].events._boxes if isinstance(box, TimeLimits))
        for _ in range(3):
            end = limits._idle
            client.ask()
            client.until("TurnDone")
            wait_for(lambda end=end: limits._idle.when() > end.when(), "a later end")
            assert end.cancelled()
            assert not limits._idle.cancelled()


def test_no_session_lasts_for_ever() -> None:
    with ScriptedWebServer(longest_session_s=0.5) as server, WebClient(server.port) as client:
        assert "may last" in client.until("SessionEnded")["reason"]
        assert client.until_closed() == 1000
