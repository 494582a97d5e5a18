"""What is known of each coding agent: the package's presets, and those of the operator's file."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from loreley.config.values import expanded

BUILT_IN_AGENTS = ("genetic", "chat", "command")
AGENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_PACKAGED = Path(__file__).with_name("presets.toml")
_EXTENDS = "extends"

Tables = Mapping[str, Mapping[str, Any]]


def preset_tables(own: str | None = None) -> Tables:
    """What is said of each coding agent, by its name.

    The file ``own`` adds presets, and changes those of the package key by key. Raises `ValueError`
    where it cannot be read; what its keys hold is not looked at.
    """
    packaged = _read_packaged()
    if own is None:
        return packaged
    found = dict(packaged)
    for name, table in _read(expanded(own)).items():
        if not AGENT_NAME.fullmatch(name) or name in BUILT_IN_AGENTS:
            raise ValueError(f"{own}: [{name}] is no name for an agent")
        if not isinstance(table, dict):
            raise ValueError(f"{own}: {name!r} stands outside of a table such as [{name}]")
        based_on = table.get(_EXTENDS, name)
        if based_on not in packaged and _EXTENDS in table:
            known = ", ".join(sorted(packaged))
            raise ValueError(f"{own}: [{name}] {_EXTENDS}: {based_on!r} is none of {known}")
        said = {key: value for key, value in table.items() if key != _EXTENDS}
        found[name] = {**packaged.get(based_on, {}), **said}
    return found


@lru_cache(maxsize=1)
def _read_packaged() -> Tables:
    return _read(_PACKAGED)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
