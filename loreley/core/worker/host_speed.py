"""The root commit's figure on this host: hosts may differ in speed, and times with them."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from loguru import logger

from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.noise import list_fitness
from loreley.core.jobs import Claim, JobStore
from loreley.core.worker.repository import WorkerRepository
from loreley.errors import JobFailed
from loreley.host.backoff import retry_outages
from loreley.host.deadline import Deadline


@dataclass(slots=True)
class HostSpeed:
    """Has the root measured once on each host, unless its metric is exact."""

    host: str
    machine: str  # a note for people
    is_known: bool = False

    def measure(
        self,
        claim: Claim,
        jobs: JobStore,
        judge: Cascade,
        repository: WorkerRepository,
        deadline: Deadline,
    ) -> None:
        """Measure the root as at the start of a run, if this host has not done so yet."""
        if self.is_known:
            return
        if jobs.lacks_host(self.host):
            logger.info("measuring the root commit on this host: its metric is noisy")
            root = claim.root_commit
            lease = partial(repository.lease, root, f"{claim.name}-root", deadline)
            try:
                with ExitStack() as stack:
                    tree = retry_outages(lambda: stack.enter_context(lease()), deadline)
                    judged = judge.judge(tree, root, deadline, may_stop=False, is_root=True)
            except JobFailed as failure:
                logger.warning("the root commit has no figure on this host: {}", failure.summary)
            else:
                fitness = list_fitness(claim.objective, judged.evaluation.metrics)
                jobs.record_host(self.host, self.machine, fitness)
        self.is_known = True
