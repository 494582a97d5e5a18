"""One precedence for settings: the real environment, then `.env`, then an example's defaults."""

import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from loreley.config import describe_misspelt, environment_names
from loreley.envfile import read_env_file


def load_environment(
    project_root: Path, environ: MutableMapping[str, str] = os.environ
) -> list[str]:
    """Fill ``environ`` from `.env` in the project root; return warnings.

    Raises one `ConfigError` that names every line of `.env` that is not ``NAME=value``.
    """
    file = read_env_file(project_root / ".env")
    warnings = list(describe_misspelt(environ, file.bindings))
    set_defaults(dict(environ), environ)
    set_defaults(file.values(), environ)
    return warnings


def set_defaults(
    values: Mapping[str, str | None], environ: MutableMapping[str, str] = os.environ
) -> None:
    """Fill ``environ`` from ``values``: what has a value already keeps it.

    An empty value counts as unset, as it does for `Settings`. Names of settings count whatever
    their case and end up in upper case.
    """
    settings = environment_names()
    for name, value in values.items():
        known = name.upper() if name.upper() in settings else name
        if value and not environ.get(known):
            environ[known] = value
