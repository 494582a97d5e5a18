"""The repository that evolves."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from loreley.config.values import BranchName, Names, PathText, split_url
from loreley.errors import Problem
from loreley.masking import masked


class RepositorySettings(BaseModel):
    """The repository that evolves, and the worker's copies of it."""

    worker_repo_remote_url: SecretStr | None = Field(
        None, description="Git remote of the evolved repository: URL, scp-like name or path."
    )
    worker_repo_branch: BranchName = Field(
        "main", description="Branch whose head is the root of the evolution."
    )
    worker_repo_worktree: PathText | None = Field(
        None,
        min_length=1,
        description="The base clone. Jobs run in worktrees under `<this>-worktrees/`. "
        "Unset: a folder under `~/.cache/loreley/` for each remote and state folder.",
    )
    worker_repo_worktree_randomize: bool = Field(
        False,
        description="Give each worker process a base clone of its own, removed at a clean stop.",
    )
    worker_repo_worktree_random_suffix_len: int = Field(
        8, ge=1, le=32, description="Length of the random suffix of such a clone."
    )
    worker_repo_git_bin: str = Field("git", min_length=1, description="Git executable.")
    worker_repo_fetch_depth: int | None = Field(
        None,
        ge=1,
        description="Clone and fetch this many commits of history only; a commit that is missing "
        "is fetched when a job needs it. Unset: the whole history.",
    )
    worker_repo_clean_excludes: Names = Field(
        [],
        description="Patterns of ignored files that a reused worktree may keep, such as build "
        "caches (`git clean -e`). Kept files are visible to later jobs.",
    )
    worker_repo_job_branch_prefix: BranchName = Field(
        "evolution/job",
        description="Candidates are pushed as `<prefix>/<job>-<attempt>`.",
    )
    worker_repo_job_branch_ttl_hours: float = Field(
        0.02,
        ge=0,
        allow_inf_nan=False,
        description="The scheduler deletes a job's branches from the remote so long after the "
        "job's end, unless they hold an elite, a confirmed commit or a step to the best, as each "
        "push takes the longer the more branches there are; the patch stays in the database. "
        "0: kept for ever.",
    )
    worker_repo_enable_lfs: bool | None = Field(
        None,
        description="Fetch and push Git LFS objects. Unset: when the repository uses LFS.",
    )

    worker_repo_submodule_urls: Names = Field(
        [],
        description="Submodules are checked out from these remotes, and from those below them, "
        "such as `https://github.com/acme/`. Unset: they stay empty folders.",
    )

    @field_validator("worker_repo_remote_url")
    @classmethod
    def _remote_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "://" in value.get_secret_value():
            split_url(value.get_secret_value())
        return value

    @property
    def remote_target(self) -> str:
        """The git remote in words that may be shown: no credentials."""
        url = self.worker_repo_remote_url
        return masked(url.get_secret_value()) if url else ""

    def branch_problems(self) -> list[Problem]:
        """Branches that git cannot keep beside each other."""
        branch, prefix = self.worker_repo_branch, self.worker_repo_job_branch_prefix
        if not f"{prefix}/".startswith(f"{branch}/") and not branch.startswith(f"{prefix}/"):
            return []
        return [
            Problem(
                "the branch and the job branches are in each other's way",
                setting="WORKER_REPO_BRANCH, WORKER_REPO_JOB_BRANCH_PREFIX",
                reason=f"git cannot keep {branch!r} beside branches under {prefix + '/'!r}",
                fix="choose another WORKER_REPO_JOB_BRANCH_PREFIX",
            )
        ]
