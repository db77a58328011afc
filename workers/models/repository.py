"""The model repository as Triton reads it: which versions it holds, and which one is served.

Version N of the model is the folder `query_understanding/N`: the front's code and, in `config.pbtxt`
and `configs/cpu.pbtxt` beside it, the configuration that it is served with, which pins the version
of each language's encoder. The files of the same names one level up are those that Triton reads:
serving another version rewrites them. A candidate is a model of its own, a copy of a version's
front under another name; it shares the encoders. A candidate that was made for a replay is marked as
borrowed, and a replay holds a lock on the folder of the candidate that it calls: the system frees the
lock of a process that has died.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.errors import IntentstreamError

FRONT = "query_understanding"
_CONFIGS = ("config.pbtxt", "configs/cpu.pbtxt")
_HISTORY = "history.json"
_BORROWED = "borrowed"  # in a candidate's folder: it goes when nobody calls it
_RESTORED = "restored"  # what that file says where the version came from the archive, and goes too
_CONTENT = ("model.onnx", "tokenizer.json")

_NAME = re.compile(r'^name: "[^"]*"$', re.MULTILINE)
_POLICY = re.compile(r"^version_policy.*\n", re.MULTILINE)
_ENCODER = re.compile(r'key: "encoder_(\w+?)_version" value: \{ string_value: "(\d+)" \}')
_LABELS = re.compile(r'key: "labels" value: \{ string_value: "((?:[^"\\]|\\.)*)" \}')


class ModelVersionError(IntentstreamError):
    """There is no such version, or its files are not what they must be."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the model.

    Attributes:
        number: as Triton and the events name it.
        folder: of its front.
        configs: the texts of `config.pbtxt` and `configs/cpu.pbtxt`.
        encoders: the version of each language's encoder.
    """

    number: int
    folder: Path
    configs: tuple[str, ...]
    encoders: dict[str, int]

    def encoder_folders(self) -> dict[str, Path]:
        """Where each language's encoder lies."""
        repository = self.folder.parent.parent
        return {
            language: repository / f"encoder_{language}" / str(number)
            for language, number in self.encoders.items()
        }

    def content(self) -> str:
        """sha256 of all that decides what it says: code, labels, graphs and tokenizers.

        Raises:
            ModelVersionError: a file is missing.
        """
        digest = hashlib.sha256()
        labels = _LABELS.search(self.configs[0])
        parts = [(b"labels", labels[1].encode() if labels else b"")]
        files = [("model.py", self.folder / "model.py")] + [
            (f"{language}/{name}", folder / name)
            for language, folder in sorted(self.encoder_folders().items())
            for name in _CONTENT
        ]
        for name, path in files:
            try:
                with path.open("rb") as file:
                    parts.append((name.encode(), hashlib.file_digest(file, "sha256").digest()))
            except OSError as error:
                raise ModelVersionError(
                    f"version {self.number} of the model lacks {path.name} in {path.parent}",
                    "load it from the archive by its digest (intentstream model list), or export it "
                    "again",
                ) from error
        for part, value in parts:
            digest.update(len(part).to_bytes(4) + part + len(value).to_bytes(8) + value)
        return digest.hexdigest()


class ModelRepository:
    """A folder that Triton serves models from.

    Args:
        path: the folder.

    Raises:
        ModelVersionError: it holds no `query_understanding`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.front = path / FRONT
        if not (self.front / _CONFIGS[0]).is_file():
            raise ModelVersionError(
                f"there is no {FRONT} in {path}",
                "name the folder that Triton serves in INTENTSTREAM_TRITON__REPOSITORY",
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Holds off other commands that change this repository."""
        with _locked(self.front, fcntl.LOCK_EX):
            yield

    def versions(self) -> list[Version]:
        """All versions, the oldest first."""
        return [self.version(number) for number in self._numbers()]

    def contents(self) -> list[tuple[Version, str | None]]:
        """All versions with their content, the oldest first; None stands where a file is missing."""
        found: list[tuple[Version, str | None]] = []
        for version in self.versions():
            try:
                found.append((version, version.content()))
            except ModelVersionError:
                found.append((version, None))
        return found

    def version(self, number: int) -> Version:
        """One version; whether it has all its files, its content tells.

        Raises:
            ModelVersionError: it is not there.
        """
        folder = self.front / str(number)
        if not folder.is_dir():
            known = ", ".join(map(str, self._numbers())) or "none"
            raise ModelVersionError(
                f"there is no version {number} of the model in {self.path}",
                f"there are {known}; the archive may have it: intentstream model list",
            )
        configs = tuple(self._config(folder, name) for name in _CONFIGS)
        encoders = {language: int(n) for language, n in _ENCODER.findall(configs[1])}
        return Version(number, folder, configs, encoders)

    def _config(self, folder: Path, name: str) -> str:
        """A version's own configuration; that of the model where it has none."""
        own = folder / name
        return (own if own.is_file() else self.front / name).read_text(encoding="utf-8")

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self.front.iterdir() if path.name.isdigit())

    @property
    def next_number(self) -> int:
        """The number that the next version gets."""
        return max(self._numbers(), default=0) + 1

    def next_encoder(self, language: str) -> int:
        """The number that the next version of a language's encoder gets."""
        folder = self.path / f"encoder_{language}"
        there = folder.iterdir() if folder.is_dir() else ()
        return max((int(path.name) for path in there if path.name.isdigit()), default=0) + 1

    def remove(self, version: Version) -> None:
        """Removes a version, and those of its encoders that no other version has."""
        shutil.rmtree(version.folder, ignore_errors=True)
        kept = {folder for other in self.versions() for folder in other.encoder_folders().values()}
        for folder in set(version.encoder_folders().values()) - kept:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def served(self) -> int:
        """The version that Triton's configuration asks for."""
        policy = _POLICY.search((self.front / _CONFIGS[1]).read_text(encoding="utf-8"))
        asked = re.findall(r"\d+", policy[0]) if policy else []
        return int(asked[-1]) if asked else max(self._numbers(), default=0)

    @property
    def history(self) -> list[int]:
        """The versions that were served before, the oldest first."""
        file = self.front / _HISTORY
        found: list[int] = json.loads(file.read_text("utf-8")) if file.is_file() else []
        return found

    def serve(self, number: int, history: list[int]) -> None:
        """Makes a version the one that Triton's configuration asks for.

        Raises:
            ModelVersionError: it is not there.
        """
        version = self.version(number)
        self._keep_configs(self.version(self.served))
        for name, text in zip(_CONFIGS, version.configs, strict=True):
            _replace(self.front / name, _configured(text, FRONT, number))
        self._let_encoders_serve(version)
        _replace(self.front / _HISTORY, json.dumps(history) + "\n")

    def _keep_configs(self, version: Version) -> None:
        """A version that has no configuration of its own gets that of the model, which is its."""
        for name, text in zip(_CONFIGS, version.configs, strict=True):
            own = version.folder / name
            if not own.is_file():
                own.parent.mkdir(exist_ok=True)
                _replace(own, text)

    def add_candidate(self, number: int, *, restored: bool = False) -> str:
        """Puts a version into the repository once more, as a model of its own; at first borrowed.

        Args:
            number: of the version.
            restored: whether the version came from the archive for this, and is to go with it.

        Returns:
            The name of that model.

        Raises:
            ModelVersionError: there is no such version.
        """
        version = self.version(number)
        name = candidate_name(number)
        folder = self.path / name
        if not folder.exists():
            folder.mkdir()
            (folder / _BORROWED).write_text(_RESTORED if restored else "", encoding="utf-8")
        (folder / str(number)).mkdir(exist_ok=True)
        shutil.copyfile(version.folder / "model.py", folder / str(number) / "model.py")
        (folder / "configs").mkdir(exist_ok=True)
        for file, text in zip(_CONFIGS, version.configs, strict=True):
            _replace(folder / file, _configured(text, name, number))
        self._let_encoders_serve(version)
        return name

    def keep_candidate(self, name: str) -> None:
        """Makes a candidate, and its version, stay until somebody removes it."""
        (self.path / name / _BORROWED).unlink(missing_ok=True)

    @contextmanager
    def calling(self, name: str) -> Iterator[None]:
        """Holds a candidate for as long as the block runs; others may hold it too."""
        with _locked(self.path / name, fcntl.LOCK_SH):
            yield

    def is_called(self, name: str) -> bool:
        """Whether somebody holds a candidate."""
        try:
            with _locked(self.path / name, fcntl.LOCK_EX | fcntl.LOCK_NB):
                return False
        except BlockingIOError:
            return True

    @property
    def abandoned(self) -> list[str]:
        """The borrowed candidates that nobody holds."""
        return [
            name
            for name in self.candidates
            if (self.path / name / _BORROWED).is_file() and not self.is_called(name)
        ]

    def remove_candidate(self, name: str) -> None:
        """Removes a candidate; its version stays, unless it was restored for the candidate alone."""
        if not name.startswith(_PREFIX):
            return
        mark = self.path / name / _BORROWED
        restored = mark.is_file() and mark.read_text("utf-8") == _RESTORED
        if restored:
            number = int(name.removeprefix(_PREFIX))
            if number in {*self._numbers()} - {self.served, *self.history}:
                self.remove(self.version(number))
        shutil.rmtree(self.path / name, ignore_errors=True)

    @property
    def candidates(self) -> list[str]:
        """The names of the candidates there are."""
        return sorted(path.name for path in self.path.glob(f"{_PREFIX}*") if path.is_dir())

    def _let_encoders_serve(self, version: Version) -> None:
        """Encoders that Triton serves itself, as on a GPU, are to serve this version's too."""
        for language, number in version.encoders.items():
            file = self.path / f"encoder_{language}" / "config.pbtxt"
            with contextlib.suppress(FileNotFoundError):
                text = file.read_text(encoding="utf-8")
                policy = _POLICY.search(text)
                kept = {int(n) for n in re.findall(r"\d+", policy[0])} if policy else set()
                if number not in kept:
                    _replace(file, _with_policy(text, sorted(kept | {number})))


_PREFIX = f"{FRONT}_candidate_v"


def candidate_name(number: int) -> str:
    """The name under which a version is loaded beside the live model."""
    return f"{_PREFIX}{number}"


@contextmanager
def _locked(folder: Path, kind: int) -> Iterator[None]:
    """Holds a lock on a folder, as `flock` does: it ends with the process at the latest."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)


def _configured(text: str, name: str, number: int) -> str:
    """A front's configuration for a model of this name that serves one version."""
    return _with_policy(_NAME.sub(f'name: "{name}"', text), [number])


def _with_policy(text: str, numbers: list[int]) -> str:
    listed = ", ".join(map(str, numbers))
    line = f"version_policy: {{ specific {{ versions: [ {listed} ] }} }}\n"
    return _POLICY.sub(line, text) if _POLICY.search(text) else text.rstrip("\n") + "\n" + line


def _replace(path: Path, text: str) -> None:
    """Writes a file as a whole or not at all: Triton may read it at any time."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
