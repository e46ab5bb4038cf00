"""The measures of the interaction panel, on conversations that are written out: a letter is 200 ms."""

from typing import Any

import pytest

from benchmarks.panel.ticks import Event, Kind, Tick, judge, panel

SOUNDS = {"b": None, "t": Kind.TIC, "s": Kind.ASIDE}


def conversation(user: str, agent: str) -> list[Tick]:
    """U: the user's turn, b: a back-channel, t: a tic, s: side talk, T: a tic within a turn; A: the
    agent."""
    assert len(user) == len(agent)
    ticks = []
    for mine, theirs in zip(user, agent, strict=True):
        kind = SOUNDS.get(mine.lower())
        sounds = frozenset({(kind, 0)}) if kind else frozenset[tuple[Kind, int]]()
        ticks.append(Tick(mine in "UbT", theirs == "A", mine == "b", sounds))
    return ticks


def about(value: float) -> Any:
    """Stands for a float in a comparison."""
    return pytest.approx(value)


def events(user: str, agent: str, strict: bool = False) -> list[Event]:
    return judge(conversation(user, agent), strict)


def test_an_answer_before_the_user_speaks_again_is_a_response() -> None:
    found = events("UUU......UU......",  #
                   "......AA.........")  # fmt: skip
    assert found == [Event(Kind.RESPONSE, True, 3, about(0.6))]


def test_a_turn_that_has_to_be_repeated_was_not_answered() -> None:
    found = events("UUU......UU....",  #
                   ".............AA")  # fmt: skip
    assert found == [
        Event(Kind.RESPONSE, False, 3),
        Event(Kind.RESPONSE, True, 11, about(0.4)),
    ]


def test_the_last_turn_does_not_count_without_an_answer() -> None:
    assert events("UUU....", ".......") == []


def test_an_answer_that_begins_in_a_turn_cuts_in() -> None:
    assert Event(Kind.CUT_IN, False, 2) in events("UUUU......", "..AAAA....")


@pytest.mark.parametrize(
    ("spoken", "right", "latency_s"),
    [(2, True, 0.4), (9, True, 1.8), (10, False, None)],
)
def test_an_interrupted_answer_has_two_seconds_to_stop(
    spoken: int, right: bool, latency_s: float | None
) -> None:
    found = events("..UUU" + 15 * ".", 2 * "A" + spoken * "A" + (18 - spoken) * ".")
    expected = None if latency_s is None else about(latency_s)
    assert [e for e in found if e.kind is Kind.YIELD] == [Event(Kind.YIELD, right, 2, expected)]


@pytest.mark.parametrize(("spoken", "right"), [(4, False), (5, True)])
@pytest.mark.parametrize(("sound", "kind"), [("b", Kind.BACKCHANNEL), ("T", Kind.TIC)])
def test_a_backchannel_stops_an_answer_within_one_second(
    sound: str, kind: Kind, spoken: int, right: bool
) -> None:
    found = events(".." + 2 * sound + 12 * ".", 2 * "A" + spoken * "A" + (14 - spoken) * ".")
    assert [e for e in found if e.kind is kind] == [Event(kind, right, 2)]


def test_a_pause_in_the_answer_counts_as_a_stop() -> None:
    assert Event(Kind.BACKCHANNEL, False, 2) in events("..bb......", "AAA.AAAAAA")


@pytest.mark.parametrize(("sound", "kind"), [("t", Kind.TIC), ("s", Kind.ASIDE)])
@pytest.mark.parametrize(("silent", "right"), [(10, False), (11, True)])
def test_a_sound_in_silence_should_get_no_answer_within_two_seconds(
    sound: str, kind: Kind, silent: int, right: bool
) -> None:
    found = events(2 * sound + 14 * ".", 2 * "." + silent * "." + (14 - silent) * "A")
    assert found == [Event(kind, right, 0)]


def test_tau2_benchs_code_counts_sounds_over_an_answer_only_if_it_stops() -> None:
    kept = ("..tt..........", "AAAAAAAAAAAAAA")
    assert events(*kept) == [Event(Kind.TIC, True, 2)]
    assert events(*kept, strict=True) == []
    stopped = ("..ss..........", "AAAAA.........")
    assert events(*stopped) == events(*stopped, strict=True) == [Event(Kind.ASIDE, False, 2)]


def test_tau2_benchs_code_takes_the_answer_to_a_turn_with_a_tic_for_one_to_the_tic() -> None:
    turn = ("UUTU.......", "......AAAAA")
    response = Event(Kind.RESPONSE, True, 4, about(0.4))
    assert events(*turn) == [response]
    assert events(*turn, strict=True) == [response, Event(Kind.TIC, False, 0)]


def test_two_sounds_at_once_are_two_events() -> None:
    ticks = [Tick(sounds=frozenset({(Kind.TIC, 0), (Kind.TIC, 1)})) for _ in range(3)]
    assert judge(ticks) == [Event(Kind.TIC, True, 0), Event(Kind.TIC, True, 0)]


def test_a_turn_of_which_only_the_first_tick_is_there_is_left_out() -> None:
    assert events("...U", "AAAA") == []


def test_the_panel_has_means_rates_and_counts() -> None:
    figures = panel(
        [
            Event(Kind.RESPONSE, True, 3, 0.4),
            Event(Kind.RESPONSE, True, 13, 0.8),
            Event(Kind.RESPONSE, False, 23),
            Event(Kind.CUT_IN, False, 24),
            Event(Kind.YIELD, False, 40),
        ]
    )
    assert (figures["L_R"].value, figures["L_R"].events) == (about(0.6), 2)
    assert (figures["R_R"].value, figures["R_R"].events) == (about(2 / 3), 3)
    assert figures["I_A"].value == about(1 / 3)
    assert (figures["L_Y"].value, figures["R_Y"].value, figures["S_BC"].value) == (None, 0.0, None)
