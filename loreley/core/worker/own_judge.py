"""The evaluator of this worker, held against the experiment's before and after each job."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loreley.core.evaluation.fingerprint import Fingerprint, explain_other_judge
from loreley.core.jobs import Claim, JobRecord, JobStore
from loreley.errors import JobFailed, WorkerUnfit


@dataclass(frozen=True, slots=True)
class OwnJudge:
    """What commits are judged with here; ``take`` reads its files again where they changed."""

    take: Callable[[], Fingerprint]
    host: str

    @contextmanager
    def watch(self, claim: Claim, jobs: JobStore, record: JobRecord) -> Iterator[None]:
        """Note in the record who judges in here.

        Raises `WorkerUnfit` when it is not the experiment's judge, or changes meanwhile: whatever
        came of the work does not count then, be it a failure.
        """
        judge = self.take()
        if claim.judge_digest is not None and judge.digest != claim.judge_digest:
            wanted = jobs.find_judge()
            assert wanted is not None  # the claim has its digest
            raise explain_other_judge(WorkerUnfit, wanted, judge)
        if record.judge is not None and judge != record.judge:  # of what was judged before already
            raise explain_other_judge(WorkerUnfit, record.judge, judge)
        record.judge, record.host = judge, self.host
        try:
            yield
        except JobFailed:
            self.require(judge)
            raise
        self.require(judge)

    def require(self, before: Fingerprint) -> None:
        """Raise `WorkerUnfit` where the evaluator is another one by now."""
        after = self.take()
        if after != before:
            raise explain_other_judge(WorkerUnfit, before, after)
