"""Schedules can be repeated, and hold what they are asked for."""

from tests.faults.schedule import KILLS, counted, draw_schedule


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert draw_schedule(7, kills=30, every_s=5) == draw_schedule(7, kills=30, every_s=5)
    assert draw_schedule(7, kills=30, every_s=5) != draw_schedule(8, kills=30, every_s=5)


def test_it_has_the_kills_that_were_asked_for_in_order_of_time() -> None:
    for seed in range(20):
        faults = draw_schedule(seed, kills=25, every_s=4)
        assert sum(fault.kind in KILLS for fault in faults) == 25
        assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
        assert 50 < faults[-1].at < 400


def test_two_hundred_kills_hit_everything() -> None:
    counts = counted(draw_schedule(1, kills=200, every_s=5))
    assert counts.keys() == {
        "SIGKILL enricher",
        "SIGKILL personalizer",
        "SIGKILL kafka",
        "SIGKILL triton",
        "SIGKILL valkey",
        "SIGTERM enricher",
        "SIGTERM personalizer",
        "SIGSTOP enricher",
        "SIGSTOP personalizer",
        "SIGKILL process of model",
        "SIGSTOP kafka",
        "SIGSTOP triton",
        "join, leave enricher",
        "reload model",
        "connections cut kafka",
        "connections cut triton",
        "connections cut valkey",
        "connections delayed kafka",
        "connections delayed triton",
        "connections delayed valkey",
    }
    assert min(counts.values()) >= 2
