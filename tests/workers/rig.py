"""A real Triton that serves a model which fails when told to, beside the real one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.triton import EmbeddedTriton
from workers.sections import TritonSettings

MODELS = Path(__file__).parent / "rigged_models"


@dataclass(frozen=True, slots=True)
class Rig:
    """The server, and the folder whose files steer the model (see its module)."""

    server: EmbeddedTriton
    folder: Path

    def tell(self, name: str, value: str = "") -> None:
        self.folder.joinpath(name).write_text(value)

    def settings(self, **more: object) -> TritonSettings:
        return TritonSettings.model_validate(
            {"address": self.server.grpc_address, "model_name": "rigged"} | more
        )

    def reset(self) -> None:
        for file in self.folder.iterdir():
            file.unlink()


@asynccontextmanager
async def rigged_triton(run_dir: Path) -> AsyncIterator[Rig]:
    folder = run_dir / "rigging"
    folder.mkdir(parents=True)
    server = EmbeddedTriton(run_dir, MODELS, load_models=("rigged",), env={"RIGGED": str(folder)})
    async with server:
        yield Rig(server, folder)
