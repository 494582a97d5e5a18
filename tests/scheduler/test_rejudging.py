"""The evaluator is changed on purpose: root and elites first, and nothing of before counts."""

from collections.abc import Mapping
from random import Random

import pytest
from sqlalchemy import select, update

from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.jobs import JobKind, JobRecord, JobState
from loreley.db.engine import Database
from loreley.db.experiment import begin_judging_anew
from loreley.db.jobs import Jobs
from loreley.db.models import jobs
from loreley.errors import EvaluationFailed, LoreleyError
from loreley.views.invariants import archive_flaws, judge_flaws
from loreley.views.overview import Overview, read_overview
from tests.db.support import rows
from tests.scheduler.simulation import ROOT, Simulation, sphere

BEFORE = Fingerprint("judge:evaluate", {"code 0/judge.py": "1f"}, {})
AFTER = Fingerprint("judge:evaluate", {"code 0/judge.py": "9a"}, {})


def plain(genome: Mapping[str, float], _random: Random) -> Mapping[str, float]:
    """Another evaluator: it wants a small x, and mirrors the archive's first axis."""
    if genome["x"] < -1:
        return {"x": -genome["x"], "y": genome["y"]}  # no score: what is too small is refused
    return {"score": -genome["x"], "x": -genome["x"], "y": genome["y"]}


@pytest.fixture
def run(database: Database) -> Simulation:
    """A run of 60 jobs that is done."""
    run = Simulation(database, {"scheduler_max_total_jobs": 60}, own=BEFORE)
    run.run()
    return run


def change_judge(run: Simulation, judge: Fingerprint = AFTER, jobs_wanted: int = 60) -> None:
    with run.database.begin() as connection:
        begin_judging_anew(connection, judge)
    run.own, run.judge = judge, plain if judge is AFTER else sphere
    run.settings["scheduler_max_total_jobs"] = jobs_wanted
    run.restart()


def overview(run: Simulation) -> Overview:
    found = read_overview(run.database)
    assert found is not None
    return found


def elites(run: Simulation) -> dict[tuple[int, str], float]:
    return {(row["cell"], row["commit"]): row["score"] for row in rows(run.database, "elites")}


def flaws(run: Simulation) -> list[str]:
    with run.database.read() as connection:
        return [*judge_flaws(connection), *archive_flaws(connection)]


def test_root_and_elites_have_figures_of_the_new_judge_alone(run: Simulation) -> None:
    before = elites(run)
    change_judge(run)

    run.run()

    assert flaws(run) == []
    after = elites(run)
    assert after
    assert {commit for _, commit in after} <= {commit for _, commit in before} | {ROOT}
    for (_, commit), score in after.items():
        assert score == pytest.approx(-run.genomes[commit]["x"])
    samples = {row["commit"]: len(row["samples"]) for row in rows(run.database, "metrics")}
    assert all(samples[commit] == 1 for _, commit in after)  # replaced, not merged
    best = overview(run).best
    assert best is not None
    assert best.fitness == max(after.values())


@pytest.mark.slow
def test_elites_without_a_fitness_by_the_new_judge_leave_the_archive(run: Simulation) -> None:
    with run.database.begin() as connection:
        begin_judging_anew(connection, AFTER)
    run.own, run.judge = (
        AFTER,
        lambda genome, random: plain({"x": -genome["x"] + 0.5, "y": genome["y"]}, random),
    )
    refused = {commit for _, commit in elites(run) if run.genomes[commit]["x"] > 1.5}
    run.restart()

    run.run()

    assert refused
    assert not refused & {commit for _, commit in elites(run)}
    assert flaws(run) == []


@pytest.mark.slow
def test_no_job_is_created_before_all_are_measured_anew(run: Simulation) -> None:
    change_judge(run, jobs_wanted=80)

    run.run()

    found = rows(run.database, "jobs")
    anew = [job for job in found if job["kind"] == JobKind.MEASUREMENT]
    later = [job for job in found if job["ordinal"] >= 60]
    assert len(later) == 20
    last = max(job["finished_at"] for job in anew)
    assert all(job["created_at"] >= last for job in later)
    assert flaws(run) == []


@pytest.mark.slow
def test_while_elites_wait_nothing_is_called_the_best(run: Simulation) -> None:
    change_judge(run)

    run.scheduler.tick()

    now = overview(run)
    assert now.best is None
    assert now.why_no_best.endswith("commits are to be measured anew by the changed evaluator")
    waiting = [row for row in rows(run.database, "jobs") if row["ingested_at"] is None]
    assert [(job["kind"], job["base_commit"]) for job in waiting] == [(JobKind.MEASUREMENT, ROOT)]


@pytest.mark.slow
def test_a_judge_that_cannot_judge_the_root_empties_no_archive(run: Simulation) -> None:
    before = elites(run)
    change_judge(run)
    run.scheduler.tick()
    claim = Jobs(run.database).claim(run.queue.job_ids.pop(), worker="w:1", lease_seconds=60)
    Jobs(run.database).fail(claim, EvaluationFailed("it raised"), JobRecord())

    with pytest.raises(LoreleyError, match="cannot be evaluated"):
        run.scheduler.tick()

    assert {commit for _, commit in elites(run)} == {commit for _, commit in before}
    run.restart()
    run.run()  # the next start asks again
    assert flaws(run) == []


@pytest.mark.slow
def test_what_the_judge_of_before_said_of_a_candidate_enters_no_archive(
    database: Database,
) -> None:
    run = Simulation(database, {"scheduler_max_total_jobs": 20}, own=BEFORE)
    for _ in range(3):
        run.scheduler.tick()
        run.work()
    with database.begin() as connection:
        late = select(jobs.c.commit).where(jobs.c.ingested_at.is_(None), jobs.c.ordinal >= 0)
        ended = set(connection.execute(late).scalars()) - {None}
    change_judge(run, jobs_wanted=20)

    run.run()

    assert ended
    assert not ended & {commit for _, commit in elites(run)}
    assert flaws(run) == []


@pytest.mark.slow
def test_a_change_that_is_taken_back_at_once_costs_nothing(run: Simulation) -> None:
    before = elites(run)
    change_judge(run)
    change_judge(run, BEFORE)

    run.run()

    assert elites(run) == before
    assert not [job for job in rows(run.database, "jobs") if job["kind"] == JobKind.MEASUREMENT]


@pytest.mark.slow
def test_a_measurement_that_the_budget_cancels_costs_no_elite_its_place(run: Simulation) -> None:
    change_judge(run)
    run.scheduler.tick()
    run.work()  # the root
    run.scheduler.tick()
    assert len(run.queue.job_ids) > 1
    before = elites(run)
    with run.database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.state.in_([JobState.PENDING, JobState.QUEUED]))
            .values(state=JobState.CANCELLED, finished_at=1.0, failure="the time is over")
        )
    run.queue.job_ids.clear()

    run.scheduler.tick()

    assert set(elites(run)) == set(before)
    run.run()  # they are asked for again
    assert flaws(run) == []
