"""Jobs as rows: for spreadsheets and programs."""

import csv
import io
import json

import pytest

from loreley.core.evaluation.evaluation import Metric
from loreley.db.engine import Database
from loreley.views import job_rows
from loreley.views.job_rows import read_rows, to_csv, to_json_lines
from tests.evolved import Evolved


@pytest.fixture
def run(database: Database) -> Evolved:
    run = Evolved(database)
    run.root(1.0)
    run.child(2.5, width=3, subject="=1+1", more=[Metric("lines, of code", 40.0)])
    run.failure("it\nbroke")
    return run


def test_a_spreadsheet_gets_a_column_for_each_metric_and_no_formula(
    run: Evolved, database: Database
) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(to_csv(database)))))

    failed, child, root = rows
    assert child["subject"] == "'=1+1"
    assert (child["fitness"], child["lines, of code"], root["lines, of code"]) == (
        "2.5",
        "40.0",
        "",
    )
    assert "broke" in failed["failure"]
    assert set(root) == set(failed)


def test_a_program_gets_every_job_however_many_there_are(
    run: Evolved, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [json.loads(line) for line in to_json_lines(database)]
    monkeypatch.setattr(job_rows, "_READ_AT_ONCE", 1)

    assert list(read_rows(database)) == whole
    assert [row["ordinal"] for row in whole] == [1, 0, -1]
    assert whole[1]["metrics"]["lines, of code"] == 40.0
    assert "T" in whole[1]["finished_at"]
