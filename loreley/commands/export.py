"""What a run has found."""

from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from loreley.commands.options import Branch, Commit, Count, File, Share, number
from loreley.commands.project import Project
from loreley.ops.messages import failures_as_messages


@task(
    help={
        "diff": "print what it does otherwise than the root, as a patch; raw unless on a terminal",
        "parent": "with --diff: than its parent, instead of the root",
        "island": "the best of this island instead",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
        "json": "print everything as one JSON object",
    }
)
@failures_as_messages()
def best(
    c: Context,
    diff: bool = False,
    parent: bool = False,
    island: Count | None = None,
    commit: Commit | None = None,
    json: bool = False,
) -> None:
    """Show which commit is best, why, and by which steps it came."""
    from loreley.ops.results.best import print_best, print_diff
    from loreley.ops.results.selection import Selection

    settings, selection = Project.of(c).settings(), Selection.read(commit, island)
    if diff or parent:
        print_diff(settings, selection, with_parent=parent)
    else:
        print_best(settings, selection, as_json=json)


@task(
    help={
        "island": "the best of this island instead of the best of all",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
    }
)
@failures_as_messages()
def confirm(c: Context, island: Count | None = None, commit: Commit | None = None) -> None:
    """Measure the best commit beside the root, and by the hold-out.

    A run does so at its end; this is for a run that was stopped, or for another commit. What it
    shows is kept, as a run keeps it.
    """
    from loguru import logger

    from loreley.ops.results.confirm import confirm_commit
    from loreley.ops.results.selection import Selection

    logger.disable("loreley")
    for line in confirm_commit(Project.of(c).settings(), Selection.read(commit, island)):
        print(line, flush=True)


@task(
    help={
        "patch": "write one patch to this file, for `git am` and `git apply`; - is stdout",
        "branch": "push it to the remote as this branch",
        "squash": "with --branch: one commit on the root, instead of every step",
        "pull-request": "open a pull or merge request for the branch, by gh or glab",
        "force": "replace a file or branch that exists",
        "island": "the best of this island instead of the best of all",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
    }
)
@failures_as_messages()
def export(
    c: Context,
    patch: File | None = None,
    branch: Branch | None = None,
    squash: bool = False,
    pull_request: bool = False,
    force: bool = False,
    island: Count | None = None,
    commit: Commit | None = None,
) -> None:
    """Export the best commit as a patch, a branch or a pull request.

    The patch says in one mail what all steps from the root achieve together.
    """
    from loreley.ops.results.export import ExportOptions
    from loreley.ops.results.export import export as export_commit
    from loreley.ops.results.selection import Selection

    file = patch if patch in (None, "-") else str(Path(patch).absolute())
    settings = Project.of(c).settings()
    options = ExportOptions(file, branch, squash, pull_request, force)
    export_commit(settings, Selection.read(commit, island), options)


@task(
    help={
        "evaluations": "stop after so many; what was left out until then stays out",
        "keep": "which share of the gain over the root must stay",
        "split": "make a branch of each part that is better than the root by itself, too",
        "push": "push the result to the remote, instead of to branches of the base clone only",
        "patch": "write the result to this file, for `git am` and `git apply`",
        "force": "replace the patch file if it exists",
        "island": "the best of this island instead of the best of all",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
    }
)
@failures_as_messages()
def minimise(
    c: Context,
    evaluations: Count = "200",
    keep: Share = "1",
    split: bool = True,
    push: bool = False,
    patch: File | None = None,
    force: bool = False,
    island: Count | None = None,
    commit: Commit | None = None,
) -> None:
    """Leave out of the best commit what does not carry its gain.

    Parts of its difference are left out and the rest is evaluated as a worker does, until no
    single hunk is in vain. The result is one commit on the root, and one for each part of it that
    is better than the root by itself. Ctrl+C keeps what was found.
    """
    from loguru import logger

    from loreley.ops.results.minimise import MinimiseOptions
    from loreley.ops.results.minimise import minimise as minimise_commit
    from loreley.ops.results.selection import Selection

    logger.disable("loreley")  # it prints lines of progress of its own
    file = Path(patch).absolute() if patch else None
    most, share = number("evaluations", evaluations), number("keep", keep)
    options = MinimiseOptions(int(most), share, push, split, file, force)
    minimise_commit(Project.of(c).settings(), Selection.read(commit, island), options)
