"""`invoke confirm` on a real run with a real evaluator and a real hold-out."""

from pathlib import Path

import pytest

from loreley.core.evaluation.assembly import assemble_fingerprint
from loreley.db.confirmations import read_holdout
from loreley.db.engine import open_database
from loreley.db.experiment import write_judge
from loreley.errors import ConfigError, LoreleyError
from loreley.ops.results.confirm import confirm_commit
from loreley.ops.results.selection import Selection
from tests.ops.experiment import SmallRun, text

pytestmark = pytest.mark.slow

JUDGE = """
def judge(context):
    score = 1 + ("gain" in (context.worktree / "plan.txt").read_text())
    return {"summary": "", "metrics": [{"name": "score", "value": score}]}
"""
HOLDOUT = """
def judge(context):
    score = 7 - 3 * ("gain" in (context.worktree / "plan.txt").read_text())
    return {"summary": "", "metrics": [{"name": "score", "value": score}]}
"""


def begin(tmp_path: Path, **settings: object) -> SmallRun:
    for name, code in (("judges", JUDGE), ("sealed", HOLDOUT)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(code)
    run = SmallRun.begin(
        tmp_path,
        {"plan.txt": text()},
        worker_evaluator_plugin="judges:judge",
        worker_evaluator_python_paths=[str(tmp_path / "judges")],
        **settings,
    )
    run.step({"plan.txt": text({3: "gain"})}, 2.0, "add the gain")
    return run


def test_a_commit_is_confirmed_on_demand_and_it_is_kept(tmp_path: Path) -> None:
    run = begin(tmp_path)

    lines = list(confirm_commit(run.settings, Selection()))

    assert lines == [
        f"measuring {run.commits[1][:12]} beside the root {run.commits[0][:12]}",
        "gain      confirmed: +1, without noise in 3 pairs",
    ]


def test_a_hold_out_is_asked_on_demand_and_its_word_counts(tmp_path: Path) -> None:
    sealed = str(tmp_path / "sealed")
    run = begin(
        tmp_path,
        worker_evaluator_holdout="sealed:judge",
        worker_evaluator_holdout_paths=[sealed],
    )

    _, gain, holdout = confirm_commit(run.settings, Selection())

    assert gain == "gain      not confirmed: it fails the hold-out, it is worse than the root by 3"
    assert holdout.startswith("hold-out  7 at the root, 4 here: -3, ")
    database = open_database(run.settings.sqlalchemy_url)
    with database.read() as connection:
        kept = [read_holdout(connection, commit) for commit in run.commits]
    database.close()
    assert [each.scores for each in kept if each] == [(7.0,), (4.0,)]


def test_the_root_is_refused_as_it_is_what_others_are_measured_beside(tmp_path: Path) -> None:
    run = begin(tmp_path)

    with pytest.raises(LoreleyError, match="what others are measured beside"):
        list(confirm_commit(run.settings, Selection(run.commits[0])))


def test_a_host_with_another_evaluator_confirms_nothing(tmp_path: Path) -> None:
    run = begin(tmp_path)
    list(confirm_commit(run.settings, Selection()))
    database = open_database(run.settings.sqlalchemy_url)
    with database.begin() as connection:
        write_judge(connection, assemble_fingerprint(run.settings)())
    database.close()
    (tmp_path / "judges" / "judges.py").write_text(JUDGE.replace("1 +", "99 +"))

    with pytest.raises(ConfigError, match="judges otherwise"):
        list(confirm_commit(run.settings, Selection()))
