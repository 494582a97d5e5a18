"""One run of a coding agent: its command line, what it may see, what it printed."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from loreley.core.agents.measuring.questions import Asking
from loreley.core.agents.measuring.server import AskingPlace, answer_agent
from loreley.core.agents.presets import Gateway, Preset
from loreley.core.agents.program_cache import link_into_home
from loreley.core.agents.programs import Program
from loreley.core.agents.protocol import AgentWorkspace
from loreley.core.sandbox import child_output
from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.core.sandbox.untrusted_files import UnusableFile, read_file
from loreley.core.worktrees.removal import delete
from loreley.host import children
from loreley.host.deadline import Deadline
from loreley.host.disk_use import DiskUse

_HANDED_ON = frozenset(
    {"LANG", "LANGUAGE", "TZ", "USER", "LOGNAME"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
    | {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
)
_CERTIFICATES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_ALWAYS = {"CI": "1", "NO_COLOR": "1", "TERM": "dumb", "GIT_TERMINAL_PROMPT": "0"}
_FILE_BYTES = 256 * 1024 * 1024  # that it may write, its output included
_ANSWER_BYTES = 256 * 1024
_SHOWN_BYTES = 256 * 1024
_NO_KEY = "none"  # local servers ask for none, but their clients do
_PROMPT, _ANSWER, _GIT_LINK = "prompt.md", "answer.txt", "dot-git"


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What the operator said about one coding agent; paths are absolute and exist."""

    model: str = ""
    arguments: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()  # names of variables that are handed on
    home: Path | None = None
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()  # never visible, even inside a readable folder
    network: bool = True
    idle_seconds: float = 0.0  # 0: it may be silent for ever
    gateway: str = ""  # base URL, without /v1, of the server to ask; empty: its own provider
    cache: Path | None = None  # what its program keeps between jobs, as a part of its HOME
    max_call_dollars: float | None = None  # handed on to programs that can keep to it


@dataclass(slots=True)
class AgentRun:
    """A run of an agent, while its output can still be read."""

    prompt: str
    worktree: Path
    scratch: Path
    git_objects: Path | None  # what its own git folder borrows from; None: it uses the worktree's
    stdout: IO[bytes]
    stderr: IO[bytes]
    outcome: children.Outcome | None = None  # None until it has ended
    disk: DiskUse | None = None  # None until it has begun
    asking: Asking | None = None  # what it may ask while it is at work, if it may

    @property
    def complaints(self) -> str:
        """The end of what it printed on stderr."""
        return child_output.tail(self.stderr)

    @property
    def printed(self) -> str:
        """The end of everything it printed, for a person."""
        output = child_output.tail(self.stdout, _SHOWN_BYTES)
        complaints = child_output.tail(self.stderr, _SHOWN_BYTES // 4)
        return "\n".join(filter(None, (output, complaints and f"--- stderr\n{complaints}")))

    @property
    def answer(self) -> str:
        """What it wrote to the file for its answer, if anything."""
        try:
            content = read_file(self.scratch, _ANSWER, limit_bytes=_ANSWER_BYTES)
        except UnusableFile:
            return ""
        return child_output.legible(content.decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class CommandProcess:
    """Starts one coding agent in the sandbox."""

    preset: Preset
    program: Program
    options: CommandOptions
    sandbox: Sandbox
    environ: Mapping[str, str]

    @contextmanager
    def prepare(
        self, workspace: AgentWorkspace, prompt: str, asking: Asking | None = None
    ) -> Iterator[AgentRun]:
        """Everything that the agent needs, not started yet; gone afterwards."""
        scratch = workspace.scratch.resolve() / "agent"
        delete(scratch)  # of an earlier call in the same lease
        for name in ("home", "tmp"):
            (scratch / name).mkdir(parents=True)
        self._write_files(scratch / "home")
        if self.options.cache:
            link_into_home(self.options.cache, self.preset, scratch / "home")
        (scratch / _PROMPT).write_text(prompt, encoding="utf-8", errors="replace")
        git_objects = None
        if self.sandbox.level is Level.BUBBLEWRAP:
            git_objects = workspace.lend_git(scratch / "git")
            (scratch / _GIT_LINK).write_text(f"gitdir: {scratch / 'git'}\n")
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            worktree = workspace.path.resolve()
            run = AgentRun(prompt, worktree, scratch, git_objects, stdout, stderr, asking=asking)
            yield run

    def complete(self, run: AgentRun, deadline: Deadline) -> None:
        """Let the agent work to its end, or to the deadline's, or until it is silent too long.

        ``run.outcome`` says how it ended. Raises what `children.run` raises.
        """
        reads_stdin = not any("{prompt" in word for word in self.preset.arguments)
        asking = run.asking
        answering = answer_agent(asking.trials, asking.questions) if asking else nullcontext()
        with answering as place:
            self._write_mcp_settings(place)
            confinement = self._confine(run, place)
            run.disk = self.sandbox.watch_disk(confinement)
            run.outcome = children.run(
                self.sandbox.command(self._build_argv(run, place), confinement),
                env=self._build_environment(run.scratch, place),
                cwd=run.worktree,
                stdin=run.prompt.encode(errors="replace") if reads_stdin else b"",
                output=run.stdout,
                errors=run.stderr,
                deadline=deadline,
                idle_seconds=self.options.idle_seconds if self.preset.streams else 0.0,
                may_be_silent=lambda: asking is not None and asking.trials.is_judging,
                disk=run.disk,
            )

    def _write_mcp_settings(self, place: AskingPlace | None) -> None:
        if place and self.preset.mcp and self.preset.mcp.settings:
            text = _fill_in(self.preset.mcp.settings, _find_mcp(place))
            place.mcp_settings.write_text(text, encoding="utf-8")

    def _build_argv(self, run: AgentRun, place: AskingPlace | None = None) -> list[str]:
        argv = [str(self.program.path)]
        own = self.preset.sandbox
        confined = self.sandbox.level is Level.BUBBLEWRAP
        values = {
            "{worktree}": str(run.worktree),
            "{scratch}": str(run.scratch),
            "{prompt_file}": str(run.scratch / _PROMPT),
            "{answer_file}": str(run.scratch / _ANSWER),
            "{prompt}": run.prompt,
            "{sandbox}": (own.ours if confined else own.none) if own else "",
        }
        for word in self.preset.arguments:
            match word:
                case "{model}":
                    argv += self._model_arguments()
                case "{dollar_cap}":
                    argv += self._dollar_cap_arguments()
                case "{arguments}":
                    argv += self._mcp_arguments(place)
                    argv += [*self._gateway_arguments(), *self.options.arguments]
                case _:
                    argv.append(_fill_in(word, values))
        return argv

    def _model_arguments(self) -> list[str]:
        words = self.preset.model if self._gateway.model is None else self._gateway.model
        return [word.replace("{name}", self.options.model) for word in words if self.options.model]

    def _dollar_cap_arguments(self) -> list[str]:
        if not (most := self.options.max_call_dollars):
            return []
        return [word.replace("{dollars}", f"{most:.10g}") for word in self.preset.dollar_cap]

    def _confine(self, run: AgentRun, place: AskingPlace | None) -> Confinement:
        home = [self.options.home] if self.options.home else []
        cache = [self.options.cache] if self.options.cache else []
        git = [run.git_objects] if run.git_objects else []
        asking = [place.folder] if place else []
        return Confinement(
            cwd=run.worktree,
            writable=(run.worktree, run.scratch, *home),
            readable=(
                *self.program.folders,
                *self.options.readable,
                *self._find_certificates(),
                *cache,
                *git,
                *asking,
            ),
            hidden=self.options.hidden,
            # In the place of the worktree's link to the worker's own clone.
            stand_ins={run.worktree / ".git": run.scratch / _GIT_LINK} if git else {},
            network=self.options.network,
            file_size_bytes=_FILE_BYTES,
        )

    def _find_certificates(self) -> Iterator[Path]:
        paths = (self.environ.get(name) for name in _CERTIFICATES)
        yield from (Path(path).absolute() for path in paths if path and Path(path).is_file())

    def _build_environment(self, scratch: Path, place: AskingPlace | None = None) -> dict[str, str]:
        granted = {*_HANDED_ON, *_CERTIFICATES, *self.preset.variables, *self.options.environment}
        granted.add(self._gateway.key)
        handed_on = {
            name: value
            for name, value in self.environ.items()
            if name in granted or name.startswith("LC_")
        }
        own = {
            "PATH": os.pathsep.join(
                [*map(str, self.program.search_first), self.environ.get("PATH", os.defpath)]
            ),
            "HOME": str(self.options.home or scratch / "home"),
            "TMPDIR": str(scratch / "tmp"),
        }
        for name, other in self.preset.aliases.items():
            if name not in handed_on and other in handed_on:
                handed_on[name] = handed_on[other]
        if self.options.model:
            own |= {
                name: text.replace("{name}", self.options.model)
                for name, text in self.preset.model_environment.items()
            }
        own |= self._gateway_environment(handed_on)
        own |= place.environment if place else {}
        environment = handed_on | _ALWAYS | dict(self.preset.environment) | own
        return environment | self._mcp_environment(place, environment)

    @property
    def _gateway(self) -> Gateway:
        """How the agent is told of the gateway; nothing where there is none."""
        return (self.preset.gateway if self.options.gateway else None) or Gateway()

    def _mcp_arguments(self, place: AskingPlace | None) -> list[str]:
        if place is None or self.preset.mcp is None:
            return []
        return [_fill_in(word, _find_mcp(place)) for word in self.preset.mcp.arguments]

    def _mcp_environment(
        self, place: AskingPlace | None, known: Mapping[str, str]
    ) -> dict[str, str]:
        """What tells the agent of our server; beside what else the same variable says."""
        if place is None or self.preset.mcp is None:
            return {}
        words = self.preset.mcp.environment.items()
        return {
            name: merge_json(known.get(name, ""), _fill_in(text, _find_mcp(place)))
            for name, text in words
        }

    def _gateway_arguments(self) -> list[str]:
        return [self._fill_in_gateway(word) for word in self._gateway.arguments]

    def _gateway_environment(self, known: Mapping[str, str]) -> dict[str, str]:
        gateway = self._gateway
        own = {name: self._fill_in_gateway(text) for name, text in gateway.environment.items()}
        if gateway.key and not known.get(gateway.key):
            own[gateway.key] = _NO_KEY
        return own

    def _write_files(self, home: Path) -> None:
        """Files that the agent reads from an empty HOME; the operator's own is left as it is."""
        gateway = {name: self._fill_in_gateway(text) for name, text in self._gateway.files.items()}
        for name, text in {**self.preset.files, **gateway}.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")

    def _fill_in_gateway(self, text: str) -> str:
        values = {"{url}": self.options.gateway, "{model}": self.options.model}
        return _fill_in(text, values)


def _find_mcp(place: AskingPlace) -> Mapping[str, str]:
    """What the words of a preset name; the program always stands within a quotation."""
    program = json.dumps(str(place.mcp_program))[1:-1]
    return {"{program}": program, "{settings}": str(place.mcp_settings)}


def merge_json(first: str, second: str) -> str:
    """An object with the entries of two; the second text where the first is none."""
    try:
        known, more = json.loads(first), json.loads(second)
    except ValueError:
        return second
    if not isinstance(known, dict) or not isinstance(more, dict):
        return second
    return json.dumps(_merge(known, more))


def _merge(known: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    both = {
        name: _merge(known[name], more[name])
        for name in known.keys() & more.keys()
        if isinstance(known[name], dict) and isinstance(more[name], dict)
    }
    return known | more | both


def _fill_in(word: str, values: Mapping[str, str]) -> str:
    """The word with its placeholders filled in; what is filled in is not looked at again."""
    pieces, rest = [], word
    while rest:
        found = [(rest.find(name), name) for name in values if name in rest]
        if not found:
            break
        at, name = min(found)
        pieces += [rest[:at], values[name]]
        rest = rest[at + len(name) :]
    return "".join([*pieces, rest])
