"""Names that look like settings and are none."""

import difflib
from collections.abc import Iterable, Iterator

from dotenv.parser import Binding

from loreley.config.loading import environment_names
from loreley.envfile import line_of

_OUR_PREFIXES = ("TASKS_", "WORKER_", "SCHEDULER_", "MAPELITES_", "LORELEY_")
_NEAR = 0.8


def describe_misspelt(environ: Iterable[str], bindings: Iterable[Binding] = ()) -> Iterator[str]:
    """A warning for each name of `.env` that is no setting, and each in the environment like it.

    In the environment only what is nearly a setting counts: an orchestrator sets WORKER_PORT and
    its like by itself.
    """
    in_file = set()
    for binding in bindings:
        if binding.key and _is_misspelt(binding.key):
            in_file.add(binding.key)
            meant = _nearest(binding.key)
            yield _warning(f".env, line {line_of(binding)}: {binding.key}", meant)
    for name in environ:
        if name not in in_file and _is_misspelt(name) and (meant := _nearest(name)):
            yield _warning(f"{name} in the environment", meant)


def _warning(what: str, meant: str | None) -> str:
    return f"{what} is no setting{f'; did you mean {meant}?' if meant else ''}"


def _is_misspelt(name: str) -> bool:
    """Whether a name has a prefix of ours and is no setting."""
    return name.upper().startswith(_OUR_PREFIXES) and name.upper() not in environment_names()


def _nearest(name: str) -> str | None:
    """The setting that was probably meant."""
    known = sorted(environment_names())
    longer = [each for each in known if each.startswith(f"{name.upper()}_")]
    if len(longer) == 1:
        return longer[0]
    return next(iter(difflib.get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), None)
