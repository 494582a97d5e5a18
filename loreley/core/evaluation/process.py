"""One start of the evaluator: its command line, what it may see, what it is told."""

import marshal
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox import child_output
from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.runtimes import find_runtime, why_not_run
from loreley.core.sandbox.sandbox import Sandbox
from loreley.core.sandbox.shims import describe_shim, find_manager, follow_shim
from loreley.host import children
from loreley.host.deadline import Deadline
from loreley.host.disk_use import DiskUse

RESULT = "result.json"
RESULT_BYTES = 1024 * 1024

_RUNNER = Path(__file__).with_name("plugin_runner.py")
_HANDED_ON = ("LANG", "LANGUAGE", "TZ")


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is to be judged; paths are resolved. Without a worktree it is only a rehearsal."""

    scratch: Path
    deadline: Deadline
    worktree: Path | None = None
    commit: str = ""
    # Known to the plugin's process alone: an answer with it was not written by the candidate.
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def result(self) -> Path:
        """Where the answer is expected."""
        return self.scratch / RESULT


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """How a start went, with the end of what was printed."""

    outcome: children.Outcome
    log: str
    disk: DiskUse


@dataclass(frozen=True, slots=True)
class EvaluatorProcess:
    """Starts the configured evaluator in the sandbox."""

    options: EvaluatorOptions
    sandbox: Sandbox
    environ: Mapping[str, str]

    def run(self, task: EvaluationRequest) -> CompletedRun:
        """Let the evaluator do its task, to its end or to the deadline's."""
        plugin = self.options.plugin is not None
        argv = self._build_plugin_argv() if plugin else self._build_command_argv(task)
        environment = self._build_environment(task)
        confinement = self._confine(task)
        disk = self.sandbox.watch_disk(confinement)
        with tempfile.TemporaryFile() as output:
            outcome = children.run(
                self.sandbox.command(argv, confinement),
                env=environment,
                cwd=task.scratch,
                stdin=self._write_request(task) if plugin else b"",
                output=output,
                deadline=task.deadline,
                disk=disk,
            )
            return CompletedRun(outcome, child_output.tail(output), disk)

    def program(self) -> str | None:
        """Path of the command's program, or None where there is none of that name."""
        found = shutil.which(self.options.command[0], path=self._search_path())
        followed = follow_shim(Path(found).absolute(), self.environ) if found else None
        return str(followed) if followed else found

    def obstacle(self) -> str:
        """Why the command cannot be started, as far as its file tells; empty where it can."""
        if not self.options.command:
            return ""
        if (program := self.program()) is None:
            return _describe_no_program(Path(self.options.command[0]))
        if find_manager(Path(program)):
            return describe_shim(Path(program))
        return why_not_run(Path(program), self._search_path())

    def _build_plugin_argv(self) -> list[str]:
        # -P: nothing that lies beside the runner or in the scratch folder can pass for a module.
        return [sys.executable, "-P", str(_RUNNER)]

    def _build_command_argv(self, task: EvaluationRequest) -> list[str]:
        if task.worktree is None:
            return [self.sandbox.tools.shell, "-c", 'command -v "$0"', self.options.command[0]]
        argv = [self.program() or self.options.command[0], *self.options.command[1:]]
        for placeholder, path in {
            "{worktree}": task.worktree,
            "{result}": task.result,
            "{scratch}": task.scratch,
        }.items():
            argv = [word.replace(placeholder, str(path)) for word in argv]
        return argv

    def _write_request(self, task: EvaluationRequest) -> bytes:
        request = {
            "plugin": self.options.plugin,
            "only_check": task.worktree is None,
            "python_paths": list(map(str, self.options.python_paths)),
            "worktree": str(task.worktree),
            "scratch": str(task.scratch),
            "commit": task.commit,
            "timeout_seconds": task.deadline.remaining_seconds,
            "max_metrics": self.options.max_metrics,
            "result": str(task.result),
            "limit_bytes": RESULT_BYTES,
            "token": task.token,
        }
        return marshal.dumps(request)  # for the same interpreter

    def _confine(self, task: EvaluationRequest) -> Confinement:
        options = self.options
        worktree = [task.worktree] if task.worktree else []
        return Confinement(
            cwd=task.scratch,
            writable=(*worktree, task.scratch),
            readable=(
                *options.python_paths,
                *options.readable,
                *self._find_command_files(),
                *(path / ".git" for path in worktree),
            ),
            hidden=options.hidden,
            network=options.network,
            memory_bytes=options.memory_bytes,
            file_size_bytes=options.file_size_bytes,
        )

    def _find_command_files(self) -> Iterator[Path]:
        """The files that the command line names: whoever wrote it meant them to be read."""
        if self.options.command and (program := self.program()):
            yield Path(program)
            yield from find_runtime(Path(program), self._search_path())
        for word in self.options.command[1:]:
            if word.startswith("/") and Path(word).is_file():
                yield Path(word)

    def _build_environment(self, task: EvaluationRequest) -> dict[str, str]:
        home, temporary = task.scratch / "home", task.scratch / "tmp"
        for folder in (home, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        handed_on = {
            name: value
            for name, value in self.environ.items()
            if name in _HANDED_ON or name.startswith("LC_") or name in self.options.environment
        }
        return handed_on | {
            "PATH": self._search_path(),
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PYTHONHASHSEED": "0",
            "PYTHONNOUSERSITE": "1",
            "LORELEY_WORKTREE": str(task.worktree or ""),
            "LORELEY_SCRATCH": str(task.scratch),
            "LORELEY_RESULT": str(task.result),
            "LORELEY_COMMIT": task.commit,
        }

    def _search_path(self) -> str:
        """Where programs are looked for; `python` is the one that runs Loreley."""
        own = str(Path(sys.executable).parent)
        return os.pathsep.join([own, self.environ.get("PATH", os.defpath)])


def _describe_no_program(path: Path) -> str:
    if path.is_dir():
        return "it is a folder"
    if path.is_absolute() and path.is_file():
        return "it may not be executed: run chmod +x on it, or call it by its interpreter"
    return "there is no such program"
