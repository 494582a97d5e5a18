"""One precedence for settings: the real environment, then `.env`, then an example's defaults."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType

from dotenv.parser import Binding

from loreley.config import environment_names
from loreley.envfile import line_of, read_env_file

_OUR_PREFIXES = ("TASKS_", "WORKER_", "SCHEDULER_", "MAPELITES_", "LORELEY_")
_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


def load_environment(
    project_root: Path,
    defaults: Mapping[str, str] = _NO_DEFAULTS,
    environ: MutableMapping[str, str] = os.environ,
) -> list[str]:
    """Fill ``environ`` from `.env` in the project root, then from ``defaults``; return warnings.

    What has a value keeps it; an empty value counts as unset, as it does for `Settings`. Names
    of settings count whatever their case and end up in upper case. Raises one `ConfigError` that
    names every line of `.env` that is not ``NAME=value``.
    """
    settings = environment_names()
    file = read_env_file(project_root / ".env")
    layers: list[Mapping[str, str | None]] = [dict(environ), file.values(), defaults]
    for layer in layers:
        for name, value in layer.items():
            known = name.upper() if name.upper() in settings else name
            if value and not environ.get(known):
                environ[known] = value
    return list(_warnings(file.bindings, settings))


def _warnings(bindings: Iterable[Binding], settings: frozenset[str]) -> Iterator[str]:
    for binding in bindings:
        name = (binding.key or "").upper()
        if name.startswith(_OUR_PREFIXES) and name not in settings:
            nearest = difflib.get_close_matches(name, sorted(settings), n=1, cutoff=0.8)
            meant = f"; did you mean {nearest[0]}?" if nearest else ""
            yield f".env, line {line_of(binding)}: {binding.key} is no setting{meant}"
