"""The project that a task is run in: its folder, and the example that it falls back to."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from invoke.context import Context

if TYPE_CHECKING:
    from loreley.config import Settings

EXAMPLE = "examples.evol_circle_packing"
"""The module of the example, in the folder that `find_home` finds."""

_REPOSITORY_SETTINGS = (
    "WORKER_REPO_REMOTE_URL",
    "WORKER_EVALUATOR_PLUGIN",
    "WORKER_EVALUATOR_COMMAND",
)


class Example(Protocol):
    """The repository that is evolved where none is configured."""

    @property
    def folder(self) -> Path:
        """Holds ``repository``, of which the remote is made."""
        ...

    def prepare(self) -> None:
        """Fill in its settings, and make its repository and queue ready to use."""
        ...

    def defaults(self, state: Path) -> Mapping[str, str]:
        """Its settings, with the remote in the state folder."""
        ...


@dataclass(frozen=True, slots=True)
class Project:
    """What the collection of tasks is configured with."""

    root: Path
    home: Path  # of `script` and `examples`
    example_module: str  # has it as EXAMPLE

    @classmethod
    def of(cls, c: Context) -> Self:
        """The project whose tasks.py Invoke has loaded, or the folder `loreley` is typed in."""
        root = Path(c.config["root"]).absolute()
        return cls(root, Path(c.config.get("home", root)), c.config["example"])

    @property
    def scripts(self) -> Path:
        """Where run_worker.py and run_scheduler.py are."""
        return self.home / "script"

    def prepare(self) -> None:
        """See to settings and queue; with no repository configured, to the example's as well."""
        from loreley.ops.environment import enter_project, prepare_queue
        from loreley.ops.messages import say

        enter_project(self.root)
        if _is_configured():
            prepare_queue()
        else:
            say("repository: none is configured; taking the circle packing example")
            self._example().prepare()

    def settings(self) -> "Settings":
        """The settings for looking at a run, the example's where no repository is configured."""
        from loreley.config import load_settings
        from loreley.ops.dotenv import set_defaults
        from loreley.ops.environment import enter_project

        enter_project(self.root)
        set_defaults(self.example_defaults(load_settings()))
        return load_settings()

    def example_defaults(self, settings: "Settings", *, ready: bool = False) -> Mapping[str, str]:
        """The example's settings where no other repository is configured; ``ready``: makes its."""
        from loreley.ops.embedded.repository import ensure_repository

        if _is_configured():
            return {}
        example = self._example()
        defaults = example.defaults(settings.loreley_state_dir.absolute())
        if ready:
            remote = Path(defaults["WORKER_REPO_REMOTE_URL"])
            ensure_repository(example.folder / "repository", remote)
        return defaults

    def _example(self) -> Example:
        sys.path.insert(1, str(self.home))
        example: Example = import_module(self.example_module).EXAMPLE
        return example


def find_home() -> Path:
    """Where scripts and examples are: the checkout, or what the wheel holds of it."""
    package = Path(__file__).resolve().parent.parent
    shared = package / "share"
    return shared if shared.is_dir() else package.parent


def _is_configured() -> bool:
    from loreley.config import is_configured

    return is_configured(*_REPOSITORY_SETTINGS)
