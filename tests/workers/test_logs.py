"""What reaches the log: our lines always, a library's repeats once in a while, no DEBUG of theirs."""

import logging
import subprocess
import sys

from workers.logs import RepeatLimit


def line(name: str, message: str, level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, message, (), None)


def test_a_librarys_repeats_pass_once_in_a_while() -> None:
    now = 0.0
    limit = RepeatLimit(every_s=10, clock=lambda: now)
    assert limit.filter(line("aiokafka", "no broker"))
    assert not limit.filter(line("aiokafka", "no broker"))
    assert limit.filter(line("aiokafka", "another thing"))
    assert limit.filter(line("aiokafka", "no broker", logging.WARNING))
    now = 10.0
    assert limit.filter(line("aiokafka", "no broker"))


def test_our_own_lines_always_pass() -> None:
    limit = RepeatLimit(every_s=10, clock=lambda: 0.0)
    assert all(limit.filter(line("workers.enrichment.enricher", "stalled")) for _ in range(3))


def test_its_memory_is_bounded() -> None:
    limit = RepeatLimit(every_s=10, clock=lambda: 0.0)
    assert all(limit.filter(line("aiokafka", f"node {n}")) for n in range(5_000))


def test_clients_say_nothing_below_warnings_even_at_debug() -> None:
    code = (
        "import logging; from workers.logs import log_to_stderr; log_to_stderr('DEBUG');"
        "logging.getLogger('aiokafka.consumer').debug('a key and a value');"
        "logging.getLogger('faust.app').info('a key');"
        "logging.getLogger('workers.enrichment.enricher').debug('ours')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ours" in done.stderr
    assert "key" not in done.stderr
