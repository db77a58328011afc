"""The figures of a run: taken after training, kept in its manifest, and compared at export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.encoders import language_of
from training.evaluation_report import figures_with_slices
from training.measured_texts import brands_of, project_steps
from training.measuring import measured
from training.opened_models import OpenModel, english_of_base, opened
from training.predict import Predictor
from training.run_folder import RunFolder, base_of, manifest_of


def record_run_figures(folder: Path, data: Path) -> dict[str, Any]:
    """Takes all that the project measures of a run's model, as its fp32 graph, into its manifest.

    Raises:
        TrainingError: no model there, or unusable data.
    """
    with opened(str(folder)) as model:
        figures = _figures(model, data)
    RunFolder(folder).record(figures=figures)
    return figures


def measure_of(run: Path, data: Path) -> Callable[[Predictor], dict[str, Any]]:
    """What takes the figures of models in the language of a run's base, and who is served worse."""
    manifest = manifest_of(run)
    language = language_of(base_of(manifest))

    def figures(predictor: Predictor) -> dict[str, Any]:
        model = OpenModel(
            str(run), "run", predictor, (language,), lambda _: english_of_base(manifest)
        )
        return _figures(model, data)

    return figures


def _figures(model: OpenModel, data: Path) -> dict[str, Any]:
    steps = project_steps(data, model.languages, model.english)
    return figures_with_slices(measured(model, steps, brands_of(data, None)))
