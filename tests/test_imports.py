"""The house rules that a reader can rely on: who imports whom, and what modules are called."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_OURS = ("streams", "workers", "training", "model_repository", "tests", "benchmarks")
_MAY_IMPORT: dict[str, set[str]] = {
    "streams": {"streams"},
    "workers": {"workers", "streams"},
    "training": {"training", "streams"},
    "model_repository": set(),
    "benchmarks": {"benchmarks", "streams", "workers", "training"},
}
_AND_THESE = {  # the served model is asked through the workers' client; pages have one frame
    "training": {
        "workers.errors",
        "workers.html_page",
        "workers.sections",
        "workers.settings",
        "workers.triton",
    },
}
_PARTS: dict[str, set[str]] = {  # of training, and which of them each may import
    "data": set(),
    "network": {"data"},
    "inference": {"network"},
    "bases": {"data", "network"},
    "export": {"data", "network", "inference", "bases"},
    "evaluation": {"data", "network", "inference", "bases", "export"},
    "compression": {"data", "network", "inference", "bases", "export"},
    "fine_tuning": {"data", "network", "inference", "bases", "export", "evaluation", "compression"},
    "search": {"network", "fine_tuning"},
}
_HEAVY = {"torch", "transformers", "datasets", "peft", "sklearn", "seqeval", "cleanlab", "onnx"}
_VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
_IMPURE = {  # sockets, clocks, processes and the environment are the workers' business
    "socket",
    "time",
    "os",
    "subprocess",
    "threading",
    "asyncio",
    "random",
    "secrets",
    "logging",
    "aiokafka",
    "redis",
    "tritonclient",
    "faust",
    "pydantic_settings",
}
_CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def _modules(folder: str) -> list[Path]:
    return sorted((_ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    """The whole name of each imported module, and whether it happens when the file is imported."""
    tree = ast.parse(path.read_bytes())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        at_import = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_import) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: say whence you import, in full"
            yield node.module or "", at_import


def _top(name: str) -> str:
    return name.partition(".")[0]


def _named(path: Path) -> str:
    return str(path.relative_to(_ROOT))


@pytest.mark.parametrize("folder", _MAY_IMPORT)
def test_imports_point_one_way(folder: str) -> None:
    modules = _modules(folder)
    assert modules or folder == "model_repository"
    wrong = [
        f"{_named(path)} imports {name}"
        for path in modules
        for name, _ in _imports(path)
        if _top(name) in set(_OURS) - _MAY_IMPORT[folder]
        and name not in _AND_THESE.get(folder, set())
    ]
    assert wrong == []


def test_the_parts_of_training_import_each_other_one_way() -> None:
    """Each part imports only those that `_PARTS` names; the command line all, and nothing imports it."""
    folder = _ROOT / "training"
    assert {path.parent.name for path in folder.glob("*/__init__.py")} == set(_PARTS)
    order = list(_PARTS)
    assert all(order.index(name) < order.index(part) for part in _PARTS for name in _PARTS[part])
    wrong = [
        f"{_named(path)} imports {name}"
        for path in _modules("training")
        for name in _training_modules(path)
        if path != folder / "cli.py"
        and (part := name.split(".")[1]) in {*_PARTS, "cli"}
        and part not in {_part(path), *_PARTS.get(_part(path), ())}
    ]
    assert wrong == []


def _part(path: Path) -> str:
    """The part of training that a module belongs to; its own name where it lies at the top."""
    return path.relative_to(_ROOT / "training").parts[0]


def _training_modules(path: Path) -> Iterator[str]:
    """Whole names of what a module imports of training, `from training import part` included."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("training."))
        elif isinstance(node, ast.ImportFrom) and _top(node.module or "") == "training":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", ["streams", "workers"])
def test_what_runs_needs_no_training_packages(folder: str) -> None:
    heavy = [
        f"{_named(path)} imports {name}"
        for path in _modules(folder)
        for name, _ in _imports(path)
        if _top(name) in _HEAVY
    ]
    assert heavy == []


def test_what_flows_knows_no_sockets_clocks_or_environment() -> None:
    impure = [
        f"{_named(path)} imports {name}"
        for path in _modules("streams")
        for name, _ in _imports(path)
        if _top(name) in _IMPURE
    ]
    clocks = [
        f"{_named(path)} reads {ast.unparse(node)}"
        for path in _modules("streams")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in _CLOCKS
    ]
    assert impure + clocks == []


def test_a_module_is_named_after_its_job() -> None:
    vague = [
        _named(path)
        for folder in _OURS
        for path in _modules(folder)
        if _VAGUE.intersection(path.stem.split("_"))
    ]
    assert vague == []


def test_help_does_not_wait_for_clients() -> None:
    """`intentstream --help` imports every command: Kafka, Faust and gRPC have to wait."""
    slow = "{'aiokafka', 'faust', 'grpc', 'tritonclient', 'numpy', 'torch'}"
    script = f"import sys; import workers.cli; print(*sorted({slow} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        _named(path)
        for folder in _MAY_IMPORT
        for path in _modules(folder)
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []
