"""An evaluation as one HTML page: figures beside bars, plots, gaps, changes, labels to look at.

All text is escaped where it is put in; the texts of label errors are redacted.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from training.evaluation import plots
from training.evaluation.comparison import Change
from training.evaluation.intervals import Interval
from training.evaluation.label_errors import LabelError, first_of_each
from training.evaluation.measuring import Study
from training.evaluation.report import Report
from training.evaluation.slices import SliceFigures
from training.terminal import PRINTED, rows
from workers.html_page import page

_ERRORS: Final = 30  # shown of a set; the rest is in the list beside the page
_WORST: Final = 12  # slices in the first table


def evaluation_page(found: Report) -> str:
    """The whole page."""
    model = found.measured.model
    return page(
        f"Evaluation of {model.name}",
        [
            _head(found),
            _bars(found),
            _changes(found),
            _fairness(found),
            _figures(found.measured.figures),
            *(_study(one, found.measured.figures[one.name]) for one in _plotted(found)),
            _slices(found.slices),
            _label_errors(found.label_errors),
        ],
    )


def _plotted(found: Report) -> Iterable[Study]:
    return (one for one in found.measured.studies.values() if len(one.tally))


def title_of(name: str) -> str:
    """A set's or a figure's name, for people."""
    return name.replace("_", " ").removeprefix("zh ") + (" (zh)" if name.startswith("zh_") else "")


def _head(found: Report) -> str:
    missed = [one for one in found.bars if not one.reached]
    worse = [one for one in (*found.changes, *found.slice_changes) if one.verdict == "worse"]
    faults = bool(missed or worse)
    said = [
        f"{len(found.bars) - len(missed)} of {len(found.bars)} bars reached" if found.bars else "",
        f"{len(worse)} figures worse than before" if found.before else "",
    ]
    model = found.measured.model
    beside = f", beside <b>{escape(found.before.model.name)}</b>" if found.before else ""
    tiles = [
        (f"{len(found.measured.studies):,}", "sets of labelled texts"),
        (f"{sum(len(s.tally) for s in found.measured.studies.values()):,}", "answers judged"),
        (f"{len(found.gaps):,}", f"gaps among {len(found.slices):,} kinds of texts"),
        (f"{len(found.label_errors):,}", "labels to look at"),
    ]
    shown = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name in tiles
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in found.notes)
    headline = "; ".join(part for part in said if part) or "What the model gets right"
    languages = ", ".join(model.languages)
    places = (
        ("bars", "Bars", found.bars),
        ("changes", "Before and after", found.before),
        ("fairness", "Who is served worse", found.slices),
        ("figures", "All figures", True),
        ("sets", "Set by set", True),
        ("slices", "All kinds of texts", found.slices),
        ("labels", "Labels to look at", found.label_errors),
    )
    links = "".join(f"<a href='#{at}'>{title}</a>" for at, title, there in places if there)
    return (
        f"<header><span class='verdict{' bad' if faults else ''}'>"
        f"{'below' if faults else 'measured'}</span><h1>{escape(headline)}</h1>"
        f"<p>Evaluation of <b>{escape(model.name)}</b> ({escape(model.kind)}; {languages}){beside}"
        f"</p></header><nav>{links}</nav>"
        f'<div class="tiles">{shown}</div>' + (f'<ul class="notes">{notes}</ul>' if notes else "")
    )


def _bars(found: Report) -> str:
    if not found.bars:
        return ""
    lines = [
        (
            escape(one.name),
            f"{one.value:.4f}",
            f"{'≤' if one.most else '≥'} {one.bound:g}",
            "yes" if one.reached else ("bad", "no"),
        )
        for one in found.bars
    ]
    return (
        '<h2 id="bars">Bars</h2><p class="about">What the shipped model is to reach.</p>'
        + _table(("figure", "value", "bar", "reached"), lines)
    )


def _changes(found: Report) -> str:
    if not found.before:
        return ""
    telling = [one for one in found.slice_changes if one.verdict]
    chart = plots.differences(
        [(title_of(one.measured), one.difference, _colour(one)) for one in found.changes
         if one.difference],
        "Change of each set's figure",
    )  # fmt: skip
    return (
        '<h2 id="changes">Before and after</h2><p class="about">Both models on the same texts. '
        "Better and worse are said only where chance does not explain the difference (95 %, over "
        "the same texts); of kinds of texts, at the level that all of them together need.</p>"
        f"<figure>{chart}<figcaption>After less before, with intervals.</figcaption></figure>"
        + _table(_CHANGE_HEAD, map(_change, found.changes))
        + "<h3>Kinds of texts that changed</h3>"
        + (
            _table(_CHANGE_HEAD, map(_change, telling))
            if telling
            else "<p>No kind of texts changed by more than chance explains.</p>"
        )
    )


_CHANGE_HEAD = ("measured on", "figure", "texts", "before", "after", "difference", "")


def _change(one: Change) -> tuple[Any, ...]:
    return (
        escape(f"{title_of(one.measured)}{', ' if one.kind else ''}{one.kind}"),
        escape(title_of(one.name)),
        f"{one.texts:,}" if one.texts else "",
        f"{one.before:.4f}",
        f"{one.after:.4f}",
        f"{one.after - one.before:+.4f}{_range(one.difference)}",
        ("bad" if one.verdict == "worse" else "", one.verdict),
    )


def _colour(one: Change) -> str:
    return {"better": "good", "worse": "bad"}.get(one.verdict, "soft")


def _fairness(found: Report) -> str:
    if not found.slices:
        return ""
    told = [one for one in found.slices if one.difference is not None]
    gaps = found.gaps
    said = (
        f"{len(gaps)} of {len(told)} kinds of texts fall behind by more than chance explains."
        if gaps
        else f"None of {len(told)} kinds of texts falls behind by more than chance explains."
    )
    worst = (gaps + [one for one in told if not one.gap])[:_WORST]
    chart = plots.differences(
        [
            (f"{title_of(one.measured)}: {one.name}", one.difference,
             "bad" if one.gap else "soft")
            for one in worst
            if one.difference
        ],
        "The kinds of texts that are furthest behind",
    )  # fmt: skip
    return (
        f'<h2 id="fairness">Who is served worse</h2><p class="about">{escape(said)} A kind is held '
        "against the other texts of its set, or against the same texts as they were written. "
        "Intervals are as wide as all comparisons together need (Bonferroni, 95 %), so that noise "
        "is not called a gap.</p>"
        + (f"<figure>{chart}</figure>{_slice_table(worst)}" if worst else "")
    )


def _figures(figures: Mapping[str, Any]) -> str:
    lines = [
        (escape(title_of(t)), escape(title_of(n)), f"{v:.4f}")
        for t, n, v in rows(dict(figures), PRINTED)
    ]
    return (
        '<h2 id="figures">All figures</h2>'
        f"{_table(('measured on', 'figure', 'value'), lines)}<h2 id='sets'>Set by set</h2>"
        '<p class="about">Of each set: F1 by class or type with the number of examples, and for '
        "classes what was taken for what, and how sure the model is against how often it is "
        "right.</p>"
    )


def _study(study: Study, figures: Mapping[str, Any]) -> str:
    entities = study.task == "entities"
    f1 = figures["f1_by_type" if entities else "f1_by_class"]
    counts = figures["entities_by_type" if entities else "examples_by_class"]
    named = sorted(((n, v, int(counts[n])) for n, v in f1.items()), key=lambda row: -row[2])
    parts = [f"<h3>{escape(title_of(study.name))}</h3>"]
    parts.append(
        f"<figure>{plots.share_bars(named, f'F1 in {study.name}')}<figcaption>F1 "
        f"{'by entity type' if entities else 'by class'}, the most frequent first.</figcaption>"
        "</figure>"
    )
    if study.confusion:
        known = {label for label, _ in study.confusion}
        matrix = plots.confusion(study.confusion) if len(known) > 1 else ""
        diagram = plots.reliability_diagram(study.bins)
        parts.append(
            "<details open><summary>Confusion and calibration</summary>"
            + (f'<figure class="scroll">{matrix}</figure>' if matrix else "")
            + f"<figure>{diagram}<figcaption>A dot a bin of confidence, as large as it has "
            "answers; below the line the model is surer than it should be.</figcaption></figure>"
            "</details>"
        )
    return "".join(parts)


_SLICE_HEAD = (
    "measured on",
    "kind of text",
    "texts",
    "figure (95 %)",
    "the rest",
    "difference",
    "",
)


def _slices(slices: Sequence[SliceFigures]) -> str:
    if not slices:
        return ""
    ordered = sorted(slices, key=lambda one: (one.measured, one.dimension, one.name))
    return (
        '<h2 id="slices">All kinds of texts</h2><p class="about">Accuracy of intents and sentiment, '
        "typed F1 of entities. Fewer than 20 texts are shown but not judged.</p><details>"
        f"<summary>{len(ordered)} kinds</summary>{_slice_table(ordered)}</details>"
    )


def _slice_table(slices: Iterable[SliceFigures]) -> str:
    lines = [
        (
            escape(title_of(one.measured)),
            ("left", escape(f"{one.dimension}: {one.name}")),
            f"{one.texts:,}",
            f"{one.figure.value:.3f}{_range(one.figure, signed=False)}",
            f"{one.rest:.3f}",
            f"{one.difference.value:+.3f}{_range(one.difference)}"
            if one.difference
            else "too few texts",
            ("bad", "gap") if one.gap else "",
        )
        for one in slices
    ]
    return _table(_SLICE_HEAD, lines)


def _label_errors(errors: Sequence[LabelError]) -> str:
    if not errors:
        return ""
    lines = [
        (
            escape(f"{title_of(one.measured)} {one.number}"),
            ("left", escape(one.text) + (f" · <b>{escape(one.part)}</b>" if one.part else "")),
            escape(f"{one.given} ({one.given_probability:.2f})"),
            escape(f"{one.suggested} ({one.suggested_probability:.2f})"),
        )
        for one in first_of_each(errors, _ERRORS)
    ]
    return (
        '<h2 id="labels">Labels to look at</h2><p class="about">Confident learning (Northcutt et '
        "al., 2021) finds labels that the model has good reason to doubt: the least probable first. "
        "A person decides. All are in <code>label_errors.jsonl</code>; texts are redacted.</p>"
        + _table(("text", "", "label in the data", "the model thinks"), lines)
    )


def _range(one: Interval | None, *, signed: bool = True) -> str:
    if one is None:
        return ""
    sign = "+" if signed else ""
    return f" ({one.low:{sign}.3f} to {one.high:{sign}.3f})"


def _table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A table; a cell is HTML, or a style and HTML."""
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(map(_cell, line))}</tr>" for line in lines)
    return f'<div class="scroll"><table><tr>{titles}</tr>{body}</table></div>'


def _cell(cell: Any) -> str:
    style, text = cell if isinstance(cell, tuple) else ("", cell)
    return f'<td class="{style}">{text}</td>' if style else f"<td>{text}</td>"
