"""The figures of a run: taken after training, kept in its manifest, and compared at export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.encoders import language_of
from training.evaluation import taken
from training.measured_texts import project_steps
from training.opened_models import english_of_base, opened
from training.predict import Predictor
from training.run_folder import RunFolder, base_of


def record_run_figures(folder: Path, data: Path) -> dict[str, Any]:
    """Takes all that the project measures of a run's model, as its fp32 graph, into its manifest.

    Raises:
        TrainingError: no model there, or unusable data.
    """
    with opened(str(folder)) as model:
        figures = measure_of(folder, data)(model.predictor)
    RunFolder(folder).record(figures=figures)
    return figures


def measure_of(run: Path, data: Path) -> Callable[[Predictor], dict[str, Any]]:
    """What takes the figures of models in the language of a run's base."""
    manifest = RunFolder(run).manifest() if (run / "manifest.json").is_file() else {}
    language = language_of(base_of(manifest))
    return lambda predictor: taken(
        project_steps(data, (language,), lambda _: english_of_base(manifest)), predictor
    )
