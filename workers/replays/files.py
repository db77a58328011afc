"""The run's files. The manifest comes last: a run without one is not whole."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from workers.replays.comparison import Verdict
from workers.replays.event_identity import Position
from workers.replays.evidence import INPUTS, MANIFEST, SIGNATURE, FileEvidence, Manifest
from workers.replays.explanation import Explanation
from workers.replays.keys import key_path
from workers.replays.report import ReplayReport
from workers.replays.report_page import page
from workers.replays.run_state import WORK, RunState, unwritable
from workers.replays.signing import fingerprint, sign, signing_key
from workers.settings import Settings, event_settings, settings_digest

DIFFERENCES: Final = "differences.jsonl"
SUMMARY: Final = "summary.json"
PAGE: Final = "report.html"
CONTENT: Final = (DIFFERENCES, INPUTS, SUMMARY, PAGE)

UNSIGNED: Final = (
    "the run is not signed, so nobody can verify it: make a key with `intentstream replay keygen` "
    "and name it in INTENTSTREAM_AUDIT__SIGNING_KEY"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the manifest and the page say beside the report: options, the cluster, explanations."""

    options: dict[str, Any]
    cluster: dict[str, str]
    explained: Mapping[Position, Explanation]


def finish(settings: Settings, state: RunState, report: ReplayReport, asked: Asked) -> None:
    """Writes all files of the run, and removes its state.

    Raises:
        RunError: they cannot be written; what is there does not look whole.
        SettingsError: the signing key cannot be used.
    """
    folder = report.request.folder
    path = key_path(settings, folder.parent)
    key = None if path is None else signing_key(path)
    report.signed = None if key is None else fingerprint(key.public_key())
    if key is None:
        report.notes.append(UNSIGNED)
    try:
        _write(folder / DIFFERENCES, (f"{line}\n" for line in state.differences()))
        _write(folder / INPUTS, _inputs(state))
        summary = json.dumps(report.as_dict(), indent=2, ensure_ascii=False)
        _write(folder / SUMMARY, [summary, "\n"])
        _write(folder / PAGE, [page(report, state, settings, asked.explained)])
        manifest = _manifest(settings, report, asked)
        text = manifest.text()
        if key is not None:
            _write(folder / SIGNATURE, [sign(key, text).decode()])
        _write(folder / MANIFEST, [text.decode()])
        for left in (WORK, f"{WORK}-wal"):
            (folder / left).unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(error.strerror or str(error)) from error


def _manifest(settings: Settings, report: ReplayReport, asked: Asked) -> Manifest:
    folder = report.request.folder
    sent = None
    if report.published_to is not None:
        sent = {"topic": report.published_to} | report.output.as_dict()
    return Manifest(
        run=report.request.run,
        asked=asked.options,
        cluster=asked.cluster,
        topic=report.source.topic,
        partitions=tuple(report.partitions[n] for n in sorted(report.partitions)),
        model={
            "published_by": dict(report.published_by),
            "replayed_by": dict(report.replayed_by),
        },
        settings={"digest": settings_digest(settings), "values": _plain(event_settings(settings))},
        counts={
            "records": report.records,
            "left_out": report.left_out,
            "erased": report.erased,
            "redriven": report.redriven,
            **{verdict.value: report.tally.total(verdict) for verdict in Verdict},
            "corrected": report.corrected,
        },
        output=sent,
        started=report.started,
        ended=datetime.now(UTC),
        files={name: FileEvidence.of(folder / name) for name in CONTENT},
        key=report.signed,
    )


def _inputs(state: RunState) -> Iterable[str]:
    """A line a record: partition, offset, hash of its bytes, and its user's pseudonym."""
    for one in state.inputs():
        yield json.dumps([one.partition, one.offset, one.digest.hex(), one.user]) + "\n"


def _write(path: Path, lines: Iterable[str]) -> None:
    """Under its name there is the whole file, or none, whatever happens to the machine."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(line)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(values, default=sorted))
    return found
