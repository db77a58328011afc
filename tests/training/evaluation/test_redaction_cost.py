from streams.decoding import Span
from streams.redaction import redact
from training.evaluation.altered_queries import altered
from training.evaluation.redaction_cost import _moved_back


def test_altered_queries_come_with_what_becomes_of_them() -> None:
    assert altered(["red shoes", "mail me at jane.doe@example.com"]) == [
        ("mail me at jane.doe@example.com", "mail me at [EMAIL]")
    ]


def test_entities_of_a_redacted_text_go_back_to_where_they_were() -> None:
    text = "send jane.doe@example.com the blue shoes"
    redacted = redact(text)
    start = redacted.text.index("blue")
    spans = [
        Span("contact", redacted.spans[0].start, redacted.spans[0].end, 1.0),
        Span("color", start, start + 4, 1.0),
    ]
    back = _moved_back(spans, redacted, text)
    assert [text[s.start : s.end] for s in back] == ["jane.doe@example.com", "blue"]
    assert _moved_back(spans, redact("red shoes"), "red shoes") == spans
