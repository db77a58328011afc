"""An enricher with a planted fault: it commits what it has read, before it is published."""

from workers.cli import main
from workers.pipeline import OrderedPipeline, Partition


def _read(pipeline: OrderedPipeline[object]) -> dict[Partition, int]:
    return {
        name: lane.read_to
        for name, lane in pipeline._lanes.items()
        if lane.read_to > lane.committed_to
    }


if __name__ == "__main__":
    OrderedPipeline.committable = _read  # type: ignore[method-assign,assignment]  # the fault
    main()
