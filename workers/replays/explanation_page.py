"""An explanation as a piece of the report: words coloured by what they add, then the details."""

from html import escape

from workers.replays.explanation import Explanation, Word
from workers.replays.plots import bars


def shown(why: Explanation) -> str:
    """The explanation, as HTML."""
    about = (
        f"{why.target}: {why.base:.4f} for no word, {why.score:.4f} for all of them; "
        f"Shapley values, {why.method}."
    )
    values = [(word.text, word.value) for word in why.words]
    heads = (
        f"<p><b>Intents</b> {_chances(why.intents)}<br><b>Sentiment</b> "
        f"{_chances(why.sentiments)}</p>"
    )
    rules = "".join(f"<li>{escape(rule)}</li>" for rule in why.rules)
    return (
        f'<p class="words">{_coloured(why.words)}</p><p class="about">{escape(about)}</p>'
        f"<figure>{bars(values, 'What each word adds')}</figure>{heads}{_pieces(why)}"
        f'{_pairs(why)}<ul class="changes">{rules}</ul>'
        f'<p class="mono">{escape(why.model.name)} {escape(why.model.version)} '
        f"{escape(why.model.digest)} · settings {escape(why.settings_digest)}</p>"
    )


def _coloured(words: tuple[Word, ...]) -> str:
    longest = max((abs(word.value) for word in words), default=0.0) or 1.0
    parts = []
    for word in words:
        share = round(60 * abs(word.value) / longest)
        colour = "var(--good)" if word.value >= 0 else "var(--bad)"
        parts.append(
            f'<span style="background:color-mix(in srgb,{colour} {share}%,transparent)" '
            f'title="{word.value:+.4f}">{escape(word.text)}</span>'
        )
    return " ".join(parts)


def _chances(chances: tuple[object, ...]) -> str:
    return " · ".join(
        f"{escape(str(getattr(one, 'label', '')))} {getattr(one, 'score', 0.0):.4f}"
        for one in chances
    )


def _pieces(why: Explanation) -> str:
    rows = "".join(
        f'<tr><td>{escape(piece.text)}</td><td class="left">{_chances(piece.tags)}</td></tr>'
        for piece in why.pieces
    )
    return f'<div class="scroll"><table><tr><th>piece</th><th>likeliest tags</th></tr>{rows}</table></div>'


def _pairs(why: Explanation) -> str:
    if not why.relations:
        return ""
    rows = "".join(
        f'<tr><td>{escape(one.product)}</td><td class="left">{escape(one.predicate)} '
        f"{escape(one.attribute)}</td><td>{one.score:.4f}</td>"
        f"<td>{'kept' if one.kept else 'not kept'}</td></tr>"
        for one in why.relations
    )
    head = "<th>product</th><th>attribute</th><th>score</th><th></th>"
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'
