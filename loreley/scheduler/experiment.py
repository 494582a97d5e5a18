"""What an experiment is about: fixed at its first start, and held against every later one."""

from loreley.config import Settings, as_written
from loreley.core.evaluation.contradictions import find_contradictions
from loreley.db.experiment import Experiment
from loreley.db.schedule import Schedule
from loreley.errors import ConfigError
from loreley.git.git import Git

_DIRECTION = "mapelites_fitness_higher_is_better"


def begin_or_resume(schedule: Schedule, settings: Settings) -> Experiment:
    """The experiment of the database, begun now if there is none; raises on a contradiction."""
    known = schedule.experiment()
    wanted_root = settings.mapelites_experiment_root_commit
    if known is None:
        root = wanted_root or _read_head_of_branch(settings)
        known = schedule.begin_experiment(Experiment(root, _collect_search(settings)))
    require_same(known, settings)
    return known


def require_same(known: Experiment, settings: Settings) -> None:
    """Raise `ConfigError` when the settings describe another experiment, or one that cannot go on.

    A version before this one may have begun one against the evaluator's word.
    """
    wanted_root = settings.mapelites_experiment_root_commit
    if wanted_root is not None and wanted_root != known.root_commit:
        raise _explain_contradiction(
            "MAPELITES_EXPERIMENT_ROOT_COMMIT", known.root_commit, wanted_root
        )
    for name, value in _collect_search(settings).items():
        # An experiment that is older than a setting began with what is its default now.
        began_with = known.search.get(name, _as_stored(Settings.model_fields[name].default))
        if name == _DIRECTION:
            if value is None:  # whoever says nothing contradicts nothing
                continue
            if known.root_metrics:
                began_with = known.objective.higher_is_better
        if began_with != value:
            raise _explain_contradiction(name.upper(), began_with, value)
    if problems := find_contradictions(known.objective, known.said):
        raise ConfigError.of(problems)


def _collect_search(settings: Settings) -> dict[str, object]:
    """The settings that give scores and cells their meaning; fixed for an experiment."""
    names = [
        "mapelites_fitness_metric",
        _DIRECTION,
        "mapelites_fitness_weights",
        "mapelites_constraints",
        "mapelites_measures",
        "mapelites_islands",
    ]
    if not settings.mapelites_measures:
        names += ["mapelites_descriptor_axes", "mapelites_descriptor_bins", "mapelites_descriptor"]
    if settings.embeds:
        names.append("mapelites_embedding_model")
    return {name: _as_stored(getattr(settings, name)) for name in names}


def _as_stored(value: object) -> object:
    return as_written(value) if isinstance(value, list) else value


def _explain_contradiction(setting: str, known: object, wanted: object) -> ConfigError:
    return ConfigError(
        "the database holds another experiment",
        setting=setting,
        reason=f"it began with {known!r}, now it is {wanted!r}",
        fix="set it back, or begin a run of its own: beside it by `loreley --run NAME evolve`, "
        "which is LORELEY_RUN=NAME for each process, or elsewhere by another DATABASE_URL",
    )


def _read_head_of_branch(settings: Settings) -> str:
    url = settings.worker_repo_remote_url
    assert url is not None  # the role's settings were checked
    git = Git(binary=settings.worker_repo_git_bin)
    return git.remote_head(url.get_secret_value(), settings.worker_repo_branch)
