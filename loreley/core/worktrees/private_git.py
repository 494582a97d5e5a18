"""A git folder of an agent's own, in which it may do what it likes."""

import shutil
from pathlib import Path

_CONFIG = """[core]
\trepositoryformatversion = {version}
\tbare = false
\tworktree = {worktree}
\tlogallrefupdates = false
[user]
\tname = agent
\temail = agent@localhost
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""
_SHA256 = "[extensions]\n\tobjectformat = sha256\n"


def make_private_git(
    folder: Path, *, worktree: Path, commit: str, objects: Path, index: Path
) -> None:
    """Make a repository at ``folder`` in which ``commit`` is checked out in ``worktree``.

    It has no remote and no branch. Objects are borrowed from the folder ``objects`` and new ones
    stay here, so that nothing an agent does reaches the worker's clone.
    """
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
        (folder / name).mkdir(parents=True)
    sha256 = len(commit) == 64
    config = _CONFIG.format(version=1 if sha256 else 0, worktree=worktree)
    (folder / "config").write_text(config + (_SHA256 if sha256 else ""))
    (folder / "HEAD").write_text(f"{commit}\n")
    (folder / "objects" / "info" / "alternates").write_text(f"{objects}\n")
    shallow = objects.parent / "shallow"
    if shallow.is_file():
        shutil.copy(shallow, folder / "shallow")
    if index.is_file():
        shutil.copy2(index, folder / "index")
