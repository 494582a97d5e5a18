"""The figures of a whole run, read from the database whenever they are asked for."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from loreley.core.jobs import FINAL_STATES, JobState
from loreley.db.engine import Database, now
from loreley.db.models import jobs
from loreley.errors import ServiceUnavailable
from loreley.views.costs import read_expenses
from loreley.views.overview import Overview, read_overview

Family = CounterMetricFamily | GaugeMetricFamily


class RunCollector(Collector):
    """Jobs, queue, archive and spend of the experiment in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterable[Family]:
        """Nothing: what there is depends on the run, and asking now would read the database."""
        return []

    def collect(self) -> Iterator[Family]:
        """Everything as it stands; only that the database is away, when it is."""
        try:
            families = list(self._families())
        except ServiceUnavailable:
            families = []
        up = GaugeMetricFamily("loreley_database_up", "Whether the database answered.")
        up.add_metric([], float(bool(families)))
        yield up
        yield from families

    def _families(self) -> Iterator[Family]:
        yield _age(self._database)
        overview = read_overview(self._database)
        if overview is not None:
            yield from _jobs(overview)
            yield from _archive(overview)
        yield from _spend(self._database)


def _age(database: Database) -> Family:
    waiting = jobs.c.state.in_([JobState.PENDING, JobState.QUEUED])
    query = select(func.coalesce(now() - func.min(jobs.c.created_at), 0.0)).where(waiting)
    with database.read() as connection:
        seconds = float(connection.execute(query).scalar_one())
    family = GaugeMetricFamily(
        "loreley_queue_age_seconds", "How long the oldest job that waits has waited; 0: none does."
    )
    family.add_metric([], seconds)
    return family


def _jobs(overview: Overview) -> Iterator[Family]:
    ended = CounterMetricFamily(
        "loreley_jobs", "Evolution jobs that have ended, by outcome.", labels=["outcome"]
    )
    open_ = GaugeMetricFamily(
        "loreley_open_jobs", "Evolution jobs that have not ended, by state.", labels=["state"]
    )
    for state, count in overview.jobs.items():
        (ended if state in FINAL_STATES else open_).add_metric([state], count)
    evaluations = CounterMetricFamily(
        "loreley_evaluations",
        "Evaluations of candidates; a job makes several where the first ones fail.",
    )
    evaluations.add_metric([], overview.evaluations)
    yield from (ended, open_, evaluations)


def _archive(overview: Overview) -> Iterator[Family]:
    coverage = GaugeMetricFamily(
        "loreley_coverage", "Share of the cells that are filled, by any island."
    )
    coverage.add_metric([], overview.coverage)
    cells = GaugeMetricFamily(
        "loreley_archive_cells", "Cells filled by an island.", labels=["island"]
    )
    score = GaugeMetricFamily(
        "loreley_archive_qd_score", "What the elites are above the root.", labels=["island"]
    )
    for island in overview.islands:
        cells.add_metric([str(island.island)], island.cells_filled)
        score.add_metric([str(island.island)], island.qd_score)
    fitness = GaugeMetricFamily(
        "loreley_fitness", "Fitness of the root and of the best commit.", labels=["of"]
    )
    for name, champion in (("root", overview.root), ("best", overview.best)):
        if champion is not None:
            fitness.add_metric([name], champion.fitness)
    yield from (coverage, cells, score, fitness)
    yield from _confirmation(overview)


def _confirmation(overview: Overview) -> Iterator[Family]:
    gain = overview.best_gain
    confirmed = GaugeMetricFamily(
        "loreley_best_confirmed", "Whether the best commit is confirmed as better than the root."
    )
    confirmed.add_metric([], float(gain is not None and gain.is_confirmed))
    yield confirmed
    if gain is None or gain.difference is None:
        return
    difference = GaugeMetricFamily(
        "loreley_best_difference",
        "Of the best commit to the root, measured side by side, in the metric's own direction.",
    )
    difference.add_metric([], gain.difference)
    margin = GaugeMetricFamily(
        "loreley_best_difference_margin", "Half the width of its 95 % interval."
    )
    margin.add_metric([], gain.margin or 0.0)
    yield from (difference, margin)
    if gain.holdout_figures is not None and gain.holdout_figures.gap is not None:
        gap = GaugeMetricFamily(
            "loreley_best_holdout_gap", "By how much less it gains on what was held out."
        )
        gap.add_metric([], gain.holdout_figures.gap)
        yield gap


def _spend(database: Database) -> Iterator[Family]:
    calls = CounterMetricFamily("loreley_agent_calls", "Calls of agents.", labels=["agent"])
    unpriced = CounterMetricFamily(
        "loreley_agent_unpriced_calls", "Calls whose price is not known.", labels=["agent"]
    )
    dollars = CounterMetricFamily(
        "loreley_agent_dollars", "What calls have cost, where it is known.", labels=["agent"]
    )
    tokens = CounterMetricFamily(
        "loreley_agent_tokens", "Tokens of input and output.", labels=["agent"]
    )
    for expense in read_expenses(database):
        calls.add_metric([expense.agent], expense.calls)
        unpriced.add_metric([expense.agent], expense.unpriced_calls)
        dollars.add_metric([expense.agent], expense.dollars)
        tokens.add_metric([expense.agent], expense.tokens)
    yield from (calls, unpriced, dollars, tokens)
