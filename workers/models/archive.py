"""The archive: every version that was ever served, by the digest that its answers carry.

A folder, or a URL of any store that `fsspec` knows (s3://, gs://, abfs:// … with that store's
package installed):

    CONTENT/version.json            configurations, languages
    CONTENT/front/model.py
    CONTENT/encoder_LANGUAGE/…      graph, tokenizer, manifest, model card
    digests/DIGEST.json             the content that answered with this digest

A digest names the runtime and the processor's kind besides the weights, so one content may have
several.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from workers.errors import UnreachableError
from workers.models.repository import ModelRepository, ModelVersionError, Version

_CONFIGS = ("config.pbtxt", "configs/cpu.pbtxt")


@dataclass(frozen=True, slots=True)
class Archived:
    """An archived version, and the digests that its answers have carried."""

    content: str
    encoders: dict[str, int]  # as they were numbered in the repository that it came from
    digests: tuple[str, ...]


class ModelArchive:
    """Where versions are kept by digest.

    Args:
        url: a folder, or an `fsspec` URL.

    Raises:
        UnreachableError: no package knows such a URL, or the store refuses.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._store, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise UnreachableError(
                f"the model archive {url} cannot be opened: {error}",
                "name a folder, or install the package of that store (s3fs, gcsfs, adlfs …)",
            ) from error

    def versions(self) -> list[Archived]:
        """All that is archived, by content."""
        digests: dict[str, list[str]] = {}
        for path in self._listed(f"{self._root}/digests"):
            digest = "sha256:" + path.rsplit("/", 1)[-1].removesuffix(".json")
            digests.setdefault(self._json(path)["content"], []).append(digest)
        return [
            Archived(
                content := path.rsplit("/", 1)[-1],
                self._json(f"{path}/version.json")["encoders"],
                tuple(sorted(digests.get(content, ()))),
            )
            for path in self._listed(self._root)
            if self._store.exists(f"{path}/version.json")
        ]

    def add(self, version: Version, digest: str = "") -> str:
        """Archives a version, and that its answers carry this digest; returns its content's hash.

        Of a version that is archived already, the files are copied that have come since, as a graph
        for the GPU, or are not as long as they were.

        Raises:
            ModelVersionError: the version lacks a file.
            UnreachableError: the store refuses.
        """
        content = version.content()
        folder = f"{self._root}/{content}"
        try:
            for name, path in _files(version):
                if not self._holds(f"{folder}/{name}", path):
                    self._put(f"{folder}/{name}", path.read_bytes())
            if not self._store.exists(f"{folder}/version.json"):
                facts = {"encoders": version.encoders, "configs": list(version.configs)}
                # Written last: a version that is being copied is not there yet.
                self._put(f"{folder}/version.json", json.dumps(facts, indent=2).encode())
            if digest:
                name = digest.removeprefix("sha256:")
                self._put(
                    f"{self._root}/digests/{name}.json", json.dumps({"content": content}).encode()
                )
        except OSError as error:
            raise UnreachableError(
                f"the model archive {self.url} refuses: {error}", "may it be written to?"
            ) from error
        return content

    def find(self, digest: str) -> str:
        """The content that answered with a digest; the beginning of one is enough.

        Raises:
            ModelVersionError: none did, or several.
        """
        wanted = digest if digest.startswith("sha256:") else f"sha256:{digest}"
        found = {
            archived.content
            for archived in self.versions()
            if any(known.startswith(wanted) for known in archived.digests)
            or f"sha256:{archived.content}".startswith(wanted)
        }
        if len(found) != 1:
            raise ModelVersionError(
                f"{'several versions' if found else 'no version'} in the model archive {self.url}"
                f" answered with the digest {digest}",
                "intentstream model list shows the digests there are",
            )
        return found.pop()

    def restore(self, content: str, repository: ModelRepository) -> Version:
        """Puts an archived version into a repository, with the next free numbers.

        A version with the same content that is there already is taken as it is.

        Raises:
            ModelVersionError: it is not in the archive, or came out otherwise than it went in.
        """
        for version, there in repository.contents():
            if there == content:
                return version
        source = f"{self._root}/{content}"
        if not self._store.exists(f"{source}/version.json"):
            raise ModelVersionError(
                f"the model archive {self.url} holds no {content}",
                "intentstream model list shows what there is",
            )
        facts = self._json(f"{source}/version.json")
        configs = list(facts["configs"])
        for language, before in facts["encoders"].items():
            number = repository.next_encoder(language)
            self._get(
                f"{source}/encoder_{language}",
                repository.path / f"encoder_{language}" / str(number),
            )
            key = f'key: "encoder_{language}_version" value: {{ string_value: '
            configs = [text.replace(f'{key}"{before}"', f'{key}"{number}"') for text in configs]
        number = repository.next_number
        folder = repository.front / str(number)
        (folder / "configs").mkdir(parents=True)
        for name, text in zip(_CONFIGS, configs, strict=True):
            (folder / name).write_text(text, encoding="utf-8")
        self._get(f"{source}/front", folder)
        version = repository.version(number)
        if version.content() != content:
            repository.remove(version)
            raise ModelVersionError(
                f"{content} in the model archive {self.url} is damaged",
                "archive it again from a repository that has it",
            )
        return version

    def _holds(self, path: str, file: Path) -> bool:
        """Whether a file was copied, and to its end."""
        return bool(self._store.exists(path) and self._store.size(path) == file.stat().st_size)

    def _put(self, path: str, data: bytes) -> None:
        self._store.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self._store.pipe_file(path, data)

    def _get(self, source: str, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        for path in self._listed(source):
            (target / path.rsplit("/", 1)[-1]).write_bytes(self._store.cat_file(path))

    def _listed(self, path: str) -> Iterator[str]:
        if self._store.exists(path):
            self._store.invalidate_cache()
            yield from sorted(str(found) for found in self._store.ls(path, detail=False))

    def _json(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._store.cat_file(path))
        return found


def _files(version: Version) -> Iterator[tuple[str, Path]]:
    yield "front/model.py", version.folder / "model.py"
    for language, folder in version.encoder_folders().items():
        for path in sorted(folder.iterdir()):
            if path.is_file():
                yield f"encoder_{language}/{path.name}", path
