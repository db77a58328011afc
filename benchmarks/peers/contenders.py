"""Who races: the enricher, and the peers beside whom it is measured."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody in the race."""

    name: str


@dataclass(frozen=True, slots=True)
class Peer(Contender):
    """Somebody beside whom the enricher is measured.

    Attributes:
        module: in this package.
        batches: whether it asks the model about several queries at once.
        needs: packages, by the names they are imported by.
        least_agreement: the least share of queries of which it must say what the enricher says.
        scores: whether that goes down to the last digit of all scores, or for labels alone.
        arguments: of its command line.
    """

    module: str
    batches: bool = False
    needs: tuple[str, ...] = ()
    least_agreement: float = 1.0
    scores: bool = True
    arguments: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        return [name for name in self.needs if find_spec(name) is None]


_FAUST: Final = ("worker", "--loglevel", "warn")

ENRICHER: Final = Contender("Intentstream")
PEERS: Final = (
    Peer("Faust, an event at a time", "faust_per_event", arguments=_FAUST),
    Peer("Faust, take", "faust_take", batches=True, arguments=_FAUST),
    Peer("aiokafka, one by one", "aiokafka_one_by_one"),
    Peer("FastStream, batches", "faststream_batch", batches=True, needs=("faststream",)),
    Peer("Quix Streams", "quix_streams", needs=("quixstreams",)),
    Peer(
        "transformers' pipeline",
        "transformers_pipeline",
        needs=("torch", "transformers", "onnx"),
        least_agreement=0.95,  # fp32 arithmetic beside int8
        scores=False,
    ),
)
