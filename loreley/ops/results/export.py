"""`invoke export`: a commit of the run as a patch, a branch on the remote, or a pull request."""

import sys
from dataclasses import dataclass
from pathlib import Path

from loreley.config import Settings
from loreley.core.worker.repository import commit_author
from loreley.errors import ConfigError, LoreleyError
from loreley.git.commits import open_scratch, write_commit
from loreley.git.failures import GitCommandFailed
from loreley.git.git import Git
from loreley.git.objects import ObjectStore
from loreley.git.patch_mail import write_mail
from loreley.git.remote import Remote
from loreley.ops.messages import say
from loreley.ops.output_file import output_file
from loreley.ops.results.best import read_selected
from loreley.ops.results.commit_message import write_message
from loreley.ops.results.commit_source import open_objects
from loreley.ops.results.pull_request import Forge
from loreley.ops.results.selection import Selection
from loreley.views.lineage import Lineage

_STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is made of the chosen commit, and whether it may take the place of another."""

    patch: str | None = None  # an absolute path, or - for standard output
    branch: str | None = None
    squash: bool = False  # the branch: one commit on the root, instead of every step
    pull_request: bool = False  # for the branch, which has a name of its own without one
    force: bool = False


def export(settings: Settings, selection: Selection, options: ExportOptions) -> None:
    """Write the patch, push the branch, and say how to go on; raises `LoreleyError`."""
    if options.patch is None and options.branch is None and not options.pull_request:
        raise ConfigError(
            "nothing is asked for",
            setting="--patch, --branch, --pull-request",
            fix="give --patch FILE, --branch NAME or --pull-request, or several of them",
        )
    if options.branch is not None:
        _require_free_name(settings, options.branch)
    forge = Forge.of(_parse_remote(settings)) if options.pull_request else None
    lineage = read_selected(settings, selection)
    if len(lineage.steps) == 1:
        raise LoreleyError(
            "the root commit differs from itself by nothing",
            target=lineage.last.commit,
            fix="wait until the evolution has found something fitter, or name a --commit",
        )
    with open_objects(settings, [lineage.root_commit, lineage.last.commit]) as store:
        if options.patch is not None:
            _write_patch(settings, lineage, store, options.patch, force=options.force)
        if options.branch is not None or forge is not None:
            branch = options.branch or f"evolved-{lineage.last.commit[:12]}"
            _push(settings, lineage, store, branch, options)
    if forge is not None:
        said = forge.open_request(branch, settings.worker_repo_branch, write_message(lineage))
        say(f"request   {said}")


def push_branch(
    settings: Settings, store: ObjectStore, commit: str, branch: str, *, force: bool
) -> None:
    """Make the remote's ``branch`` hold ``commit``.

    Raises `LoreleyError` when it holds another one and that is not to be replaced.
    """
    remote = _parse_remote(settings)
    lease = "--force" if force else f"--force-with-lease=refs/heads/{branch}:"
    try:
        store.run(
            *("push", "--porcelain", "--no-verify", "--no-follow-tags", lease, "--", remote.url),
            f"{commit}:refs/heads/{branch}",
            remote=remote,
        )
    except GitCommandFailed as error:
        if "(stale info)" not in error.stdout:
            raise
        raise LoreleyError(
            "the branch exists and holds another commit",
            target=f"{branch} at {settings.remote_target}",
            fix="choose another name, or replace it by --force",
        ) from error


def _write_patch(
    settings: Settings, lineage: Lineage, store: ObjectStore, target: str, *, force: bool
) -> None:
    commits = lineage.root_commit, lineage.last.commit
    message, author = write_message(lineage), commit_author(settings)
    if target == _STANDARD_OUTPUT:
        write_mail(store, *commits, message=message, author=author, output=sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    with output_file(path, force=force) as output:
        has_returns = write_mail(store, *commits, message=message, author=author, output=output)
    say(f"wrote     {path} ({path.stat().st_size:,} bytes): {message.subject}")
    say(f"apply it  git am {'--keep-cr ' if has_returns else ''}{path}, or git apply")


def _push(
    settings: Settings, lineage: Lineage, store: ObjectStore, branch: str, options: ExportOptions
) -> None:
    with open_scratch(store) as scratch:
        commit = lineage.last.commit
        if options.squash:
            tree = store.facts(commit).tree
            root = store.facts(lineage.root_commit)
            author = commit_author(settings)
            commit = write_commit(scratch, tree, root, write_message(lineage), author)
        push_branch(settings, scratch, commit, branch, force=options.force)
    say(f"pushed    {commit[:12]} as {branch} to {settings.remote_target}")
    say(f"fetch it  git fetch {settings.remote_target} {branch}")


def _parse_remote(settings: Settings) -> Remote:
    url = settings.worker_repo_remote_url
    if url is None:
        raise ConfigError("no remote is set", setting="WORKER_REPO_REMOTE_URL", fix="set it")
    return Remote.parse(url.get_secret_value())


def _require_free_name(settings: Settings, branch: str) -> None:
    """Raise `ConfigError` for a name that git refuses, or that the evolution itself needs."""
    reason = ""
    if branch == settings.worker_repo_branch:
        reason = "the evolution began from it; merge the export when you have looked at it"
    elif f"{branch}/".startswith(f"{settings.worker_repo_job_branch_prefix}/"):
        reason = "branches there belong to jobs, and are deleted when they are old"
    elif not _is_name(settings, branch):
        reason = "git allows no such name"
    if reason:
        raise ConfigError(
            "the branch cannot be written",
            setting=f"--branch {branch}",
            reason=reason,
            fix="choose another name, such as evolved",
        )


def _is_name(settings: Settings, branch: str) -> bool:
    answer = Git(settings.worker_repo_git_bin).ask("check-ref-format", f"refs/heads/{branch}")
    return answer.exit_code == 0 and not branch.startswith("-")
