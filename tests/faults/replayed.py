"""A fault run once more, by `replay`: does what was published come out again, to the byte?

Under the faults several workers published, in batches that kills, rebalances and reloads had cut;
the replay is one process that asks in batches of another size. Every version of the model that
served is asked: an event must be byte-identical under the one that made it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults.chain import Chain
from workers.replays.comparison import Verdict
from workers.replays.files import DIFFERENCES
from workers.replays.model_in_use import model_in_use
from workers.replays.replay import replay
from workers.replays.report import ReplayReport
from workers.replays.request import ReplayRequest
from workers.settings import Settings
from workers.topic_range import Bound

_ROWS: Final = 13  # texts in a request at most; the workers send up to 32


@dataclass(slots=True)
class Replayed:
    """What the replays of a run found.

    Attributes:
        events: published or replayed, of the records that were replayed.
        degraded: of these, answered by rules: no measure of a model.
        erased: records that are left alone, because their users were erased after them.
        different: events that are byte-identical under no version, a line each.
    """

    events: int = 0
    degraded: int = 0
    erased: int = 0
    different: list[str] = field(default_factory=list)

    @property
    def identical(self) -> int:
        """Events whose key, value and CloudEvents headers came out again, every byte."""
        return self.events - self.degraded - len(self.different)

    def add(self, reports: Sequence[ReplayReport]) -> None:
        """Takes in the replays of one topic, a version of the model each."""
        first = reports[0]
        self.events += sum(first.tally.total(verdict) for verdict in Verdict)
        self.degraded += first.tally.total(Verdict.DEGRADED)
        self.erased += first.erased
        found, *others = map(_differences, reports)
        self.different += [
            line for name, line in found.items() if all(name in other for other in others)
        ]


async def replayed(chain: Chain, folder: Path) -> Replayed:
    """Replays all that the chain has read: queries with every version that served, and actions."""
    found, names = Replayed(), chain.settings.topic_names
    for topic, versions in ((names.raw, len(chain.model.digests) or 1), (names.actions, 1)):
        reports = []
        for version in range(versions):
            chain.serve(version)
            reports.append(await _report(chain.settings, topic, folder / f"{topic}-{version}"))
        found.add(reports)
    return found


async def _report(settings: Settings, topic: str, folder: Path) -> ReplayReport:
    triton = settings.triton.model_copy(update={"max_batch_rows": _ROWS})
    settings = settings.model_copy(update={"triton": triton})
    since, until = Bound("earliest"), Bound("latest")
    request = ReplayRequest(
        run=folder.name, since=since, until=until, folder=folder, topic=topic, publish=False
    )
    async with model_in_use(settings) as model:
        return await replay(settings, request, model.enrich, lambda *_: None)


def _differences(report: ReplayReport) -> dict[tuple[str, ...], str]:
    """The events that are not identical, nor degraded: a line each, by what names them."""
    found: dict[tuple[str, ...], str] = {}
    with (report.request.folder / DIFFERENCES).open(encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            if one["verdict"] != Verdict.DEGRADED:
                name = one["topic"], str(one["source"]), str(one["ce_id"])
                found[name] = f"{one['verdict']}: {line.strip()}"
    return found
