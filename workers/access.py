"""Who may do what on the cluster: the least rights of each role, and granting them.

The rights are those of Kafka's StandardAuthorizer. Nobody may read `queries.dead` but the auditor: it
alone holds what shoppers wrote, as they wrote it.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from workers.errors import ContractError
from workers.kafka import connected
from workers.settings import Settings

_ALLOW: Final = 3
_ANY_HOST: Final = "*"


class Role(StrEnum):
    """Who works with the topics, each under a principal of its own."""

    ENRICHER = "enricher"
    PERSONALIZER = "personalizer"
    AUDITOR = "auditor"  # replays and reads dead letters
    REDRIVER = "redriver"  # what an auditor needs besides, to send dead letters back
    CORRECTOR = "corrector"  # what an auditor needs besides, for back-fills and rebuilds
    OPERATOR = "operator"  # makes topics; erases users
    PRODUCER = "producer"  # the shop, which asks
    CONSUMER = "consumer"  # recommenders, search and analytics, which use the answers


class Resource(Enum):
    """What a right is for; values as in Kafka's protocol."""

    TOPIC = 2
    GROUP = 3
    TRANSACTIONAL_ID = 5


class Pattern(Enum):
    """How a resource is named; values as in Kafka's protocol."""

    LITERAL = 3
    PREFIXED = 4


class Operation(Enum):
    """What is allowed; values as in Kafka's protocol. Read and Write imply Describe."""

    READ = 3
    WRITE = 4
    CREATE = 5
    ALTER = 7
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11

    @property
    def shown(self) -> str:
        """As `kafka-acls.sh` spells it."""
        return self.name.title().replace("_", "")


@dataclass(frozen=True, slots=True)
class Right:
    """One operation on one resource."""

    resource: Resource
    name: str
    operation: Operation
    pattern: Pattern = Pattern.LITERAL


def rights(settings: Settings, role: Role) -> tuple[Right, ...]:
    """The least that a role needs, with either guarantee and for all its commands."""
    return tuple(_RIGHTS[role](settings))


def _topics(names: Iterator[str] | tuple[str, ...], *operations: Operation) -> Iterator[Right]:
    for name in names:
        for operation in operations:
            yield Right(Resource.TOPIC, name, operation)


def _enricher(settings: Settings) -> Iterator[Right]:
    names, group = settings.topic_names, settings.group_id("enricher")
    yield from _topics((names.raw, names.actions), Operation.READ)
    outputs = (names.intents, names.entities, names.signals, names.dead)
    yield from _topics(outputs, Operation.WRITE)
    yield Right(Resource.GROUP, group, Operation.READ)
    for operation in (Operation.WRITE, Operation.DESCRIBE):
        yield Right(Resource.TRANSACTIONAL_ID, f"{group}.", operation, Pattern.PREFIXED)


def _personalizer(settings: Settings) -> Iterator[Right]:
    names, group = settings.topic_names, settings.group_id("personalizer")
    changelog = f"{group}-profiles-changelog"
    yield from _topics((names.signals,), Operation.READ, Operation.DESCRIBE_CONFIGS)
    outputs = (names.features, names.dead)
    yield from _topics(outputs, Operation.WRITE, Operation.DESCRIBE_CONFIGS)
    own = (Operation.READ, Operation.WRITE, Operation.CREATE, Operation.DESCRIBE_CONFIGS)
    yield from _topics((changelog,), *own)
    yield Right(Resource.GROUP, group, Operation.READ)


def _auditor(settings: Settings) -> Iterator[Right]:
    names = settings.topic_names
    inputs, events = (names.raw, names.actions), (names.intents, names.entities, names.signals)
    read = (*inputs, *events, names.features, names.dead)
    yield from _topics(read, Operation.READ, Operation.DESCRIBE_CONFIGS)
    yield Right(Resource.GROUP, settings.group_id("enricher"), Operation.DESCRIBE)
    for operation in (
        Operation.CREATE,
        Operation.WRITE,
        Operation.READ,
        Operation.DESCRIBE_CONFIGS,
    ):
        yield Right(Resource.TOPIC, names.replay(""), operation, Pattern.PREFIXED)


def _redriver(settings: Settings) -> Iterator[Right]:
    yield from _topics((settings.topic_names.raw, settings.topic_names.actions), Operation.WRITE)


def _corrector(settings: Settings) -> Iterator[Right]:
    names = settings.topic_names
    yield from _topics(
        (names.intents, names.entities, names.signals, names.features), Operation.WRITE
    )
    yield Right(Resource.GROUP, settings.group_id("personalizer"), Operation.DESCRIBE)


def _operator(settings: Settings) -> Iterator[Right]:
    names = settings.topic_names
    ours = (names.intents, names.entities, names.dead, names.signals, names.features)
    changing = (Operation.CREATE, Operation.ALTER, Operation.ALTER_CONFIGS)
    theirs = {settings.topics.raw, settings.topics.actions}
    inputs = tuple(name for name in (names.raw, names.actions) if name not in theirs)
    yield from _topics((*inputs, *ours), *changing)
    looking = (Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
    yield from _topics((names.raw, names.actions, *ours), *looking)
    yield from _topics((names.signals,), Operation.WRITE)


def _producer(settings: Settings) -> Iterator[Right]:
    yield from _topics((settings.topic_names.raw, settings.topic_names.actions), Operation.WRITE)


def _consumer(settings: Settings) -> Iterator[Right]:
    names = settings.topic_names
    yield from _topics((names.intents, names.entities, names.features), Operation.READ)


_RIGHTS: Final = {
    Role.ENRICHER: _enricher,
    Role.PERSONALIZER: _personalizer,
    Role.AUDITOR: _auditor,
    Role.REDRIVER: _redriver,
    Role.CORRECTOR: _corrector,
    Role.OPERATOR: _operator,
    Role.PRODUCER: _producer,
    Role.CONSUMER: _consumer,
}


def commands(settings: Settings, principals: Mapping[Role, str]) -> Iterator[str]:
    """The lines for Kafka's own tool that grant each principal the rights of its role."""
    option = {
        Resource.TOPIC: "--topic",
        Resource.GROUP: "--group",
        Resource.TRANSACTIONAL_ID: "--transactional-id",
    }
    for role, principal in principals.items():
        places: dict[tuple[Resource, str, Pattern], list[Operation]] = {}
        for right in rights(settings, role):
            place = (right.resource, right.name, right.pattern)
            places.setdefault(place, []).append(right.operation)
        for (resource, name, pattern), operations in places.items():
            words = ["kafka-acls.sh", "--bootstrap-server", settings.kafka.bootstrap_servers]
            words += ["--command-config", "admin.properties", "--add"]
            words += ["--allow-principal", principal]
            for operation in operations:
                words += ["--operation", operation.shown]
            words += [option[resource], name]
            if pattern is Pattern.PREFIXED:
                words += ["--resource-pattern-type", "prefixed"]
            yield shlex.join(words)


async def grant(settings: Settings, principals: Mapping[Role, str]) -> int:
    """Grants each principal the rights of its role; granting twice changes nothing.

    Returns:
        How many rights.

    Raises:
        UnreachableError: no broker answers.
        ContractError: the cluster has no authorizer, or does not let this principal grant.
    """
    count = 0
    async with connected(settings.kafka) as broker:
        for role, principal in principals.items():
            for right in rights(settings, role):
                await _grant(broker, right, principal)
                count += 1
    return count


async def _grant(broker: object, right: Right, principal: str) -> None:
    request = CreateAclsRequest(
        right.resource.value,
        right.name,
        right.pattern.value,
        principal,
        _ANY_HOST,
        right.operation.value,
        _ALLOW,
    )
    try:
        response = await broker.send(request)  # type: ignore[attr-defined]  # aiokafka is untyped
        for code, message in response.creation_responses:
            if code:
                raise for_code(code)(message or "")
    except KafkaError as error:
        raise ContractError(
            f"the cluster does not grant {principal} {right.operation.shown} on {right.name}: "
            f"{type(error).__name__}",
            "this principal needs Alter on the cluster, and the brokers an authorizer.class.name",
        ) from error
