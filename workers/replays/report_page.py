"""The page that people look at: one HTML file, self-contained, redacted text only.

All text is escaped where it is put in; a content security policy forbids scripts and anything
from elsewhere.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from streams.events import QueryUnderstood
from workers import html_page
from workers.replays import plots
from workers.replays.agreement import Agreed
from workers.replays.comparison import Verdict
from workers.replays.event_identity import Position
from workers.replays.explanation import Explanation
from workers.replays.explanation_page import shown
from workers.replays.marked_query import both
from workers.replays.record_comparison import understood
from workers.replays.report import ReplayReport, digests_of
from workers.replays.run_state import RunState
from workers.settings import Settings, event_settings

EXAMPLES: Final = 40
_LOOKED_AT: Final = 25  # differences an example: popular queries repeat
_SLICES: Final = {
    "language": "Language",
    "channel": "Channel",
    "locale": "Locale",
    "length": "Length",
    "placeholder": "Redacted placeholder",
}
_VERDICTS: Final = {
    Verdict.IDENTICAL: "byte for byte",
    Verdict.EQUIVALENT: "another model or other settings, no difference beyond the tolerance",
    Verdict.CHANGED: "a label, an entity, the text, or a score beyond the tolerance",
    Verdict.MISSING: "the replay gives it, but it was not published",
    Verdict.EXTRA: "it was published, but the replay does not give it",
    Verdict.DEGRADED: "answered by rules, while the model was away: no measure of a model",
}


def page(
    report: ReplayReport,
    state: RunState,
    settings: Settings,
    explained: Mapping[Position, Explanation] | None = None,
) -> str:
    """The whole page of a run, as HTML."""
    title = f"Replay {report.request.run}"
    sections = [
        _head(report),
        _topics(report),
        _by_intent(report),
        _slices(report),
        _shifts(report),
        _entities(report),
        _examples(report, state, settings.topic_names.intents, explained or {}),
        _provenance(report, settings),
    ]
    return html_page.page(title, sections)


def headline(report: ReplayReport) -> str:
    """What came out, in one sentence."""
    tally, total = report.tally, report.agreement.total
    events = sum(tally.total(verdict) for verdict in Verdict)
    if not events and report.left_out:
        return f"None of the {report.left_out:,} records of this range is what was asked for."
    if not events:
        return "Nothing was published or replayed in this range."
    if tally.all_identical:
        return f"All {events:,} events are identical, byte for byte."
    if tally.agrees:
        return f"All {events:,} events agree within the tolerance of {report.request.tolerance:g}."
    flips = total.queries - total.intent
    if flips:
        return f"{flips:,} of {total.queries:,} queries get another intent."
    different = tally.total(Verdict.CHANGED, Verdict.MISSING, Verdict.EXTRA)
    return f"{different:,} of {events:,} events differ."


def _lede(report: ReplayReport) -> str:
    """What stands beside the headline: the differences that matter, and who said what."""
    flips = report.flips
    said = ""
    if not report.tally.all_identical and report.agreement.total.queries:
        said = (
            f"{flips['intent']:,} of {report.agreement.total.queries:,} queries have another "
            f"intent, {flips['entities']:,} other entities, {flips['sentiment']:,} another "
            f"sentiment; {report.drifted:,} moved in score only. "
        )
    made = "; ".join(
        f"{name} by <span class='mono'>{', '.join(_short_digests(origins))}</span>"
        for name, origins in (("Published", report.published_by), ("replayed", report.replayed_by))
        if origins
    )
    return f"<p class='lede'>{escape(said)}{made}</p>" if made else ""


def _short_digests(made: Mapping[str, int]) -> list[str]:
    """Of models: as many digits as tell them apart."""
    return sorted(escape(digest[:19]) for digest in digests_of(made))


def _head(report: ReplayReport) -> str:
    total, flips = report.agreement.total, report.flips
    good = report.tally.agrees
    tiles = [
        (f"{report.records:,}", "records replayed"),
        (_percent(total.intent, total.queries), f"same intent ({flips['intent']:,} flips)"),
        (_percent(total.entities, total.queries), f"same entities ({flips['entities']:,} differ)"),
        (
            _percent(total.sentiment, total.queries),
            f"same sentiment ({flips['sentiment']:,} flips)",
        ),
        (f"{report.drifted:,}", "moved in score only"),
        (f"{report.tally.total(Verdict.MISSING):,}", "events missing"),
        (f"{report.tally.total(Verdict.EXTRA):,}", "events extra"),
        (f"{report.tally.total(Verdict.DEGRADED):,}", "degraded events, apart"),
        (f"{report.erased:,}", "records of erased users, not replayed"),
    ]
    shown_tiles = "".join(
        f'<div class="tile{" zero" if value == "0" else ""}"><b>{escape(value)}</b>'
        f"<span>{escape(name)}</span></div>"
        for value, name in tiles
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    asked = report.request
    about = f"{report.source.topic} · {asked.since.text} to {asked.until.text}"
    return (
        f"<header><span class='verdict{'' if good else ' bad'}'>"
        f"{'agrees' if good else 'differences'}</span><h1>{escape(headline(report))}</h1>"
        f"<p>Replay <b>{escape(asked.run)}</b> · {escape(about)}</p>{_lede(report)}</header>"
        "<nav><a href='#events'>Events</a><a href='#intents'>Intents</a>"
        "<a href='#slices'>Slices</a><a href='#scores'>Scores</a><a href='#entities'>Entities</a>"
        "<a href='#examples'>Examples</a><a href='#evidence'>Evidence</a></nav>"
        f'<div class="tiles">{shown_tiles}</div>'
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
    )


def _topics(report: ReplayReport) -> str:
    head = "".join(
        f'<th title="{escape(_VERDICTS[verdict], quote=True)}">{verdict.value}</th>'
        for verdict in Verdict
    )
    rows = "".join(
        f"<tr><td>{escape(topic)}</td>"
        + "".join(_count(counts[verdict], verdict) for verdict in Verdict)
        + "</tr>"
        for topic, counts in sorted(report.tally.verdicts.items())
    )
    kinds = "".join(
        f"<tr><td>{escape(kind.value)}</td><td>{count:,}</td></tr>"
        for kind, count in report.tally.kinds.most_common()
    )
    what = (
        f"<h3>What changed, in how many events</h3><table class='narrow'>{kinds}</table>"
        if kinds
        else ""
    )
    return (
        '<h2 id="events">Events</h2><p class="about">Each event that the range became, against '
        "what was published for the same source position. Hover over a heading for its meaning.</p>"
        f'<div class="scroll"><table><tr><th>topic</th>{head}</tr>{rows}</table></div>{what}'
    )


def _count(count: int, verdict: Verdict) -> str:
    harmless = verdict in (Verdict.IDENTICAL, Verdict.EQUIVALENT, Verdict.DEGRADED)
    style = "zero" if not count else "" if harmless else "bad"
    return f'<td class="{style}">{count:,}</td>'


def _agreed_rows(values: Mapping[str, Agreed]) -> str:
    rows = []
    for value, one in sorted(values.items(), key=lambda item: -item[1].queries):
        share = one.intent / one.queries if one.queries else 1.0
        style = "" if share >= 0.99 else "low" if share >= 0.95 else "bad"
        rows.append(
            f"<tr><td>{escape(value)}</td><td>{one.queries:,}</td>"
            f"<td>{_percent(one.intent, one.queries)} "
            f'<span class="bar"><i class="{style}" style="width:{100 * share:.1f}%"></i></span></td>'
            f"<td>{_percent(one.entities, one.queries)}</td>"
            f"<td>{_percent(one.sentiment, one.queries)}</td></tr>"
        )
    return "".join(rows)


_AGREED_HEAD: Final = (
    "<th>queries</th><th>same intent</th><th>same entities</th><th>same sentiment</th>"
)


def _by_intent(report: ReplayReport) -> str:
    agreement = report.agreement
    flips = {pair: count for pair, count in agreement.intents.items() if pair[0] != pair[1]}
    involved = {label for pair in flips for label in pair}
    matrix = {pair: n for pair, n in agreement.intents.items() if involved.issuperset(pair)}
    figure = (
        f'<figure><div class="scroll">{plots.confusion(matrix)}</div><figcaption>Published labels '
        "down, replayed ones across; only labels that take part in a flip.</figcaption></figure>"
        if flips
        else "<p>No query changed its intent.</p>"
    )
    moods = {pair: n for pair, n in agreement.sentiments.items() if pair[0] != pair[1]}
    sentiment = (
        f"<h3>Sentiment</h3><figure>{plots.confusion(agreement.sentiments)}</figure>"
        if moods
        else ""
    )
    return (
        '<h2 id="intents">Agreement by intent</h2><p class="about">Grouped by the intent that was '
        f'published.</p><div class="scroll"><table class="even"><tr><th>intent</th>{_AGREED_HEAD}</tr>'
        f"{_agreed_rows(agreement.by.get('intent', {}))}</table></div>{figure}{sentiment}"
    )


def _slices(report: ReplayReport) -> str:
    tables = "".join(
        f'<h3>{title}</h3><div class="scroll"><table class="even"><tr><th></th>{_AGREED_HEAD}</tr>'
        f"{_agreed_rows(report.agreement.by[name])}</table></div>"
        for name, title in _SLICES.items()
        if name in report.agreement.by
    )
    return (
        '<h2 id="slices">Agreement by slice</h2><p class="about">A version may agree on the whole, '
        f"and fail the few: look for rows that fall behind.</p>{tables or '<p>No queries.</p>'}"
    )


def _shifts(report: ReplayReport) -> str:
    agreement = report.agreement
    kept = sum(agreement.shifts.values())
    if not kept:
        return '<h2 id="scores">Scores</h2><p>No scores to compare.</p>'
    mean = agreement.shifted / kept
    return (
        '<h2 id="scores">Scores</h2><p class="about">Of queries that kept their intent: its score '
        f"moved by {mean:.4f} on average, by {agreement.largest_shift:.4f} at most.</p>"
        f'<div class="two"><figure>{plots.shifts(agreement.shifts)}<figcaption>Replayed minus '
        "published score; heights by logarithm, counts above the bars.</figcaption></figure>"
        f"<figure>{plots.scores(agreement.scores)}<figcaption>All queries; on the line nothing "
        "moved.</figcaption></figure></div>"
    )


def _entities(report: ReplayReport) -> str:
    agreement = report.agreement
    kinds = ("kept", "lost", "added", "relabelled", "moved")
    counts: Counter[str] = Counter()
    for (_, name), count in agreement.entities.items():
        counts[name] += count
    types = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    rows = "".join(
        f"<tr><td>{escape(name)}</td>"
        + "".join(
            f'<td class="{_entity_style(kind, agreement.entities[kind, name])}">'
            f"{agreement.entities[kind, name]:,}</td>"
            for kind in kinds
        )
        + "</tr>"
        for name in types
    )
    pairs = "".join(
        f"<li>{escape(old)} → {escape(new)}: {count:,}</li>"
        for (old, new), count in agreement.relabelled.most_common(12)
    )
    head = "".join(f"<th>{kind}</th>" for kind in kinds)
    return (
        '<h2 id="entities">Entities</h2><p class="about">Matched by their place in the text.</p>'
        f'<div class="scroll"><table><tr><th>type</th>{head}</tr>{rows}</table></div>'
        + (f"<h3>Relabelled most</h3><ul>{pairs}</ul>" if pairs else "")
    )


def _entity_style(kind: str, count: int) -> str:
    return "zero" if not count else "" if kind == "kept" else "bad"


def _examples(
    report: ReplayReport,
    state: RunState,
    topic: str,
    explained: Mapping[Position, Explanation],
) -> str:
    articles = "".join(
        _article(report, position, before, after, explained.get(position))
        for position, before, after in telling_pairs(state, topic, EXAMPLES)
    )
    return (
        '<h2 id="examples">Most telling examples</h2><p class="about">Redacted text first that '
        "changed, then flips that both versions were sure of, then entities, then scores. Each text "
        "comes once. Dashed outlines mark entities that the other version has not, or otherwise.</p>"
        f"{articles or '<p>There are no differences to show.</p>'}"
    )


def telling_pairs(
    state: RunState, topic: str, count: int
) -> Iterator[tuple[Position, QueryUnderstood, QueryUnderstood]]:
    """The queries whose difference tells most: position, as published and as replayed.

    What many shoppers ask in the same words comes once.
    """
    texts: set[str] = set()
    for noted in state.most_telling(topic, _LOOKED_AT * count):
        if len(texts) == count:
            return
        position = Position(noted.partition, noted.offset)
        events = state.published([position]).get(position, {})
        before = next((understood(one) for key, one in events.items() if key.topic == topic), None)
        after = noted.event()
        if before is not None and after is not None and before.text not in texts:
            texts.add(before.text)
            yield position, before, after


def _article(
    report: ReplayReport,
    position: Position,
    before: QueryUnderstood,
    after: QueryUnderstood,
    why: Explanation | None,
) -> str:
    where = f"{report.source.topic}[{position.partition}]@{position.offset}"
    reason = "" if why is None else f"<details><summary>Why?</summary>{shown(why)}</details>"
    return (
        f'<article><div class="where"><span>{escape(where)}</span>'
        f"<span>{escape(before.query_id)}</span></div>{both(before, after)}{reason}</article>"
    )


def _provenance(report: ReplayReport, settings: Settings) -> str:
    origins = "".join(
        f"<tr><td>{name}</td><td class='left mono'>{escape(one)}</td><td>{count:,}</td></tr>"
        for name, made in (("published", report.published_by), ("replayed", report.replayed_by))
        for one, count in made.most_common()
    )
    parts = "".join(
        f"<tr><td>{part.partition}</td><td>{part.start}</td><td>{part.reached}</td>"
        f"<td>{part.seen:,}</td><td>{part.records:,}</td>"
        f"<td class='left mono'>{part.chain.hex()}</td></tr>"
        for _, part in sorted(report.partitions.items())
    )
    values = json.dumps(event_settings(settings), indent=1, sort_keys=True, default=sorted)
    signed = (
        f"Signed with the key <code>{escape(report.signed)}</code>."
        if report.signed
        else "This run is not signed."
    )
    run = escape(str(report.request.folder.name))
    return (
        '<h2 id="evidence">Evidence</h2><p class="about">What the run proves is in '
        f"<code>manifest.json</code>. {signed} To check it, its files and Kafka again:</p>"
        f"<pre>intentstream replay verify {run}</pre>"
        "<h3>Models, settings and code</h3>"
        f'<div class="scroll"><table><tr><th></th><th></th><th>queries</th></tr>{origins}</table>'
        f"</div><details><summary>Settings that shape events</summary><pre>{escape(values)}</pre>"
        "</details><h3>Input</h3>"
        '<div class="scroll"><table><tr><th>partition</th><th>from</th><th>to</th><th>records</th>'
        f"<th>replayed</th><th>hash chain</th></tr>{parts}</table></div>"
    )


def _percent(part: int, whole: int) -> str:
    """Rounded down, so that 100 % means all."""
    return "–" if not whole else f"{int(10_000 * part / whole) / 100:.2f} %"
