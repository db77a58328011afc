"""Where an assigned partition begins, and when that is an error instead of a guess."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from workers.errors import ContractError, SettingsError
from workers.settings import StartPosition


@dataclass(frozen=True, slots=True)
class Position:
    """Where to read next; `committed` tells whether the group has said so before."""

    offset: int
    committed: bool


async def start_positions(
    consumer: AIOKafkaConsumer,
    partitions: Collection[TopicPartition],
    start: StartPosition | None,
    *,
    skip_lost: bool = False,
) -> dict[TopicPartition, Position]:
    """The position of each partition: the group's committed offset, else what `start` says.

    Args:
        consumer: with the group and the partitions assigned.
        partitions: of these.
        start: for partitions without committed offset; None makes that an error.
        skip_lost: begin at the oldest record where retention has deleted what comes next.

    Raises:
        SettingsError: there is no committed offset, and no setting says where to begin.
        ContractError: the committed offset is not in the log.
    """
    if not partitions:
        return {}
    oldest = await consumer.beginning_offsets(partitions)
    newest = await consumer.end_offsets(partitions)
    found: dict[TopicPartition, Position] = {}
    fresh = []
    for partition in partitions:
        committed = await consumer.committed(partition)
        if committed is None:
            fresh.append(partition)
            continue
        if committed > newest[partition]:
            raise _log_ends_before(partition, committed, newest[partition])
        if committed < oldest[partition] and not skip_lost:
            raise _lost(partition, committed, oldest[partition])
        found[partition] = Position(max(committed, oldest[partition]), committed=True)
    if fresh:
        if start is None:
            raise _nowhere_to_begin(fresh)
        found |= await _begin(consumer, fresh, start, oldest, newest)
    return found


async def _begin(
    consumer: AIOKafkaConsumer,
    partitions: Collection[TopicPartition],
    start: StartPosition,
    oldest: Mapping[TopicPartition, int],
    newest: Mapping[TopicPartition, int],
) -> dict[TopicPartition, Position]:
    if start.at == "earliest":
        return {name: Position(oldest[name], committed=False) for name in partitions}
    if start.at == "latest" or start.timestamp_ms is None:
        return {name: Position(newest[name], committed=False) for name in partitions}
    times = dict.fromkeys(partitions, max(start.timestamp_ms, 0))
    offsets = await consumer.offsets_for_times(times)
    return {
        # no record is as young as that: begin with the next one that comes
        name: Position(newest[name] if at is None else at.offset, committed=False)
        for name in partitions
        for at in (offsets.get(name),)
    }


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}[{partition.partition}]"


def _nowhere_to_begin(partitions: Collection[TopicPartition]) -> SettingsError:
    names = ", ".join(sorted(_name(partition) for partition in partitions))
    return SettingsError(
        f"the group has no committed offset for {names}, and no setting says where to begin",
        "give --from earliest, latest or time:<ISO 8601>, or set INTENTSTREAM_START",
    )


def _lost(partition: TopicPartition, committed: int, oldest: int) -> ContractError:
    return ContractError(
        f"{_name(partition)}: the records from {committed} up to {oldest} were deleted by "
        "retention before they were read",
        "lengthen the topic's retention; to go on with the oldest record there is: --skip-lost",
    )


def _log_ends_before(partition: TopicPartition, committed: int, newest: int) -> ContractError:
    return ContractError(
        f"{_name(partition)} ends at {newest}, before the position {committed} that the group has "
        "reached: the topic was recreated or lost records",
        "set a new INTENTSTREAM_EPOCH, for offsets begin anew, and delete the group's offsets "
        "(kafka-consumer-groups.sh --delete-offsets)",
    )
