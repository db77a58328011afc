"""A search for better hyperparameters: Optuna proposes, short runs answer, poor ones stop early.

Proposals come from a tree of Parzen estimators (Bergstra et al., NeurIPS 2011) over all axes at once;
a trial that does worse than the median of the others at the same part of its way is stopped. The
study lies in the run folder, so a search that was cut off goes on, in the middle of a trial too.
"""

import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState
from rich.console import Console

from training.config import TrainConfig
from training.errors import ConfigError
from training.fine_tuning.preparation import Ready, model_of, prepare, trainer_of
from training.fine_tuning.processes import Processes
from training.network.run_folder import RunFolder, check_unchanged
from training.recipes import changed, load_config, recipe_at
from training.search.report import best_of, write_best, write_report
from training.search.space import Axis, axes_of, value_of

_PARTS = 10  # of a trial's way: trials are compared where as much of it lies behind them
_FREELY = 4  # trials that nothing stops: the median is to mean something
_STUDY = "hyperparameters"
_WRONG = "error"


def run_search(config_file: Path, folder: Path, data: Path, trials: int) -> dict[str, Any]:
    """Tries sets of hyperparameters until there have been so many, and reports.

    Args:
        config_file: the recipe; its `[search]` says what varies, and it is itself the first trial.
        folder: of the search: `search.sqlite3`, `search.html`, `search.json`, `best.toml`.
        data: of the public data sets.
        trials: how many there are to be, with those that are there already.

    Returns:
        What `search.json` holds.

    Raises:
        TrainingError: before the first step, when anything is wrong.
    """
    config_file = recipe_at(config_file)
    config = load_config(config_file)
    if trials < 1:
        raise ConfigError("a search needs at least one trial", "give --search 1 or more")
    if Processes().count > 1:
        raise ConfigError(
            "a search runs in one process", "start it without torchrun or accelerate launch"
        )
    axes = axes_of(config)
    run = RunFolder(folder)
    console = Console(stderr=True)
    study = _study(run.path, config, axes)
    ready = prepare(config, run, data, console)
    _check_data(study, run)
    _Search(config, axes, study, ready, console).go_on(trials)
    facts = write_report(study, run.path, config.search.figure)
    write_best(config_file, facts["best"]["values"], run.path / "best.toml")
    console.print(
        f"now: intentstream train --config {run.path / 'best.toml'} --run NEW", soft_wrap=True
    )
    return facts


def _study(folder: Path, config: TrainConfig, axes: tuple[Axis, ...]) -> optuna.Study:
    """The study of a folder.

    Raises:
        ConfigError: the folder holds a search of another recipe.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # a failed trial raises, here
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / 'search.sqlite3').absolute()}",
        study_name=_STUDY,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_FREELY),
    )
    recipe = zlib.crc32(repr((config, axes)).encode())
    if study.user_attrs.get("recipe", recipe) != recipe:
        raise ConfigError(
            f"{folder} holds a search of another recipe",
            "give another --run folder, or the same recipe to go on",
        )
    study.set_user_attr("recipe", recipe)
    # Not the same proposals again where a search goes on.
    seed = config.seed * 1000 + len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_FREELY)
    return study


def _check_data(study: optuna.Study, run: RunFolder) -> None:
    """Trials on other data are not to be compared.

    Raises:
        ConfigError: a file has changed since the first trial.
    """
    data = run.manifest()["data"]
    if study.trials:
        check_unchanged(run.path, study.user_attrs.get("data", {}), data)
    study.set_user_attr("data", data)


class _Search:
    """The trials of a study, one after the other."""

    def __init__(
        self,
        config: TrainConfig,
        axes: tuple[Axis, ...],
        study: optuna.Study,
        ready: Ready,
        console: Console,
    ) -> None:
        self._config, self._axes, self._study, self._ready = config, axes, study, ready
        self._console = console
        self._newest = 0

    def go_on(self, trials: int) -> None:
        """Runs those that are missing; one that was cut off first, from its checkpoint."""
        self._take_up()
        done = [
            t for t in self._study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED)
        ]
        if not done and not self._waiting():
            own = {axis.name: value_of(self._config, axis.name) for axis in self._axes}
            self._study.enqueue_trial(
                {a.name: own[a.name] for a in self._axes if a.holds(own[a.name])}
            )
        started = time.monotonic()
        for number in range(len(done), trials):
            self._study.optimize(self._try, n_trials=1)
            spent = time.monotonic() - started
            left = spent / (number + 1 - len(done)) * (trials - number - 1)
            self._say(number + 1, trials, left)

    def _take_up(self) -> None:
        """What was interrupted is tried again, with the same values; what went wrong is not."""
        taken: list[int] = self._study.user_attrs.get("taken_up", [])
        for trial in self._study.trials:
            if trial.state is TrialState.RUNNING:
                self._study.tell(trial.number, state=TrialState.FAIL)
            elif trial.state is not TrialState.FAIL or _WRONG in trial.user_attrs:
                continue
            if trial.number not in taken:
                self._study.enqueue_trial(trial.params)
                taken.append(trial.number)
        self._study.set_user_attr("taken_up", taken)

    def _waiting(self) -> bool:
        return any(trial.state is TrialState.WAITING for trial in self._study.trials)

    def _say(self, number: int, trials: int, left: float) -> None:
        trial = self._study.trials[self._newest]
        figure = self._config.search.figure
        said = f"{figure} {trial.value:.4f}" if trial.value is not None else "no figure"
        if trial.state is TrialState.PRUNED:
            said = f"stopped early at {said}"
        best = best_of(self._study)
        beside = f", the best so far {best.value:.4f}" if best else ""
        self._console.print(
            f"trial {number} of {trials}: {said}{beside}; about {left / 60:.0f} minutes left"
        )

    def _try(self, trial: optuna.Trial) -> float:
        self._newest = trial.number
        values = {axis.name: _proposed(trial, axis) for axis in self._axes}
        config = changed(self._config, values)
        name = f"{zlib.crc32(repr(values).encode()):08x}"  # so that it finds its checkpoint again
        run = RunFolder(self._ready.run.path / "trials" / name)
        run.record_start(config, {})
        epochs, figure = config.optimizer.epochs, self._config.search.figure

        def heard(epoch: int, scores: Mapping[str, float]) -> None:
            trial.report(_figure(scores, figure), _PARTS * epoch // epochs)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            best = trainer_of(self._ready, config, run, model_of(self._ready, config)).train(heard)
        except optuna.TrialPruned:
            run.checkpoint.unlink(missing_ok=True)
            raise
        except Exception as error:
            trial.set_user_attr(_WRONG, repr(error))
            raise
        run.checkpoint.unlink(missing_ok=True)
        run.record(best_epoch=best)
        trial.set_user_attr("figures", best)
        return _figure(best, figure)


def _proposed(trial: optuna.Trial, axis: Axis) -> Any:
    if axis.choices:
        return trial.suggest_categorical(axis.name, axis.choices)
    if axis.whole:
        return trial.suggest_int(axis.name, int(axis.low), int(axis.high), log=axis.log)
    return trial.suggest_float(axis.name, axis.low, axis.high, log=axis.log)


def _figure(scores: Mapping[str, float], name: str) -> float:
    if name not in scores:
        raise ConfigError(
            f"the validation of this recipe gives no figure {name!r}",
            f"set figure under [search] to one of {', '.join(scores)}",
        )
    return scores[name]
