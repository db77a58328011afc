"""One step, shared by the enricher and by replay: a batch of records in, their outputs out.

    records ─ prepare ─ known already? ─ by length ─ the model ─ decode ─ events
                 └─ dead letters, signals of actions ───────────────────────┘

The outputs of a record don't depend on the other records of its batch.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Protocol

from streams.deadletters import DeadReason, RecordError, Stage
from streams.decoding import MAX_WORD_PIECES
from streams.enrichment import Enrichment, PreparedQuery
from streams.events import PipelineVersion
from streams.records import OutputRecord, SourceRecord
from streams.rules import RULES, understand_by_rules
from workers.enrichment.answer_cache import AnswerCache, KnownAnswer
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.settings import Settings, settings_digest
from workers.triton import Answer, ModelRejectedError, ModelUnavailableError

logger = logging.getLogger(__name__)

MAX_CALL_PIECES: Final = 32_768
"""Texts of a call times the word pieces of the longest, at most."""

Outputs = tuple[OutputRecord, ...]
_Found = dict[str, KnownAnswer | ModelRejectedError]


class Model(Protocol):
    """What the step needs of the model; `TritonModel` has it."""

    @property
    def rows_per_request(self) -> int:
        """The most texts per call."""

    @property
    def digest(self) -> str:
        """Of the model that answered last."""

    async def understand(self, texts: Sequence[str]) -> Answer:
        """An understanding per text."""

    async def canary(self) -> object:
        """Raises when the model is not well."""


@dataclass(slots=True)
class ModelUse:
    """How the model was used since the start: counts."""

    texts: int = 0  # that needed an understanding
    duplicates: int = 0  # of these, answered by another text of their batch
    asked: int = 0  # texts sent to the model
    requests: int = 0
    rejected: int = 0  # texts that the model fails on
    degraded: int = 0  # texts answered by rules


def enrichment_of(settings: Settings) -> Enrichment:
    """The pure core as the settings shape it.

    Raises:
        SettingsError: there is no key for the pseudonyms.
    """
    return Enrichment(
        topics=settings.topic_names,
        cluster=settings.cluster,
        epoch=settings.epoch,
        pseudonyms=settings.pseudonyms.pseudonymiser(),
        queries=settings.query_decoder(),
        actions=settings.action_decoder(),
        pipeline=PipelineVersion(version("intentstream"), settings_digest(settings)),
        redrives=settings.pseudonyms.redrive_signer(),
        max_rounds=settings.dead_letters.max_rounds,
        context_keys=settings.context_keys,
        max_text_chars=settings.limits.max_text_chars,
    )


class BatchEnrichment:
    """Enriches batches.

    Args:
        enrichment: the pure core: prepares records and builds their outputs.
        model: answers texts.
        breaker: holds calls back while the model is away.
        cache: answers that are known already.
        degrade: answer by rules once the breaker's patience is at an end.
        observe: told how long a stage took: its name, and seconds.
    """

    def __init__(
        self,
        enrichment: Enrichment,
        model: Model,
        breaker: CircuitBreaker,
        cache: AnswerCache | None = None,
        observe: Callable[[str, float], None] = lambda _stage, _seconds: None,
        *,
        degrade: bool = False,
    ) -> None:
        self.enrichment = enrichment
        self.use = ModelUse()
        self.breaker = breaker
        self.cache = AnswerCache() if cache is None else cache
        self._model = model
        self._observe = observe
        self._degrade = degrade

    async def enrich(self, records: Sequence[SourceRecord]) -> list[Outputs]:
        """The outputs of each record, in the records' order; never none.

        Waits as long as an outage of the model lasts, or the breaker's patience.

        Raises:
            ModelUnavailableError: that is at an end, and nothing else may answer.
        """
        began = time.perf_counter()
        prepared = [self._prepared(record) for record in records]
        self._observe("decode", time.perf_counter() - began)
        await asyncio.sleep(0)  # a large batch takes milliseconds: let the heartbeat in
        texts = [item.text for item in prepared if isinstance(item, PreparedQuery)]
        answers = await self._answers(texts)
        return [
            self._events(item, answers[item.text]) if isinstance(item, PreparedQuery) else (item,)
            for item in prepared
        ]

    def _prepared(self, record: SourceRecord) -> PreparedQuery | OutputRecord:
        try:
            return self.enrichment.prepare(record)
        except Exception as error:  # noqa: BLE001 (one record must not stop its topic)
            return self._failed(record, error)

    def _events(self, query: PreparedQuery, answer: KnownAnswer | ModelRejectedError) -> Outputs:
        if isinstance(answer, ModelRejectedError):
            detail = "the model fails on this query, though it answers others"
            error = RecordError(DeadReason.MODEL_REJECTED, Stage.MODEL, detail)
            return (self.enrichment.dead(query.record, error),)
        try:
            return self.enrichment.events(
                query,
                answer.understanding,
                answer.model,
                vector_space=answer.vector_space,
                degraded=answer.degraded,
            )
        except Exception as error:  # noqa: BLE001 (as above)
            return (self._failed(query.record, error),)

    def _failed(self, record: SourceRecord, error: Exception) -> OutputRecord:
        """The dead letter for a fault of ours. Messages are left out: they may quote the text."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        detail = f"{type(error).__name__} in {place}"
        logger.error("a record cannot be processed, please report it: %s", detail)
        reason = RecordError(DeadReason.PROCESSING_FAILED, Stage.PREPARE, detail)
        return self.enrichment.dead(record, reason)

    async def _answers(self, texts: Sequence[str]) -> _Found:
        """An answer for each distinct text."""
        found: _Found = {}
        unknown: list[str] = []
        digest = self._model.digest
        for text in dict.fromkeys(texts):
            known = self.cache.get(text, digest)
            if known is None:
                unknown.append(text)
            else:
                found[text] = known
        self.use.texts += len(texts)
        self.use.duplicates += len(texts) - len(found) - len(unknown)
        calls = in_calls(unknown, self._model.rows_per_request)
        for answers in await asyncio.gather(*(self._ask(call) for call in calls)):
            found |= answers
        return found

    async def _ask(self, texts: list[str]) -> _Found:
        try:
            answers = await self.breaker.run(lambda: self._ask_once(texts))
        except ModelUnavailableError:
            if not self._degrade:
                raise
            self.use.degraded += len(texts)
            return {
                text: KnownAnswer(understand_by_rules(text), RULES, "", degraded=True)
                for text in texts
            }
        for text, answer in answers.items():
            if isinstance(answer, KnownAnswer):
                self.cache.put(text, answer)
        return answers

    async def _ask_once(self, texts: Sequence[str]) -> _Found:
        try:
            return await self._call(texts)
        except ModelRejectedError as error:
            return await PoisonSearch(self._call, self._model.canary).search(texts, error)

    async def _call(self, texts: Sequence[str]) -> _Found:
        self.use.requests += 1
        self.use.asked += len(texts)
        began = time.perf_counter()
        try:
            answer = await self._model.understand(texts)
        except ModelRejectedError:
            self.use.rejected += len(texts) == 1
            raise
        finally:
            self._observe("model", time.perf_counter() - began)
        return {
            text: KnownAnswer(understanding, answer.model, answer.vector_space)
            for text, understanding in zip(texts, answer.understandings, strict=True)
        }


def in_calls(texts: Sequence[str], rows: int) -> list[list[str]]:
    """Texts sorted by length and shared out to calls, so that answers carry little padding.

    All answers of a call are as long as its longest, so a call has the fewer texts the longer they
    are: at most some 15 MB are answered.

    Args:
        texts: for the model.
        rows: the most in one call.
    """
    calls: list[list[str]] = []
    for text in sorted(texts, key=len):
        pieces = min(max(len(text), 1), MAX_WORD_PIECES)  # at most
        if not calls or len(calls[-1]) >= min(rows, max(MAX_CALL_PIECES // pieces, 1)):
            calls.append([])
        calls[-1].append(text)
    return calls


class PoisonSearch:
    """Finds the texts of a failed batch that the model cannot answer, by bisection.

    A text is blamed only if the canary passes before and after and it has failed alone twice;
    at most 2·log₂(n)+1 further calls a culprit. When the canary fails, nobody is to blame: that is
    an outage, and raises.

    Args:
        call: asks the model about some texts.
        canary: raises when the model is not well.
    """

    def __init__(
        self,
        call: Callable[[Sequence[str]], Awaitable[_Found]],
        canary: Callable[[], Awaitable[object]],
    ) -> None:
        self._call = call
        self._canary = canary

    async def search(self, texts: Sequence[str], error: ModelRejectedError) -> _Found:
        """Answers of the texts that can be answered, the error for each that cannot.

        Args:
            texts: that failed together.
            error: with which they failed.

        Raises:
            ModelUnavailableError: the model is not well.
        """
        await self._canary()
        found = await self._split(texts, error)
        if any(isinstance(answer, ModelRejectedError) for answer in found.values()):
            await self._canary()
        return found

    async def _split(self, texts: Sequence[str], error: ModelRejectedError) -> _Found:
        """Splits texts that are known to fail together.

        The right half is not called as a whole when the left one was fine: the culprit is in it.
        """
        if len(texts) == 1:
            return await self._try(texts) or {texts[0]: error}
        left, right = texts[: len(texts) // 2], texts[len(texts) // 2 :]
        answered = await self._try(left)
        if answered is not None:
            if len(right) == 1:
                alone = await self._try(right)
                return answered | (alone if alone is not None else await self._split(right, error))
            return answered | await self._split(right, error)
        answered = await self._try(right)
        broken = await self._split(left, error)
        return broken | (answered if answered is not None else await self._split(right, error))

    async def _try(self, texts: Sequence[str]) -> _Found | None:
        try:
            return await self._call(texts)
        except ModelRejectedError:
            return None
