"""One precedence for settings: the real environment, then `.env`, then an example's defaults."""

import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType

from dotenv.parser import Binding

from loreley.config import environment_names, is_misspelt, misspelt_variables, nearest
from loreley.envfile import line_of, read_env_file

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
    warnings = [*_warnings(file.bindings), *misspelt_variables(environ)]
    layers: list[Mapping[str, str | None]] = [dict(environ), file.values(), defaults]
    for layer in layers:
        for name, value in layer.items():
            known = name.upper() if name.upper() in settings else name
            if value and not environ.get(known):
                environ[known] = value
    return warnings


def _warnings(bindings: Iterable[Binding]) -> Iterator[str]:
    for binding in bindings:
        if binding.key and is_misspelt(binding.key):
            setting = nearest(binding.key)
            meant = f"; did you mean {setting}?" if setting else ""
            yield f".env, line {line_of(binding)}: {binding.key} is no setting{meant}"
