"""One job under way: what is done in its worktree, and how its end is recorded."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from loguru import logger

from loreley.core.agents.protocol import Agent, Proposal
from loreley.core.agents.router import Router, choose_agent
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Artifact, Evaluation, require_directions
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.findings import take_findings
from loreley.core.jobs import (
    Claim,
    CountEnd,
    FailedTry,
    Hindrance,
    JobKind,
    JobRecord,
    JobStore,
    JudgedCommit,
    ignore_end,
)
from loreley.core.sandbox.child_output import legible
from loreley.core.tuning.number_tuning import NumberTuning, TuneOptions
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.code_descriptor import EMBEDDING, Describer, DescribeRequest
from loreley.core.worker.confirming import ConfirmationOptions, Finalists
from loreley.core.worker.delivery import deliver
from loreley.core.worker.drawing_anew import DrawingAnew
from loreley.core.worker.earlier_jobs import EarlierJobs
from loreley.core.worker.host_speed import HostSpeed
from loreley.core.worker.own_judge import OwnJudge
from loreley.core.worker.repository import Candidate, WorkerRepository, Worktree
from loreley.core.worker.suspicion import Suspicion, find_host_trouble
from loreley.core.worker.trials.job_trials import JobTrials
from loreley.core.worker.trials.winner import describe_winner
from loreley.errors import (
    CandidateRejected,
    CommitGone,
    EvaluationFailed,
    HostTrouble,
    JobFailed,
    JobInterrupted,
    JobLost,
    LoreleyError,
    ProviderRefused,
    ProviderUnavailable,
    ServiceUnavailable,
    TimeLimitReached,
    WorkerUnfit,
)
from loreley.host.backoff import retry_outages
from loreley.host.deadline import Deadline
from loreley.host.failpoints import Failpoint, hit
from loreley.logs import JobLog
from loreley.map_elites.descriptor import pack, unpack

_PATCH_BYTES = 256 * 1024
_DELIVERY_SECONDS = 30.0  # of a job's time, kept back for what follows on its agent's work
# How an agent may end whose judged states are kept: it is cut off, or its last state is no good.
_LEAVES_WHAT_WAS_JUDGED = (JobFailed, ProviderRefused, ProviderUnavailable)
_REMOTE_SECONDS = 30.0  # for which a job is held before its checkout while the remote is away


def do_nothing() -> None:
    """For where there is nothing to take over."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What holds for every job of a worker."""

    worker: str  # how the worker is called in the database
    lease_seconds: float
    time_limit_seconds: float  # zero or less: none
    branch_prefix: str
    agent_timeout_seconds: float
    briefing: Briefing
    confirmation: ConfirmationOptions = field(default_factory=ConfirmationOptions)
    own_judge: OwnJudge | None = None  # None: nobody asks who has judged
    host_speed: HostSpeed | None = None  # None: nobody asks how fast the host is
    tuning: TuneOptions = field(default_factory=TuneOptions)
    describer: Describer | None = None  # None: the archive needs no code descriptor
    drawing_anew: DrawingAnew = field(default_factory=DrawingAnew)
    trials: int = 0  # evaluations that an agent may ask for while it is at work
    session_seconds: float = 0.0  # that it may work in a session; 0: as long as in other jobs
    count_end: CountEnd = ignore_end
    renew: Callable[[], None] = do_nothing  # takes over credentials that were changed meanwhile


@dataclass(slots=True)
class JobRun:
    """One attempt at a job; ``record`` fills on the way and is kept however it ends."""

    claim: Claim
    deadline: Deadline
    jobs: JobStore
    agent: Agent | Router
    judge: Cascade
    options: JobOptions
    record: JobRecord = field(default_factory=JobRecord)
    began: float = field(default_factory=time.monotonic)
    suspicion: Suspicion = field(default_factory=lambda: Suspicion(do_nothing))
    hindrance: Hindrance | None = None  # why the job was given back, if it was
    folder: Path | None = None  # of the worktrees, once there was one
    repository: WorkerRepository | None = None  # whose worktree it has, once it has one
    judged: JudgedCommit | None = None  # not recorded yet, so that it is not done again
    ignored: tuple[str, ...] = ()  # files that the agent added and git ignores
    failed: list[FailedTry] = field(default_factory=list)  # candidates before the present one
    ordinary_seconds: float = 0.0  # that the judgement of the base commit took
    costs_nothing: bool = False  # what the agent proposes
    log: JobLog = field(default_factory=JobLog)

    @contextmanager
    def lease(self, repository: WorkerRepository) -> Iterator[Worktree]:
        """A worktree of the job's base commit, gone afterwards."""
        claim = self.claim
        commit = self.judged.commit if self.judged else claim.base_commit
        lease = partial(repository.lease, commit, claim.name, self.deadline)
        with ExitStack() as stack:
            with self._timed("checkout"):
                within = self.deadline.within(_REMOTE_SECONDS)
                worktree = retry_outages(lambda: stack.enter_context(lease()), within)
            self.folder, self.repository = worktree.path.parent, repository
            hit(Failpoint.LEASED)
            try:
                yield worktree
            except JobFailed as failure:
                if worktree.is_there:
                    raise
                raise HostTrouble(
                    "somebody has deleted the worktree of a job that was under way",
                    target=str(worktree.path),
                    reason=failure.summary,
                    fix="leave the folders beside the base clone alone: Loreley removes them",
                ) from failure

    def watch_judge(self) -> AbstractContextManager[None]:
        """What is done in here counts only for the experiment's judge, unchanged to the end."""
        if self.options.own_judge is None:
            return nullcontext()
        return self.options.own_judge.watch(self.claim, self.jobs, self.record)

    def measure_host(self, repository: WorkerRepository) -> None:
        """Know how fast this host is before the first candidate, where that shows in figures."""
        speed = self.options.host_speed
        if speed is not None and self.claim.kind.changes_base:
            speed.measure(self.claim, self.jobs, self.judge, repository, self.deadline)

    def judge_commit(self, worktree: Worktree) -> JudgedCommit:
        """The job's commit with its evaluation, pushed if it is a new one.

        Raises `JobFailed` of a kind that says what went wrong.
        """
        known = self.jobs.find_judged([self.claim.base_commit, *self.claim.inspirations])
        parent = next((each for each in known if each.commit == self.claim.base_commit), None)
        self.ordinary_seconds = parent.evaluation.seconds if parent else 0.0
        if not self.claim.kind.changes_base:
            candidate, proposal = worktree.base(), Proposal("the root commit")
            return self._judge_candidate(worktree, candidate, proposal, parent)
        with self._open_trials(worktree) as trials:
            self.judged = self._search(worktree, known, parent, trials)
        return self.deliver(worktree)

    def _search(
        self,
        worktree: Worktree,
        known: list[JudgedCommit],
        parent: JudgedCommit | None,
        trials: JobTrials | None,
    ) -> JudgedCommit:
        """A candidate with its evaluation: of several states that were judged the best."""
        proposal: Proposal | None = None
        found: Proposal | LoreleyError
        try:
            candidate, proposal = self._propose(worktree, known, trials)
            if trials is None or trials.winner is None:
                return self._judge_candidate(worktree, candidate, proposal, parent)
            with self._timed("evaluation"):
                trials.judge_last(candidate)
        except _LEAVES_WHAT_WAS_JUDGED as failure:
            if trials is None or trials.winner is None:
                raise
            logger.warning("the best of its trials is taken: {}", failure.summary)
            found = proposal or failure
        else:
            found = proposal
        return self._take_winner(worktree, trials, found, parent)

    def _judge_candidate(
        self,
        worktree: Worktree,
        candidate: Candidate,
        proposal: Proposal,
        parent: JudgedCommit | None,
        judgement: Judgement | None = None,
    ) -> JudgedCommit:
        """The candidate, which is checked out, with all that is recorded of it."""
        size = worktree.measure(self.claim.root_commit)
        vector = self._describe(worktree, parent)
        if judgement is None:
            evaluation = self.evaluate(worktree, candidate.commit)
        else:
            evaluation = self._keep_judgement(judgement)
        return JudgedCommit(
            commit=candidate.commit,
            tree=candidate.tree,
            parent=self.claim.base_commit if self.claim.kind.changes_base else None,
            branch=None,
            subject=proposal.subject,
            footprint=asdict(size),
            evaluation=evaluation,
            vector=vector,
        )

    def _take_winner(
        self,
        worktree: Worktree,
        trials: JobTrials,
        found: Proposal | LoreleyError,
        parent: JudgedCommit | None,
    ) -> JudgedCommit:
        """The best state that was judged, as the candidate; ``found`` is how the agent ended."""
        winner = trials.winner
        assert winner is not None
        worktree.adopt(winner.candidate, self.deadline)
        patch = self._keep_patch(worktree)
        proposal = self.options.briefing.without_secrets(
            describe_winner(found, patch, self.record.agent or "", self.record.trials)
        )
        candidate = worktree.reword(
            winner.candidate, proposal.subject, proposal.summary, self.deadline
        )
        worktree.adopt(candidate, self.deadline)
        self._earlier_jobs(worktree).announce(candidate.tree)
        self.record.subject, self.ignored = proposal.subject, ()
        trials.uncount(winner)
        return self._judge_candidate(worktree, candidate, proposal, parent, winner.judgement)

    def _open_trials(self, worktree: Worktree) -> AbstractContextManager[JobTrials | None]:
        """What the agent may measure with; None where it may not."""
        options, repository = self.options, self.repository
        if not options.trials or repository is None or self.claim.kind is JobKind.TUNE:
            return nullcontext()
        return JobTrials(
            claim=self.claim,
            jobs=self.jobs,
            judge=self.judge,
            repository=repository,
            worktree=worktree,
            gates=options.briefing.gates,
            secrets=options.briefing.secrets,
            record=self.record,
            suspicion=self.suspicion,
            deadline=self.deadline,
            allowance=self._count_trials_allowed(),
            require_judge=self._require_judge,
        ).open()

    def _require_judge(self) -> None:
        """Raise `WorkerUnfit` where the evaluator is another one than when the job began."""
        if self.options.own_judge is not None and self.record.judge is not None:
            self.options.own_judge.require(self.record.judge)

    def _count_trials_allowed(self) -> int:
        """The evaluations that the agent may ask for: in a session more, as it takes longer."""
        options = self.options
        if self.claim.kind is not JobKind.SESSION:
            return options.trials
        longer = max(1.0, options.session_seconds / options.agent_timeout_seconds)
        return round(options.trials * longer)

    def draw_anew_after(self, failure: EvaluationFailed) -> None:
        """Record a candidate that was judged in vain, so that another one is drawn.

        Raises the failure where the job ends with it: where another one would cost money, more
        time than failures may or the job has, and where the host is at fault.
        """
        if not self._may_draw_anew() or find_host_trouble(failure, self.folder):
            raise failure
        self._keep_failure_log(failure)
        record, number = self.record, len(self.failed) + 1
        earlier_seconds = sum(each.seconds for each in self.failed)
        seconds = time.monotonic() - self.began - earlier_seconds
        self.failed.append(
            FailedTry(number, record.operator, record.subject, failure.summary, seconds)
        )
        self.jobs.add_failed_try(self.claim, self.failed[-1], record)
        hit(Failpoint.TRIED)
        logger.info("failed, and another is drawn: {}", failure.summary)
        record.begin_anew(number)
        self.costs_nothing, self.ignored = False, ()

    def _may_draw_anew(self) -> bool:
        remaining_seconds = self.deadline.remaining_seconds
        has_time = remaining_seconds > time.monotonic() - self.began + self.ordinary_seconds
        return (
            self.costs_nothing
            and has_time
            and self.options.drawing_anew.allows(
                tries=len(self.failed) + 1,
                failed_seconds=self.record.stage_seconds["evaluation"],
                ordinary_seconds=self.ordinary_seconds,
            )
        )

    def deliver(self, worktree: Worktree) -> JudgedCommit:
        """The judged commit, once it is on the remote; tried until the job's time is over."""
        assert self.judged is not None
        return replace(self.judged, branch=self._push(worktree))

    def evaluate(self, worktree: Worktree, commit: str) -> Evaluation:
        """What the evaluator says of the checked-out commit; raises `JobFailed`."""
        with self._timed("evaluation"):
            try:
                judgement = self.judge.judge(
                    worktree,
                    commit,
                    self.deadline,
                    may_stop=self.claim.kind is not JobKind.MEASUREMENT,
                    is_root=self.claim.kind is JobKind.BASELINE,
                )
            except EvaluationFailed as failure:
                self.suspicion.look_into(failure)
                raise
        self.suspicion.clear()
        return self._keep_judgement(judgement)

    def _keep_judgement(self, judgement: Judgement) -> Evaluation:
        self._keep("evaluation.log", judgement.log)
        self.record.artifacts.extend(judgement.artifacts)
        require_directions(judgement.evaluation, self.claim.directions)
        hit(Failpoint.EVALUATED)
        return judgement.evaluation

    def confirm(self, repository: WorkerRepository) -> None:
        """Record whether the base commit is better than the root, and what the hold-out says.

        Raises `WorkerUnfit` as `watch_judge` does.
        """
        finalists = Finalists(
            self.claim, self.jobs, self.judge, self.options.confirmation, self.deadline
        )
        with self.watch_judge(), self._timed("evaluation"):
            confirmation, holdout = finalists.confirm(repository)
        self._keep_log()
        self.jobs.confirm(self.claim, confirmation, holdout, self.record)
        hit(Failpoint.RECORDED)
        self._count_end("succeeded")

    def succeed(self, result: JudgedCommit | Evaluation) -> None:
        """Record the judged commit, or the further measurement of the base commit."""
        self._keep_log()
        if isinstance(result, Evaluation):
            evaluation, commit = result, self.claim.base_commit
            self.jobs.add_measurement(self.claim, evaluation, self.record)
        else:
            evaluation, commit = result.evaluation, result.commit
            self.jobs.succeed(self.claim, result, self.record)
        hit(Failpoint.RECORDED)
        seconds = self._count_end("succeeded")
        figures = _format_metrics(evaluation)
        logger.info("succeeded in {:.1f} s: {} {}", seconds, commit[:12], figures)

    @contextmanager
    def record_failure(self) -> Iterator[None]:
        """Record what ends the work in here early; raises `JobLost` when the job is not ours.

        Only a `JobFailed` is the candidate's or its agent's fault; else the job is given back.
        Raises `WorkerUnfit` on, once the job is given back.
        """
        try:
            yield
        except JobFailed as failure:
            trouble = find_host_trouble(failure, self.folder)
            self._give_back(trouble) if trouble else self._fail(failure)
        except JobInterrupted as interruption:
            logger.warning("back to the queue: {}", interruption.summary)
            self._release(counts=False)
        except WorkerUnfit as flaw:
            logger.error("back to the queue, as this worker is unfit: {}", flaw.summary)
            with suppress(JobLost, ServiceUnavailable):  # the lease then sees to it
                self._release(counts=False)
            raise
        except JobLost:
            raise
        except LoreleyError as error:
            self._give_back(error)
        except OSError as error:
            self._give_back(HostTrouble.of(error))
        except Exception as error:  # noqa: BLE001 - the actor's border: our own failure, recorded
            logger.opt(exception=error).error("the job met a defect of Loreley's own")
            self._give_back(_defect(error))
        except BaseException as interrupt:
            # The second net: Dramatiq's time limit interrupts a thread wherever it is.
            reason = type(interrupt).__name__
            self._fail(TimeLimitReached("cut off at the time limit", reason=reason))
            raise

    def _propose(
        self, worktree: Worktree, known: list[JudgedCommit], trials: JobTrials | None
    ) -> tuple[Candidate, Proposal]:
        """A candidate that has passed every gate, with what its agent says of it."""
        briefing = self.options.briefing
        if self.claim.kind is JobKind.TUNE:
            proposal = self._tune(worktree)
        else:
            agent = choose_agent(self.agent, self.claim)
            proposal = self._ask(agent, worktree, known, trials)
        try:
            with self._timed("commit"):
                candidate = worktree.commit_all(proposal.subject, proposal.summary, self.deadline)
        finally:  # what was refused is looked at too
            self._keep_patch(worktree)
        hit(Failpoint.COMMITTED)
        self.ignored = candidate.ignored
        briefing.gates.check(worktree, candidate.commit)
        if trials is not None:
            trials.require_not_failed(candidate.tree)
        self._earlier_jobs(worktree).announce(candidate.tree)
        return candidate, proposal

    def _keep_patch(self, worktree: Worktree) -> str:
        patch = self.options.briefing.secrets.hide_in(worktree.patch(_PATCH_BYTES))
        self._keep("patch.diff", patch, "text/x-diff")
        return patch

    def _earlier_jobs(self, worktree: Worktree) -> EarlierJobs:
        reads_meaning = self.options.briefing.gates.meaning
        return EarlierJobs(self.claim, self.jobs, worktree, reads_meaning)

    def _ask(
        self,
        agent: Agent,
        worktree: Worktree,
        known: list[JudgedCommit],
        trials: JobTrials | None,
    ) -> Proposal:
        """What the agent proposes, having changed the worktree; recorded even when it fails."""
        briefing, record = self.options.briefing, self.record
        record.agent = agent.name
        began = time.monotonic()
        try:
            proposal = self._ask_with_what_is_there(agent, worktree, known, trials)
        except LoreleyError as failure:  # it holds what the agent has printed
            briefing.hide_secrets(failure)
            raise
        finally:
            spent = time.monotonic() - began
            record.agent_seconds = (record.agent_seconds or 0.0) + spent
        hit(Failpoint.PROPOSED)
        proposal = briefing.without_secrets(proposal)
        summary, record.findings = take_findings(legible(proposal.summary))
        proposal = replace(proposal, summary=summary)
        self.costs_nothing = proposal.costs_nothing
        record.operator, record.subject = proposal.operator, proposal.subject
        record.places, record.shared_places = proposal.places, proposal.shared_places
        logger.info("{} proposes in {:.1f} s: {}", agent.name, spent, proposal.subject)
        return proposal

    def _ask_with_what_is_there(
        self,
        agent: Agent,
        worktree: Worktree,
        known: list[JudgedCommit],
        trials: JobTrials | None,
    ) -> Proposal:
        """The proposal; an inspiration that is gone from the remote is left out.

        It is missed before anything is paid for.
        """
        briefing = self.options.briefing
        while True:
            try:
                return agent.propose(
                    worktree,
                    briefing.brief(self.claim, known, self._earlier_jobs(worktree), trials),
                    self._limit_agent(trials),
                    briefing.recorder(self.claim, agent.name, self.record, self.deadline),
                )
            except CommitGone as gone:
                others = [each for each in known if each.commit != gone.commit]
                if gone.commit == self.claim.base_commit or len(others) == len(known):
                    raise
                logger.warning("without an inspiration that is gone: {}", gone.summary)
                known = others

    def _limit_agent(self, trials: JobTrials | None) -> Deadline:
        """How long the agent may work; what was judged meanwhile is to be pushed afterwards."""
        options = self.options
        is_session = self.claim.kind is JobKind.SESSION and options.session_seconds > 0
        limit = self.deadline.within(
            options.session_seconds if is_session else options.agent_timeout_seconds
        )
        if trials is None:
            return limit
        remaining = self.deadline.remaining_seconds
        kept_back = min(max(_DELIVERY_SECONDS, 2 * self.ordinary_seconds), remaining / 4)
        return limit.within(remaining - kept_back)

    def _tune(self, worktree: Worktree) -> Proposal:
        """The best numbers that were found for the base commit; they stand in the worktree."""
        root = self.jobs.find_judged([self.claim.root_commit])
        gates = self.options.briefing.gates
        with self._timed("tuning"):
            tuning = NumberTuning(
                claim=self.claim,
                jobs=self.jobs,
                judge=partial(self.judge.judge, repeats=1),
                options=self.options.tuning,
                paths=gates.paths,
                region=gates.region,
                deadline=self.deadline,
                record=self.record,
                root_metrics=root[0].evaluation.metrics if root else (),
            )
            proposal = tuning.propose(worktree)
        hit(Failpoint.PROPOSED)
        self.record.subject = proposal.subject
        return proposal

    def _describe(self, worktree: Worktree, parent: JudgedCommit | None) -> bytes:
        if self.options.describer is None:
            return b""
        request = DescribeRequest(
            worktree,
            self.claim.root_commit,
            unpack(parent.vector) if parent else None,
            self.options.briefing.recorder(self.claim, EMBEDDING, self.record, self.deadline),
            self.deadline,
        )
        return pack(self.options.describer.describe(request))

    def _push(self, worktree: Worktree) -> str:
        branch = f"{self.options.branch_prefix}/{self.claim.name}"
        with self._timed("push"):
            deliver(partial(worktree.push, branch, self.deadline), self.deadline, self._tell)
        logger.info("pushed {}", branch)
        hit(Failpoint.PUSHED)
        return branch

    def _fail(self, failure: JobFailed) -> None:
        self._keep_failure_log(failure)
        is_refusal = isinstance(failure, CandidateRejected)
        ending = "rejected" if is_refusal else f"failed ({failure.kind})"
        logger.info("{}: {}", ending, failure.summary)
        self._keep_log()
        self.jobs.fail(self.claim, failure, self.record)
        self._count_end("rejected" if is_refusal else f"failed_{failure.kind}")

    def _release(self, *, counts: bool = True) -> None:
        self.jobs.release(self.claim, counts=counts)
        self._count_end("released")

    def _give_back(self, error: LoreleyError) -> None:
        """Queue the job again at no cost, as no candidate is at fault."""
        self.hindrance = Hindrance.of(error)
        logger.warning("back to the queue (fault: {}): {}", error.fault, error.summary)
        self.jobs.give_back(self.claim, self.hindrance)
        self._count_end("released")

    def _tell(self, error: LoreleyError) -> None:
        """Let everyone know what keeps the judged commit, and see whether it was mended."""
        logger.warning("judged, and kept until it can be pushed: {}", error.summary)
        try:
            self.jobs.note_hindrance(self.claim, Hindrance.of(error))
        except ServiceUnavailable as outage:
            logger.warning("nobody is told, as a service is away: {}", outage.summary)
        self.options.renew()

    def _keep_failure_log(self, failure: JobFailed) -> None:
        if self.ignored:
            failure.log = f"{failure.log.rstrip()}\n{_describe_ignored(self.ignored)}\n".lstrip()
        if failure.log:
            self._keep("failure.log", failure.log)

    def _keep_log(self) -> None:
        if text := self.log.text:
            self._keep("worker.log", self.options.briefing.secrets.hide_in(text))

    def _keep(self, name: str, text: str, media_type: str = "text/plain") -> None:
        others = [each for each in self.record.artifacts if each.name != name]
        self.record.artifacts[:] = [*others, Artifact(name, media_type, text.encode())]

    def _count_end(self, outcome: str) -> float:
        """Report the job's end to whoever counts them; the seconds it took."""
        seconds = time.monotonic() - self.began
        self.options.count_end(outcome, self.record, seconds)
        return seconds

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        """Add the time spent here to the stage's, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            spent = self.record.stage_seconds.get(stage, 0.0)
            self.record.stage_seconds[stage] = spent + time.monotonic() - began


def _defect(error: Exception) -> LoreleyError:
    return LoreleyError(
        "Loreley met a defect of its own",
        reason=f"{type(error).__name__}: {error}",
        fix="report it with the worker's log",
    )


def _describe_ignored(paths: Sequence[str]) -> str:
    """For whoever looks for a file that the agent added, and for the agents after it."""
    return f"no part of the candidate, as .gitignore matches them: {', '.join(paths)}"


def _format_metrics(evaluation: Evaluation, limit: int = 4) -> str:
    return " ".join(f"{metric.name}={metric.value:.6g}" for metric in evaluation.metrics[:limit])
