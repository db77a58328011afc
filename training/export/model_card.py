"""The model card: what the model is for, what it was made of, how good it is, what it cannot do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.bases.encoders import ENCODERS
from training.data.sources import SOURCES
from training.network.run_folder import file_digest, json_text
from training.recipes import RECIPES
from training.terminal import rows

SECTIONS = (
    "Intended use",
    "Limits",
    "Training data",
    "Measured",
    "By class",
    "Fairness",
    "Compression",
    "How it was made",
)
"""The headings every card has, in order."""


_NAMES = {"en": "English", "zh": "Chinese"}


def describe(folder: Path, manifest: Mapping[str, Any], version: int) -> None:
    """Writes the manifest and the card of an exported model, with the digests of its files.

    Args:
        folder: with the graph and the tokenizer.
        manifest: of the run that made the model, with `language` and `compression`.
        version: of the encoder in the repository.
    """
    files = {name: file_digest(folder / name) for name in ("model.onnx", "tokenizer.json")}
    whole = {**manifest, "files": files}
    text = card(whole, version, (folder / "model.onnx").stat().st_size)
    (folder / "manifest.json").write_text(json_text(whole), encoding="utf-8")
    (folder / "README.md").write_text(text, encoding="utf-8")


def card(manifest: Mapping[str, Any], version: int, size: int) -> str:
    """The card in Markdown, from an exported model's manifest.

    Args:
        manifest: of the exported model; an older one has no digests of its `files`.
        version: of the encoder in the repository.
        size: of the graph, in bytes.
    """
    language = manifest.get("language", "en")
    arguments = manifest["arguments"]
    parts = (
        _intended(language),
        _limits(language),
        _data(manifest),
        _measured(manifest.get("figures", {})),
        _by_class(manifest.get("figures", {})),
        _fairness(manifest.get("figures", {}).get("slices")),
        _compression(size, manifest),
        _made(manifest, arguments),
    )
    head = (
        f"# encoder_{language}, version {version}\n\n"
        f"Understands {_NAMES[language]} shop queries: intent, entities, relations, sentiment and "
        "a sentence "
        f"vector, on {_base(arguments['model']['base'])}.\n"
    )
    body = "\n".join(f"## {title}\n\n{text}\n" for title, text in zip(SECTIONS, parts, strict=True))
    return f"{head}\n{body}"


def _base(name: str) -> str:
    encoder = ENCODERS.get(name)
    return f"{encoder.title}, {encoder.licence}" if encoder else f"the base `{name}`"


def _intended(language: str) -> str:
    return (
        f"Short {_NAMES[language]} queries and messages that shoppers type: search, questions "
        "before and after a purchase, in chat or in a search box, after personal data have been "
        "replaced by typed placeholders. It serves recommenders, search and analytics; it decides "
        "nothing about a person, and an answer that matters to one belongs to a person."
    )


_OWN_LIMITS = {
    "en": (
        (
            "English only: the front sends it every row in Latin script, and other languages in that "
            "script are not told apart from English."
        ),
        (
            "Sentiment was learnt from generated sentences and from weak labels of a lexicon, because "
            "no English data set with a licence for it is at hand: irony and allusion escape it, and on "
            "texts unlike those its scores are too sure (its calibration error is below)."
        ),
        "Entity types follow QueryNER, on whose types people themselves agree at 0.56 to 0.57 F1.",
    ),
    "zh": (
        "Chinese only, with Latin words in it: the front sends it every row with Han characters.",
        (
            "All its labels come from the project's generator, because no Chinese data set with a "
            "licence for it is at hand: real queries that are built otherwise are its weak side."
        ),
    ),
}


def _limits(language: str) -> str:
    shared = (
        (
            "The hand-written sets are small, and by the author of the generator, though committed "
            "before any training that could see them: trust the public sets more."
        ),
        "It reads 128 word pieces; the rest of a longer text is not seen.",
        (
            "Scores are calibrated on a mixture of public and generated texts, and on the recipe's own "
            "validation files: name your shop's there."
        ),
    )
    return "\n".join(f"- {limit}" for limit in (*_OWN_LIMITS[language], *shared))


def _data(manifest: Mapping[str, Any]) -> str:
    counts = manifest.get("examples_an_epoch", {})
    files = manifest["arguments"].get("data", {}).get("files", ())
    own = {Path(file["path"]).name for file in files}
    lines = ["| source | licence | examples an epoch |", "|---|---|---|"]
    for name, count in counts.items():
        title, licence = f"the project's generator: {name}", "Apache-2.0"
        if name in own:
            title, licence = f"own data: {name}", "the owner's"
        elif source := SOURCES.get(name):
            title, licence = source.title, source.licence
        lines.append(f"| {title} | {licence} | {count} |")
    return "\n".join(lines)


def _measured(figures: dict[str, Any]) -> str:
    if not figures:
        return "Not measured: run `intentstream evaluate`."
    lines = ["| on | figure | value |", "|---|---|---|"]
    lines += [
        f"| {task.replace('_', ' ')} | {name.replace('_', ' ')} | {value:.3f} |"
        for task, name, value in rows(figures)
    ]
    return "\n".join(lines)


def _by_class(figures: dict[str, Any]) -> str:
    """F1 of each class, so that the weak ones are seen."""
    lines = ["| on | class | F1 |", "|---|---|---|"]
    for task, values in figures.items():
        table = values.get("f1_by_type") or values.get("f1_by_class") or {}
        if len(table) > 1:
            lines += [f"| {task.replace('_', ' ')} | {k} | {v:.3f} |" for k, v in table.items()]
    return "\n".join(lines) if len(lines) > 2 else "Not measured."


def _fairness(slices: dict[str, Any] | None) -> str:
    """The kinds of texts that are furthest behind."""
    if not slices:
        return "Not measured: run `intentstream evaluate`."
    lines = [
        (
            f"{slices['gaps']} of {slices['tested']} kinds of texts fall behind by more than chance "
            "explains, at the level that all of them together need (Bonferroni, 95 %). Each is held "
            "against the other texts of its set, or against the same texts as they were; accuracy, "
            "or typed F1 of entities. The gaps first, then the furthest behind:"
        ),
        "",
        "| on | kind of text | texts | figure (95 %) | the rest | |",
        "|---|---|---|---|---|---|",
    ]
    for one in slices["worst"]:
        figure = one["figure"]
        lines.append(
            f"| {one['measured'].replace('_', ' ')} | {one['dimension']}: {one['name']} "
            f"| {one['texts']} | {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}) "
            f"| {one['rest']:.3f} | {'gap' if one['gap'] else ''} |"
        )
    return "\n".join(lines)


def _compression(size: int, manifest: Mapping[str, Any]) -> str:
    """What int8 saves and costs, in the order in which the figures were taken; the files' digests."""
    compression = manifest.get("compression", {})
    lines = [
        (
            f"{size / 1e6:.1f} MB. The encoder's products are int8 arithmetic with scales measured on "
            "training queries, and a scale a row after GELU (SmoothQuant, Xiao et al., ICML 2023, for "
            "what layer normalisation feeds); the embedding table is int8; attention, layer "
            "normalisation and the heads are fp32. The same query gives the same bytes alone and in a "
            "batch. What that costs, as measured at the export:"
        ),
        "",
        "| figure | fp32 | int8 |",
        "|---|---|---|",
    ]
    cost = compression.get("figures", {})
    taken = [f"{task}: {name}" for task, name, _ in rows(manifest.get("figures", {}))]
    pairs = {name: cost[name] for name in taken if name in cost} | cost
    pairs |= {name: pair for name, pair in compression.items() if name != "figures"}
    lines += [f"| {n.replace('_', ' ')} | {one} | {other} |" for n, (one, other) in pairs.items()]
    if files := manifest.get("files"):
        digests = [f"| `{name}` | `{digest}` |" for name, digest in files.items()]
        lines += ["", "| file | sha256 |", "|---|---|", *digests]
    return "\n".join(lines)


def _made(manifest: Mapping[str, Any], arguments: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {value}" for name, value in manifest["versions"].items())
    recipe = f"--config {_recipe(manifest.get('config_file', 'run.toml'))}"
    teachers = manifest.get("teachers", [])
    command = f"{_program(manifest)} {'distill' if teachers else 'train'} {recipe}"
    command += "".join(f" --teacher {_named(teacher)}" for teacher in teachers)
    made = (
        f"`{command}`, "
        f"seed {arguments['seed']}, {manifest.get('parameters', 0) / 1e6:.1f}M parameters, "
        f"{manifest.get('seconds', 0) / 60:.0f} minutes on {manifest['processor']}. {versions}."
    )
    parts = [made]
    if start := manifest.get("start"):
        parts.append(f"It began with {_weights(start)}")
    if other := manifest.get("share_of"):
        parts.append(f"{other['share']:.0%} of it comes from {_weights(other)}")
    if said := manifest.get("calibration", {}).get("transitions"):
        parts.append(
            "Entities are decoded with transitions, as in a linear-chain CRF: what a kind of entity "
            "says about the next one, counted in the annotated texts of an epoch, at a strength of "
            f"{said['strength']:g} (calibrated)."
        )
    parts += [_teacher(teacher, manifest.get("taught_texts", 0)) for teacher in teachers]
    return "\n\n".join(parts)


def _program(manifest: Mapping[str, Any]) -> str:
    """What was started: a batch is as many times the recipe's as there were processes."""
    processes = manifest.get("processes", 1)
    if processes == 1:
        return "intentstream"
    return f"torchrun --standalone --nproc_per_node {processes} -m -- workers.cli"


def _weights(model: dict[str, Any]) -> str:
    made = ""
    if recipe := model.get("config_file"):
        made = f", which `{_recipe(recipe)}` had made{_in_minutes(model)}"
    return f"the weights of `{model['path']}`, sha256 {model['sha256']}{made}."


def _recipe(name: str) -> str:
    """The path of one of the project's own recipes; the name of any other."""
    found = next((path for path in RECIPES.rglob("*.toml") if path.name == name), None)
    return f"training/configs/{found.relative_to(RECIPES).as_posix()}" if found else name


def _named(teacher: dict[str, Any]) -> str:
    return str(teacher.get("path") or f"runs/{teacher['config_file'].removesuffix('.toml')}")


def _teacher(teacher: dict[str, Any], texts: int) -> str:
    """What is known of a teacher: nothing but its path, where it has no manifest."""
    base, recipe, count = (teacher.get(name) for name in ("base", "config_file", "parameters"))
    told = f"Its teacher, on {_base(base)}," if base else f"Its teacher, {teacher.get('path')},"
    told += f" was made with the recipe `{_recipe(recipe)}`" if recipe else " was made elsewhere"
    told += f"{_in_minutes(teacher)} on {teacher.get('processor') or 'an unnamed processor'}"
    found = (teacher.get("best_epoch") or {}).get("entities_f1")
    facts = [
        *([f"{count / 1e6:.1f}M parameters"] if count else ()),
        *([f"F1 {found:.3f} on QueryNER's validation set"] if found else ()),
    ]
    told += f": {', '.join(facts)}." if facts else "."
    return f"{told} The student saw what it thinks of {texts} queries."


def _in_minutes(facts: dict[str, Any]) -> str:
    seconds = facts.get("seconds")
    return "" if seconds is None else f" in {seconds / 60:.0f} minutes"
