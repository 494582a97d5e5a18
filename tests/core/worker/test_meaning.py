"""What means the same as a judged tree is known before it is evaluated: real git."""

from collections.abc import Callable
from typing import Any

import pytest

from loreley.core.jobs import Claim, FailedTry, JobKind, JobRecord
from loreley.core.worker.earlier_jobs import EarlierJobs, read_meaning
from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import CandidateRejected, EvaluationFailed, TimeLimitReached
from tests.core.worker.upstream import Upstream, soon
from tests.db.support import claimed, judged_commit

SOURCE = "def pack(count):\n    total = 0\n    total += count\n    return total\n"
Read = Callable[..., str]


@pytest.fixture
def read(upstream: Upstream, repository: WorkerRepository) -> Read:
    """The meaning of the usual upstream's root with these files written."""
    root = upstream.commit({"src/sum.py": SOURCE})
    number = 0

    def read(**files: str) -> str:
        nonlocal number
        number += 1
        with repository.lease(root, f"job-{number}", soon()) as worktree:
            for path, text in {PATHS[name]: text for name, text in files.items()}.items():
                (worktree.path / path).write_text(text)
            tree = worktree.tree_as_it_is()
            assert tree is not None
            return read_meaning(worktree, root, tree)

    return read


PATHS = {"sum": "src/sum.py", "pack": "src/pack.py", "readme": "README.md", "new": "src/new.py"}
LARGER = SOURCE.replace("0", "1")


def test_what_has_no_effect_leaves_the_root_as_it_is(read: Read) -> None:
    assert read() == ""
    assert read(sum=f"# more\n{SOURCE.replace('total', 'result')}") == ""


def test_changes_are_told_apart_by_what_they_do_and_where(read: Read) -> None:
    once = read(sum=LARGER)

    assert once == read(sum=LARGER.replace("\n", "\n\n"))
    assert once == read(sum=LARGER, pack="radius = 1.0  # as ever\ncount = 26\n")
    assert len({once, read(pack=LARGER), read(sum=LARGER, pack="radius = 2.0\n"), ""}) == 4


def test_texts_and_new_files_are_known_by_their_bytes(read: Read) -> None:
    assert len({read(readme="Circles \n"), read(readme="Circles  \n"), ""}) == 3
    assert len({read(new=""), read(new="# one\n"), ""}) == 3


@pytest.fixture
def claims(database: Database, upstream: Upstream) -> tuple[Claim, Claim]:
    """Two jobs that run."""
    schedule = Schedule(database)
    root = upstream.head()
    schedule.begin_experiment(Experiment(root, {}))
    made = [schedule.create(NewJob(JobKind.EVOLUTION, number, 7, root)) for number in range(2)]
    return claimed(database, made[0]), claimed(database, made[1])


def write(worktree: Worktree, text: str) -> str:
    """Let the worktree hold this; its tree."""
    (worktree.path / "src/pack.py").write_text(text)
    tree = worktree.tree_as_it_is()
    assert tree is not None
    return tree


def test_a_job_is_told_that_another_judges_the_same_but_for_a_comment(
    database: Database, repository: WorkerRepository, claims: tuple[Claim, Claim]
) -> None:
    store, (first, second) = Jobs(database), claims

    def earlier(claim: Claim, worktree: Any, *, reads: bool = True) -> EarlierJobs:
        return EarlierJobs(claim, store, worktree, reads)

    with repository.lease(first.root_commit, "first", soon()) as worktree:
        tree = write(worktree, "radius = 2.0\ncount = 26\n")
        earlier(first, worktree).announce(tree)
        assert not earlier(first, worktree).is_known()  # it is its own
    with repository.lease(first.root_commit, "second", soon()) as worktree:
        tree = write(worktree, "radius = 2.0  # more\ncount = 26\n")
        assert earlier(second, worktree).is_known()
        assert not earlier(second, worktree, reads=False).is_known()
        with pytest.raises(CandidateRejected, match="but for blanks, comments or local names"):
            earlier(second, worktree).announce(tree)
        tree = write(worktree, "radius = 1.0  # as at the root\ncount = 26\n")
        with pytest.raises(CandidateRejected, match="the same tree"):
            earlier(second, worktree).announce(tree)


def give_up(store: Jobs, claim: Claim) -> None:
    store.fail(claim, EvaluationFailed("a test fails"), JobRecord())


def go_on(store: Jobs, claim: Claim) -> None:
    store.add_failed_try(claim, FailedTry(1, None, None, "a test fails", 1.0), JobRecord())


def succeed(store: Jobs, claim: Claim) -> None:
    store.succeed(claim, judged_commit(), JobRecord())


@pytest.mark.parametrize("end", [give_up, go_on, succeed])
def test_what_was_judged_is_known_in_other_words(
    database: Database, claims: tuple[Claim, Claim], end: Callable[[Jobs, Claim], None]
) -> None:
    store, (first, second) = Jobs(database), claims
    store.announce(first, "e" * 40, "f" * 64)

    end(store, first)

    assert store.is_tree_known(second, "d" * 40, "f" * 64)
    assert not store.is_tree_known(second, "d" * 40, "a" * 64)
    assert not store.is_tree_known(second, "d" * 40)


def test_what_ran_out_of_time_may_be_judged_in_other_words(
    database: Database, claims: tuple[Claim, Claim]
) -> None:
    store, (first, second) = Jobs(database), claims
    store.announce(first, "e" * 40, "f" * 64)
    store.fail(first, TimeLimitReached("too long"), JobRecord())

    assert not store.is_tree_known(second, "d" * 40, "f" * 64)


def test_a_job_is_known_to_itself_by_what_it_tried_before(
    database: Database, claims: tuple[Claim, Claim]
) -> None:
    store, (first, _) = Jobs(database), claims
    store.announce(first, "e" * 40, "f" * 64)
    assert not store.is_tree_known(first, "d" * 40, "f" * 64)

    go_on(store, first)

    assert store.is_tree_known(first, "d" * 40, "f" * 64)
