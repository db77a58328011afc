"""Distillation of word tags: a teacher's answers, computed once and kept.

The student sees what the teacher thinks of every tag of every word (Hinton et al., 2015), on labelled
texts beside the label and on unlabelled ones alone. Answers are kept by word, so that teacher and
student may cut words into different pieces.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from streams.decoding import softmax
from streams.labels import bio_tags
from training.errors import ConfigError, DataError
from training.inference.predict import Predictor
from training.network.tokens import first_pieces

Advance = Callable[[int], None]
_CHUNK = 512
_DAMAGED = (KeyError, ValueError, OSError, EOFError, BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True, eq=False)
class SoftTags:
    """What a teacher thinks of the words of N texts, W words in all.

    Attributes:
        texts: N different texts.
        offsets: int64 [N + 1]; text n owns the rows from `offsets[n]` to `offsets[n + 1]`.
        probabilities: float16 [W, tags].
        tags: the columns, `bio_tags()` or a part of it.
        made_of: digest of the teachers and the texts.
    """

    texts: tuple[str, ...]
    offsets: NDArray[np.int64]
    probabilities: NDArray[np.float16]
    tags: tuple[str, ...]
    made_of: str = ""
    _rows: dict[str, int] = field(init=False, repr=False)
    _columns: NDArray[np.intp] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = {tag: column for column, tag in enumerate(bio_tags())}
        if unknown := [tag for tag in self.tags if tag not in known]:
            raise ConfigError(
                f"the teacher knows the tag {unknown[0]!r}, which is not in the label schema",
                "let a teacher of this schema answer again",
            )
        if len(self.offsets) != len(self.texts) + 1 or self.offsets[-1] != len(self.probabilities):
            raise DataError("the soft labels are not one row a word", "make them again")
        object.__setattr__(self, "_rows", {text: row for row, text in enumerate(self.texts)})
        object.__setattr__(self, "_columns", np.array([known[tag] for tag in self.tags]))

    def __len__(self) -> int:
        return len(self.texts)

    def __contains__(self, text: object) -> bool:
        return text in self._rows

    def of(self, text: str) -> NDArray[np.float32] | None:
        """Probabilities [words, tags of the schema], or None for a text the teacher has not seen."""
        row = self._rows.get(text)
        if row is None:
            return None
        found = self.probabilities[self.offsets[row] : self.offsets[row + 1]].astype(np.float32)
        spread = np.zeros((len(found), len(bio_tags())), np.float32)
        spread[:, self._columns] = found / found.sum(axis=1, keepdims=True)
        return spread

    def save(self, path: Path) -> None:
        """Writes one `.npz` file."""
        unfinished = path.with_suffix(".part.npz")
        np.savez_compressed(
            unfinished,
            texts=np.frombuffer("\n".join(self.texts).encode(), np.uint8),
            offsets=self.offsets,
            probabilities=self.probabilities,
            tags=np.array(self.tags),
            made_of=np.array(self.made_of),
        )
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> "SoftTags":
        """Reads what `save` has written.

        Raises:
            DataError: no such file, or it is not one of soft labels.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                text = held["texts"].tobytes().decode()
                return cls(
                    texts=tuple(text.split("\n")) if text else (),
                    offsets=held["offsets"],
                    probabilities=held["probabilities"],
                    tags=tuple(held["tags"].tolist()),
                    made_of=str(held["made_of"]),
                )
        except FileNotFoundError:
            raise DataError(f"{path} is not there", "let a teacher label the texts first") from None
        except _DAMAGED as error:
            raise DataError(
                f"{path} holds no soft labels, or is damaged: {error}",
                "remove it, and let the teachers answer again: intentstream distill --teacher DIR",
            ) from error


@dataclass(frozen=True, slots=True)
class Teacher:
    """A model that answers, and the digest of its file."""

    predict: Predictor
    digest: str


def taught(
    teachers: Sequence[Teacher],
    texts: Iterable[str],
    kept: Path | None = None,
    advance: Advance | None = None,
) -> SoftTags:
    """The teachers' mean answer to each text; read from `kept` where the same has been asked before.

    Texts of which two teachers do not see the same number of words are left out, as are texts of
    more word pieces than a model reads.

    Args:
        teachers: with the tags of the label schema.
        texts: to be answered; repeated ones count once.
        kept: a file for the answers.
        advance: told how many texts have been answered since the last call.

    Raises:
        ConfigError: no teacher, or one of another label schema.
    """
    asked = tuple(dict.fromkeys(text for text in texts if text.strip() and "\n" not in text))
    if not teachers or any(teacher.predict.labels.tags != bio_tags() for teacher in teachers):
        raise ConfigError("a teacher must know the tags of the label schema", "train one here")
    made_of = _digest(teachers, asked)
    if kept is not None and kept.is_file() and (found := SoftTags.load(kept)).made_of == made_of:
        return found
    answers: list[NDArray[np.float16]] = []
    answered: list[str] = []
    for start in range(0, len(asked), _CHUNK):
        chunk = asked[start : start + _CHUNK]
        for text, answer in zip(chunk, _mean_answers(teachers, chunk), strict=True):
            if answer is not None:
                answered.append(text)
                answers.append(answer.astype(np.float16))
        if advance is not None:
            advance(len(chunk))
    soft = SoftTags(
        texts=tuple(answered),
        offsets=np.cumsum([0, *map(len, answers)], dtype=np.int64),
        probabilities=np.concatenate([np.zeros((0, len(bio_tags())), np.float16), *answers]),
        tags=bio_tags(),
        made_of=made_of,
    )
    if kept is not None:
        soft.save(kept)
    return soft


def _digest(teachers: Sequence[Teacher], texts: Sequence[str]) -> str:
    content = hashlib.sha256()
    for teacher in teachers:
        # Teachers had weights, all of 1.0, when the answers that people have kept were made.
        content.update(f"{teacher.digest} 1.0\n".encode())
    content.update("\n".join(texts).encode())
    return content.hexdigest()


def _mean_answers(
    teachers: Sequence[Teacher], texts: Sequence[str]
) -> list[NDArray[np.float64] | None]:
    total: list[NDArray[np.float64] | None] = [None] * len(texts)
    spoilt = [False] * len(texts)
    for teacher in teachers:
        outputs = teacher.predict(texts)
        for row, text in enumerate(texts):
            count = int(outputs.token_count[row])
            pieces = [(start, end) for start, end in outputs.token_offsets[row, :count].tolist()]
            firsts = first_pieces(text, pieces)
            answer = softmax(outputs.tag_logits[row, firsts]) * (1.0 / len(teachers))
            held = total[row]
            whole = count + 2 >= int(outputs.word_pieces[row])
            spoilt[row] |= not whole or (held is not None and len(held) != len(answer))
            if not spoilt[row]:
                total[row] = answer if held is None else held + answer
    return [None if bad else answer for answer, bad in zip(total, spoilt, strict=True)]
