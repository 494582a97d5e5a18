"""A folder becomes a project: settings, an evaluator, a remote of its own, a line for git."""

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loreley.config import is_configured
from loreley.envfile import read_env_file
from loreley.errors import ConfigError
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.host.tempdirs import temporary_folder
from loreley.invocation import typed
from loreley.ops.messages import say
from loreley.ops.output_file import output_file
from loreley.ops.setup.evaluator import WrittenEvaluator, write_evaluator
from loreley.ops.setup.wishes import Wishes, ask

_EVALUATORS = "evaluators"
_MODULE = "measure"
_IGNORED = ("/.env", "/.loreley/", "/logs/")
_BARE = Path(".loreley", "repository.git")
_ITS_SETTINGS = (
    "WORKER_REPO_REMOTE_URL",
    "WORKER_EVALUATOR_PLUGIN",
    "WORKER_EVALUATOR_COMMAND",
    "MAPELITES_FITNESS_METRIC",
)


@dataclass(frozen=True, slots=True)
class _Source:
    """The repository that is to be evolved, and where the evolution begins."""

    remote: Remote
    branch: str
    commit: str


def set_up(root: Path, wishes: Wishes, every_setting: Path) -> None:
    """Ask what is not said, and write what a run needs into the folder ``root``.

    ``every_setting`` is the file that `.env` names for all the rest.

    Raises `LoreleyError`, before anything is written, where the folder is set up already, where
    there is nothing to evolve, or where the commands do not work.
    """
    _require_not_set_up(root)
    remote = Remote.parse(wishes.repository)
    source = _find_local(remote) if remote.is_folder else _find_remote(remote)
    wishes = ask(wishes)
    wishes.check()
    say(f"init: evolution begins at {source.commit[:12]} of {source.branch}, {remote}")
    with _check_out(source) as checkout:
        evaluator = write_evaluator(wishes, checkout)
    url = _make_clone(root, source) if remote.is_folder else wishes.repository
    module = root / _EVALUATORS / f"{_MODULE}.py"
    module.parent.mkdir(exist_ok=True)
    with output_file(module) as file:
        file.write(evaluator.text.encode())
    say(f"init: wrote {module}, the evaluator, which is yours to change")
    values = _settings(wishes, evaluator, url, source.branch)
    lines = [f"{name}={_quoted(value)}\n" for name, value in values.items()]
    _add_lines(root / ".env", [f"# Of Loreley; {every_setting} tells every setting.\n", *lines])
    if Git().ask("rev-parse", "--is-inside-work-tree", cwd=root).stdout.strip() == b"true":
        _ignore(root / ".gitignore")


def _require_not_set_up(root: Path) -> None:
    in_file = read_env_file(root / ".env").values()
    set_already = [name for name in _ITS_SETTINGS if in_file.get(name) or is_configured(name)]
    module = root / _EVALUATORS / f"{_MODULE}.py"
    if set_already:
        raise ConfigError(
            "a repository is configured here already",
            setting=", ".join(set_already),
            target=str(root / ".env"),
            fix=f"go on with `{typed('doctor')}` and `{typed('evolve')}`, or remove these first",
        )
    if module.exists():
        raise ConfigError(
            "there is an evaluator already", target=str(module), fix="move it away, or remove it"
        )


def _find_local(remote: Remote) -> _Source:
    git, folder = Git(), Path(remote.url)
    if git.ask("rev-parse", "--git-dir", cwd=folder).exit_code != 0:
        raise ConfigError(
            "there is no git repository to evolve",
            setting="--repository",
            target=str(folder),
            fix="type it in the repository of your program, or begin one: git init, git add, "
            "git commit",
        )
    branch = git.ask("symbolic-ref", "--short", "HEAD", cwd=folder)
    commit = git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}", cwd=folder)
    if commit.exit_code != 0:
        raise ConfigError("the repository has no commit", target=str(folder), fix="commit first")
    if branch.exit_code != 0:
        raise ConfigError(
            "no branch is checked out", target=str(folder), fix="git switch to a branch"
        )
    changed = git.ask("status", "--porcelain", cwd=folder).stdout.splitlines()
    if changed:
        say(
            f"warning: {len(changed)} files are changed or new and not committed: they take no part"
        )
    top = git.ask("rev-parse", "--show-toplevel", cwd=folder)
    if top.exit_code == 0:  # else it is a bare repository
        remote = Remote.parse(os.fsdecode(top.stdout.rstrip(b"\n")))
    return _Source(remote, branch.stdout.decode().strip(), commit.stdout.decode().strip())


def _find_remote(remote: Remote) -> _Source:
    """The branch that the remote names as its own."""
    answer = Git().run("ls-remote", "--symref", "--", remote.url, "HEAD", remote=remote)
    rows = [line.split() for line in answer.decode().splitlines()]
    branches = [row[1].removeprefix("refs/heads/") for row in rows if row[0] == "ref:"]
    commits = [row[0] for row in rows if row[0] != "ref:"]
    if not branches or not commits:
        raise ConfigError("the remote has no commit yet", target=str(remote), fix="push one first")
    return _Source(remote, branches[0], commits[0])


@contextmanager
def _check_out(source: _Source) -> Iterator[Path]:
    """A fresh checkout of the commit, without anything that is not committed."""
    with temporary_folder() as folder:
        checkout = folder / "checkout"
        options = ("--quiet", "--no-local", "--depth=1", f"--branch={source.branch}")
        where = ("--", source.remote.url, str(checkout))
        Git().run("clone", *options, *where, remote=source.remote)
        yield checkout


def _make_clone(root: Path, source: _Source) -> str:
    """A bare clone in the state folder: candidates are branches there, not of the user's own."""
    bare, url = root / _BARE, source.remote.url
    if bare.exists():
        refspec = f"+refs/heads/{source.branch}:refs/heads/{source.branch}"
        Git().run("fetch", "--quiet", "--", url, refspec, cwd=bare)
        return str(_BARE)
    bare.parent.mkdir(parents=True, exist_ok=True)
    unfinished = bare.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ("--quiet", "--bare", "--no-local", "--single-branch", f"--branch={source.branch}")
    Git().run("clone", *options, "--", url, str(unfinished), remote=source.remote)
    unfinished.rename(bare)
    say(f"init: made {bare}: candidates are branches there, and none of your repository")
    return str(_BARE)


def _settings(
    wishes: Wishes, evaluator: WrittenEvaluator, remote: str, branch: str
) -> dict[str, str]:
    values = {
        "WORKER_REPO_REMOTE_URL": remote,
        "WORKER_REPO_BRANCH": "" if branch == "main" else branch,
        "WORKER_EVALUATOR_PLUGIN": f"{_MODULE}:evaluate",
        "WORKER_EVALUATOR_PYTHON_PATHS": _EVALUATORS,
        "WORKER_EVALUATOR_TIMEOUT_SECONDS": evaluator.timeout_seconds,
        "MAPELITES_FITNESS_METRIC": wishes.metric,
        "WORKER_EVOLUTION_GLOBAL_GOAL": wishes.goal,
        "WORKER_AGENT": wishes.agent,
        "WORKER_GATE_EDITABLE_PATHS": wishes.editable,
    }
    return {name: value for name, value in values.items() if value}


def _quoted(value: str) -> str:
    plain = shlex.quote(value) == value
    return value if plain else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _ignore(path: Path) -> None:
    there = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    _add_lines(path, [f"{line}\n" for line in _IGNORED if line not in there])


def _add_lines(path: Path, lines: list[str]) -> None:
    """Write lines below what the file has."""
    if not lines:
        return
    before = path.read_bytes() if path.exists() else b""
    gap = b"\n" if before and not before.endswith(b"\n") else b""
    with output_file(path, force=True) as file:
        file.write(before + gap + "".join(lines).encode())
    say(f"init: {'added to' if before else 'wrote'} {path}")
