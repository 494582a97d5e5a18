"""Names that look like settings and are none."""

import difflib
from collections.abc import Iterable, Iterator

from loreley.config.loading import environment_names

_OUR_PREFIXES = ("TASKS_", "WORKER_", "SCHEDULER_", "MAPELITES_", "LORELEY_")
_NEAR = 0.8


def is_misspelt(name: str) -> bool:
    """Whether a name has a prefix of ours and is no setting."""
    return name.upper().startswith(_OUR_PREFIXES) and name.upper() not in environment_names()


def nearest(name: str) -> str | None:
    """The setting that was probably meant."""
    known = sorted(environment_names())
    longer = [each for each in known if each.startswith(f"{name.upper()}_")]
    if len(longer) == 1:
        return longer[0]
    return next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), None)


def misspelt_variables(environ: Iterable[str]) -> Iterator[str]:
    """A warning for each name in the environment that is nearly a setting.

    Others are left alone: an orchestrator sets WORKER_PORT and its like by itself.
    """
    for name in environ:
        if is_misspelt(name) and (meant := nearest(name)):
            yield f"{name} in the environment is no setting; did you mean {meant}?"
