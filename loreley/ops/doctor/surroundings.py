"""The settings as far as they can be had, for a doctor who must not give up at the first flaw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from loreley.config import Settings, is_redis_configured, valid_settings
from loreley.errors import LoreleyError, Problem
from loreley.ops.dotenv import set_defaults
from loreley.ops.environment import enter_project, use_embedded_server

_FIX = "let this user write there, or set LORELEY_STATE_DIR to another folder"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The settings, each unusable one at its default, and what is wrong with those."""

    settings: Settings
    problems: tuple[Problem, ...]


def read_surroundings(
    root: Path, defaults: Callable[[Settings], Mapping[str, str]]
) -> Surroundings:
    """Enter the project, fill in ``defaults``, and start the embedded queue where none is set."""
    problems: list[Problem] = []

    def attempt(step: Callable[[], object]) -> None:
        try:
            step()
        except LoreleyError as error:
            problems.extend(error.problems)
        except OSError as error:
            problems.append(Problem("a folder cannot be used", reason=str(error), fix=_FIX))

    attempt(lambda: enter_project(root))
    attempt(lambda: set_defaults(defaults(valid_settings()[0])))
    if not is_redis_configured():
        attempt(lambda: use_embedded_server(valid_settings()[0]))
    settings, invalid = valid_settings()
    return Surroundings(settings, tuple(dict.fromkeys([*problems, *invalid])))
