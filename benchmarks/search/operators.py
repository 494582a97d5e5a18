"""What each operator of the genetic agent is worth: all tried on the same commits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter
from types import ModuleType, SimpleNamespace
from typing import Any

from benchmarks.comparison import Plan
from benchmarks.search.folders import Commits, Folder, read_folder
from benchmarks.search.run import EXAMPLE, METRIC, example_evaluator
from benchmarks.table import markdown
from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.genetic.operators.material import Operator
from loreley.core.agents.genetic.operators.table import OPERATORS
from loreley.core.agents.protocol import Brief, BriefCommit
from loreley.errors import AgentFailed
from loreley.host.deadline import Deadline

_HEAD = (
    "benchmark",
    "operator",
    "tried",
    "made something",
    "evaluated",
    "improved",
    "mean gain of these",
    "seconds a try",
    "gain a minute",
)
_TOURNAMENT = 4
_MATES = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """A commit and its score; higher is better."""

    commit: str
    score: float


@dataclass(slots=True)
class Tally:
    """What an operator has done."""

    operator: str
    seconds: float = 0.0
    tried: int = 0
    made: int = 0  # found something to change, and it compiles
    evaluated: int = 0
    gains: list[float] = field(default_factory=list)  # of those that are better than their base

    @property
    def gain_per_minute(self) -> float:
        """All gains over all the time it took."""
        return 60 * sum(self.gains) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Laboratory:
    """Changes and judges commits of the packing example."""

    commits: Commits
    judge: ModuleType

    def begin(self) -> Judged:
        """The example's start."""
        commit = self.commits.add(read_folder(EXAMPLE / "repository"), None)
        with self.commits.checked_out(commit) as folder:
            return Judged(commit, self._score(folder))

    def child(
        self, agent: GeneticAgent, base: Judged, mates: Sequence[Judged], seed: int
    ) -> "Judged | str":
        """A judged child, or why there is none: nothing was made, or it failed."""
        brief = Brief(
            seed, "", BriefCommit(base.commit), tuple(BriefCommit(mate.commit) for mate in mates)
        )
        with self.commits.checked_out(base.commit) as folder:
            try:
                agent.propose(folder, brief, Deadline.after(60))
            except AgentFailed:
                return "nothing"
            try:
                score = self._score(folder)
            except ValueError:
                return "failed"
            return Judged(self.commits.add(folder.content(), base.commit), score)

    def _score(self, folder: Folder) -> float:
        context = SimpleNamespace(
            worktree=folder.path, scratch=folder.scratch, commit="", timeout_seconds=30.0
        )
        answer: dict[str, Any] = self.judge.evaluate(context)
        [score] = [each["value"] for each in answer["metrics"] if each["name"] == METRIC]
        return float(score)


def measure(plan: Plan, seed: int, jobs: int) -> list[Tally]:
    """Every operator on the same bases, mates and seeds; the most useful first.

    A search of ``jobs`` tries comes before, for commits at every height to start from.
    """
    laboratory = Laboratory(Commits(), example_evaluator())
    random = Random(seed)
    bases = _bases(list(_search(laboratory, random, plan, jobs)), plan.rounds(6, quick=1))
    seeds = [random.getrandbits(48) for _ in range(len(bases) * plan.rounds(4, quick=1))]
    tallies = []
    for operator in OPERATORS:
        plan.report(f"operators: {operator.name}")
        tallies.append(_tally(laboratory, operator, bases, seeds))
    return sorted(tallies, key=lambda tally: -tally.gain_per_minute)


def as_table(tallies: Sequence[Tally]) -> str:
    """A row for each operator."""
    return markdown([_HEAD, *map(_row, tallies)])


def _search(
    laboratory: Laboratory, random: Random, plan: Plan, jobs: int
) -> Iterator[tuple[Judged, list[Judged]]]:
    """Commits of a plain search, from the start on, each with two others that are as good."""
    agent, population = GeneticAgent(), [laboratory.begin()]
    yield population[0], [population[0]]
    for job in range(jobs):
        base = max(random.choices(population, k=_TOURNAMENT), key=lambda each: each.score)
        others = [each for each in population if each is not base]
        mates = random.sample(others, min(_MATES, len(others)))
        child = laboratory.child(agent, base, mates, random.getrandbits(48))
        if isinstance(child, Judged):
            population.append(child)
            near = sorted(population, key=lambda each: abs(each.score - child.score))
            yield child, [each for each in near if each.score != child.score][:_MATES]
        if job % 25 == 0:
            plan.report(f"operators: {job} of {jobs} tries to find commits to start from")


def _bases(
    found: Sequence[tuple[Judged, list[Judged]]], count: int
) -> list[tuple[Judged, list[Judged]]]:
    """So many of the commits, evenly over all heights, the best among them."""
    ordered = sorted(found, key=lambda each: each[0].score, reverse=True)
    step = max(1, len(ordered) // count)
    return ordered[::step][:count]


def _tally(
    laboratory: Laboratory,
    operator: Operator,
    bases: Sequence[tuple[Judged, list[Judged]]],
    seeds: Sequence[int],
) -> Tally:
    agent, tally = GeneticAgent(operators=[operator]), Tally(operator.name)
    for number, seed in enumerate(seeds):
        base, mates = bases[number % len(bases)]
        began = perf_counter()
        child = laboratory.child(agent, base, mates, seed)
        tally.seconds += perf_counter() - began
        tally.tried += 1
        tally.made += child != "nothing"
        if isinstance(child, Judged):
            tally.evaluated += 1
            tally.gains += [child.score - base.score] * (child.score > base.score)
    return tally


def _row(tally: Tally) -> tuple[str, ...]:
    gains = tally.gains
    return (
        "operators",
        tally.operator,
        str(tally.tried),
        f"{tally.made / tally.tried:.0%}",
        f"{tally.evaluated / tally.tried:.0%}",
        f"{len(gains) / tally.tried:.0%}",
        f"{sum(gains) / len(gains):.4f}" if gains else "",
        f"{tally.seconds / tally.tried:.2f}",
        f"{tally.gain_per_minute:.3f}",
    )
