"""The figures of a run: taken after training, kept in its manifest, and compared at export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.bases.languages import language_in
from training.evaluation.measured_texts import brands_of, own_steps, project_steps, public_sets
from training.evaluation.measuring import measured
from training.evaluation.opened_models import OpenModel, english_of_base
from training.evaluation.report import figures_with_slices
from training.export.saved_models import predictor_of
from training.inference.predict import Predictor
from training.network.run_folder import RunFolder, manifest_of
from training.recipes import config_of


def record_run_figures(folder: Path, data: Path) -> dict[str, Any]:
    """Takes all that is measured of a run's model, as its fp32 graph, into its manifest.

    Raises:
        TrainingError: no model there, or unusable data.
    """
    figures = measure_of(folder, data)(predictor_of(folder))
    RunFolder(folder).record(figures=figures)
    return figures


def measure_of(run: Path, data: Path) -> Callable[[Predictor], dict[str, Any]]:
    """What takes the figures of a run's models, or of an exported version, and who is served worse.

    Measured are the recipe's own validation files, and what the project measures: all of it, or only its
    hand-written and generated texts where there is no data folder.

    Args:
        run: folder of a run or of an exported version.
        data: folder of the public sets.

    Raises:
        TrainingError: unusable data.
    """
    manifest = manifest_of(run)
    language = language_in(manifest)
    config = config_of(manifest.get("arguments", {})).data
    public = public_sets(data)

    def english(_: Predictor) -> Any:
        return english_of_base(manifest)

    project = project_steps(public, (language,), english)
    own = own_steps((), config, data, project)[0] if config.validation else []
    steps = own + project
    brands = brands_of(data, config)

    def figures(predictor: Predictor) -> dict[str, Any]:
        model = OpenModel(str(run), "run", predictor, (language,), english)
        return figures_with_slices(measured(model, steps, brands))

    return figures
