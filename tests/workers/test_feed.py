"""Feeding a file: how it is read, and the exact accounts of what became of each line."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.embedded import input_file
from workers.embedded.input_file import InputFile, InputFormat, Line
from workers.embedded.ledger import Latencies, Ledger
from workers.errors import IntentstreamError


def lines_of(path: Path, input_format: InputFormat = InputFormat.AUTO) -> list[Line]:
    with InputFile(str(path), input_format) as file:
        return list(file)


def written(folder: Path, content: bytes, name: str = "queries.jsonl") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


class TestReading:
    def test_json_lines_are_passed_on_byte_for_byte(self, tmp_path: Path) -> None:
        good, broken = b'{"text":  "red shoes", "user_id": 7}', b'{"text": "red'
        path = written(tmp_path, good + b"\n" + broken + b"\n\n\xff\xfe\n" + good)
        assert [line.value for line in lines_of(path)] == [good, broken, b"", b"\xff\xfe", good]

    def test_the_key_is_the_user_else_the_session(self, tmp_path: Path) -> None:
        documents = (
            {"text": "a", "user_id": "u-1", "session_id": "s"},
            {"text": "a", "session_id": "s-9"},
            {"text": "a", "user_id": 12},
            {"text": "a", "user_id": "", "session_id": None},
            {"text": "a", "user_id": ["x"]},
        )
        path = written(tmp_path, b"\n".join(json.dumps(doc).encode() for doc in documents))
        assert [line.key for line in lines_of(path)] == [b"u-1", b"s-9", b"12", None, None]

    def test_plain_text_lines_become_queries(self, tmp_path: Path) -> None:
        path = written(tmp_path, 'red "shoes"\r\n\nnaïve 茶\n'.encode() + b"caf\xe9\n", "q.txt")
        values = [line.value for line in lines_of(path)]
        assert [json.loads(value or b"") for value in values[:3]] == [
            {"text": 'red "shoes"'}, {"text": ""}, {"text": "naïve 茶"},
        ]  # fmt: skip
        assert values[3] == b"caf\xe9"

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("q.jsonl", b'{"text": "a"}\nnot json\nnor this\n', InputFormat.JSONL),
            ("q.jsonl", b"red shoes\nblue shoes\n", InputFormat.TEXT),
            ("q.txt", b'{"text": "a"}\n{"text": "b"}\n', InputFormat.JSONL),
            ("q.txt", b'{"text": "a"}\nred shoes\nblue shoes\n', InputFormat.TEXT),
            ("q", b"\n\n" + b'{"text": "a"}\n', InputFormat.JSONL),
            ("q.jsonl", b"", InputFormat.TEXT),
            ("q.txt", b'"a"\n12\n', InputFormat.TEXT),
        ],
    )
    def test_the_format_follows_from_the_file(
        self, tmp_path: Path, name: str, content: bytes, expected: InputFormat
    ) -> None:
        with InputFile(str(written(tmp_path, content, name))) as file:
            assert file.format is expected

    def test_the_format_can_be_said(self, tmp_path: Path) -> None:
        path = written(tmp_path, b'{"text": "a"}\n')
        (line,) = lines_of(path, InputFormat.TEXT)
        assert json.loads(line.value or b"") == {"text": '{"text": "a"}'}

    def test_a_line_beyond_the_limit_is_told_and_the_next_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(input_file, "MAX_LINE_BYTES", 100)
        path = written(tmp_path, b"x" * 100 + b"\n" + b"y" * 1_000 + b"\nz\n", "q.txt")
        values = [line.value for line in lines_of(path)]
        assert values == [b'{"text":"' + b"x" * 100 + b'"}', None, b'{"text":"z"}']

    @given(st.lists(st.binary(max_size=20).map(lambda b: b.translate(None, b"\r\n")), max_size=30))
    def test_every_line_is_one_record(self, lines: list[bytes]) -> None:
        with TemporaryDirectory() as folder:
            path = written(Path(folder), b"".join(line + b"\n" for line in lines))
            found = lines_of(path, InputFormat.JSONL)
        assert [line.value for line in found] == lines
        assert [line.number for line in found] == list(range(1, len(lines) + 1))

    def test_a_file_that_is_not_there_is_said_plainly(self) -> None:
        with pytest.raises(IntentstreamError, match=r"nowhere\.jsonl cannot be read"):
            InputFile("nowhere.jsonl")


class TestLedger:
    def test_a_record_is_settled_when_all_that_belongs_to_it_was_seen(self) -> None:
        ledger = Ledger({0: 10})
        ledger.acknowledged((0, 10), 1.0, 1.1)
        ledger.answered((0, 10), entities=2, user="k1.a", now=1.5)
        assert (ledger.enriched, ledger.in_flight) == (1, 1)
        ledger.mentioned((0, 10), "e1")
        ledger.signalled((0, 10))
        ledger.mentioned((0, 10), "e1")
        assert ledger.in_flight == 1
        ledger.mentioned((0, 10), "e2")
        assert (ledger.in_flight, ledger.settled, ledger.entities) == (0, 1, 2)

    def test_parts_may_come_in_any_order_also_before_the_acknowledgement(self) -> None:
        ledger = Ledger({0: 0})
        ledger.mentioned((0, 0), "e1")
        ledger.answered((0, 0), entities=1, user=None, now=1.0)
        assert ledger.enriched == 0
        ledger.acknowledged((0, 0), 0.5, 1.2)
        assert (ledger.enriched, ledger.entities, ledger.in_flight) == (1, 1, 0)

    def test_repeats_count_once(self) -> None:
        ledger = Ledger({0: 0, 1: 0})
        for _ in range(2):
            ledger.acknowledged((0, ledger.sent), 0.0, 0.0)
        for _ in range(3):
            ledger.answered((0, 0), entities=0, user=None, now=1.0)
            ledger.died((0, 1), "empty_text", now=1.0)
        assert (ledger.enriched, dict(ledger.dead)) == (1, {"empty_text": 1})

    def test_what_others_sent_counts_for_nothing_and_is_not_kept(self) -> None:
        ledger = Ledger({0: 5})
        ledger.answered((0, 3), entities=0, user=None, now=1.0)
        ledger.answered((0, 5), entities=0, user=None, now=1.0)
        ledger.acknowledged((0, 6), 0.0, 1.0)
        ledger.died((0, 5), "empty_text", now=2.0)
        assert (ledger.sent, ledger.enriched, ledger.dead.total()) == (1, 0, 0)
        assert ledger._early == {0: {}}

    @given(st.data())
    def test_any_interleaving_of_outputs_gives_the_same_counts(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, 12))
        dead = {n for n in range(count) if data.draw(st.booleans())}
        happenings: list[tuple[str, int]] = []
        for n in range(count):
            parts = ["died"] if n in dead else ["answered", "mentioned", "signalled"]
            happenings += [(part, n) for part in parts * data.draw(st.integers(1, 2))]
        happenings = data.draw(st.permutations(happenings))
        # acknowledgements come in order, at any moments
        moments = sorted(data.draw(st.lists(st.integers(0, len(happenings)),
                                            min_size=count, max_size=count)))  # fmt: skip
        ledger = Ledger({0: 0})
        for moment in range(len(happenings) + 1):
            while ledger.sent < count and moments[ledger.sent] <= moment:
                ledger.acknowledged((0, ledger.sent), 0.0, 1.0)
            if moment == len(happenings):
                break
            part, n = happenings[moment]
            if part == "answered":
                ledger.answered((0, n), entities=1, user="k1.a", now=1.0)
            elif part == "died":
                ledger.died((0, n), "empty_text", now=1.0)
            elif part == "mentioned":
                ledger.mentioned((0, n), "e")
            else:
                ledger.signalled((0, n))
        assert ledger.in_flight == 0
        assert ledger.enriched == ledger.entities == count - len(dead)
        assert ledger.dead.total() == len(dead)


@given(st.lists(st.floats(1e-4, 1e3), min_size=1, max_size=300), st.floats(0, 1))
def test_quantiles_are_within_one_percent(durations: list[float], share: float) -> None:
    latencies = Latencies()
    for duration in durations:
        latencies.add(duration)
    exact = sorted(durations)[int(share * (len(durations) - 1))]
    assert latencies.quantile(share) == pytest.approx(exact, rel=0.011)


def test_no_durations_have_no_quantile() -> None:
    assert Latencies().quantile(0.5) is None
