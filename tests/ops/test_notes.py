"""`invoke note …` and `invoke notes` on a real database."""

from contextlib import closing
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.findings import Effect, Finding
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.engine import open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import ConfigError
from loreley.ops.notes import list_notes, save_note, withdraw
from tests.db.support import claimed, judged_commit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(loreley_state_dir=tmp_path)


def test_notes_are_listed_with_their_numbers_until_they_are_withdrawn(settings: Settings) -> None:
    assert "notes --withdraw 1`" in save_note(settings, "Look at\n  the \x1b[31mcache.\n")
    save_note(settings, "Leave the parser alone.")

    first, second = list_notes(settings).splitlines()
    assert first.startswith("   1  ")
    assert first.endswith("  Look at the cache.")

    assert withdraw(settings, 1) == "note 1 is withdrawn"
    assert list_notes(settings) == second


def test_what_agents_have_found_out_stands_below_with_its_figures(settings: Settings) -> None:
    save_note(settings, "Look at the cache.")
    with closing(open_database(settings.sqlalchemy_url)) as database:
        Schedule(database).begin_experiment(Experiment("a" * 40, {}))
        job_id = Schedule(database).create(NewJob(JobKind.EVOLUTION, 0, 7, "a" * 40))
        record = JobRecord(findings=[Finding(Effect.HELPS, "Caching squares")])
        Jobs(database).succeed(claimed(database, job_id), judged_commit(1), record)

    people, empty, heading, agents = list_notes(settings).splitlines()

    assert people.endswith("  Look at the cache.")
    assert (empty, heading[:16]) == ("", "What agents have")
    assert agents.startswith("   2  ")
    assert "  not shown     helps: Caching squares (000000000000: nothing was measured)" in agents
    assert withdraw(settings, 2) == "note 2 is withdrawn"
    assert list_notes(settings) == people


def test_without_notes_it_says_how_to_add_one(settings: Settings) -> None:
    assert "invoke note" in list_notes(settings)


@pytest.mark.parametrize("text", ["", " \n", "x" * 2001])
def test_what_says_nothing_or_too_much_is_no_note(text: str, settings: Settings) -> None:
    with pytest.raises(ConfigError, match="no note"):
        save_note(settings, text)

    assert "no notes" in list_notes(settings)


def test_a_note_that_does_not_stand_cannot_be_withdrawn(settings: Settings) -> None:
    with pytest.raises(ConfigError) as raised:
        withdraw(settings, 7)

    assert raised.value.problems[0].target == "7"
