import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FRONT = Path(__file__).resolve().parents[2] / "model_repository/query_understanding/1/model.py"


@pytest.fixture(scope="session")
def front() -> ModuleType:
    """The front's module; outside of Triton its bindings are an empty module."""
    pytest.importorskip("tokenizers", reason="needs the training extra")
    with pytest.MonkeyPatch.context() as patch:
        name = "triton_python_backend_utils"
        patch.setitem(sys.modules, name, ModuleType(name))
        spec = importlib.util.spec_from_file_location("front", FRONT)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
