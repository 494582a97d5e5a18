"""Evaluator and agents tried for real."""

import re
from pathlib import Path
from typing import Any

import pytest

from loreley.config import Settings
from loreley.core.sandbox.sandbox import Level, probe
from loreley.map_elites.cells import Measure
from loreley.map_elites.fitness import Constraint
from loreley.ops.doctor.findings import Finding, Verdict, examine
from loreley.ops.doctor.trial import trial_checks
from tests.core.agents.chat_server import Response, chat_server, refuses
from tests.core.worker.upstream import Upstream

JUDGE = """
import time

def judge(context):
    lines = (context.worktree / "src" / "pack.py").read_text().splitlines()
    return {"summary": "", "metrics": [{"name": "lines", "value": len(lines)}]}

def timed(context):
    return {"metrics": [{"name": "seconds", "value": 0.31, "higher_is_better": False}]}

def noisy(context):
    seconds = 10 ** (time.time_ns() // 1000 % 1000 / 500 - 1)  # from 0.1 to 10 by chance
    return {"metrics": [{"name": "seconds", "value": seconds, "higher_is_better": False}]}

def broken(context):
    raise RuntimeError("no data set")
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    upstream = Upstream.create(tmp_path / "upstream")
    (tmp_path / "judge.py").write_text(JUDGE)
    return Settings.model_validate(
        {
            "loreley_state_dir": tmp_path / "state",
            "worker_repo_remote_url": str(upstream.path),
            "worker_repo_worktree": str(tmp_path / "base"),
            "worker_evaluator_plugin": "judge:judge",
            "worker_evaluator_python_paths": [str(tmp_path)],
            "mapelites_fitness_metric": "lines",
        }
    )


def found(settings: Settings, *, quick: bool = False, **changes: Any) -> dict[str, Finding]:
    checks = trial_checks(settings.model_copy(update=changes), quick=quick)
    return {finding.name: finding for finding in examine(checks)}


@pytest.mark.slow
def test_the_root_is_judged_and_nothing_is_left(settings: Settings, tmp_path: Path) -> None:
    seen = found(settings)

    assert {str(one.verdict) for one in seen.values()} == {"good"}
    assert seen["evaluation"].seen.startswith("the root's fitness is 2, measured 3 times in ")
    made = {path.name for path in tmp_path.iterdir()} - {"__pycache__"}  # of the plugin
    assert made == {"judge.py", "upstream"}


@pytest.mark.slow
def test_the_fitness_is_reported_in_the_metrics_own_direction(settings: Settings) -> None:
    timed: dict[str, Any] = {
        "worker_evaluator_plugin": "judge:timed",
        "mapelites_fitness_metric": "seconds",
    }
    seen = found(settings, **timed)["evaluation"].seen

    assert seen.startswith("the root's fitness is 0.31, measured 3 times in ")
    assert "does not say" not in seen


@pytest.mark.slow
def test_the_noise_of_the_root_is_told_before_a_run_depends_on_it(settings: Settings) -> None:
    exact = found(settings)["evaluation"]
    noisy = found(
        settings, worker_evaluator_plugin="judge:noisy", mapelites_fitness_metric="seconds"
    )["evaluation"]

    assert "measured 3 times in " in exact.seen
    assert "; noise: exact" in exact.seen
    assert re.search(r"measured 5 times in .* s; noise: ±[\d.]+ \([\d.]+ %\)", noisy.seen)
    assert noisy.verdict is Verdict.WARNING
    assert "smaller than the noise" in noisy.fix


@pytest.mark.slow
def test_what_the_evaluator_does_not_say_is_told(settings: Settings) -> None:
    seen = found(settings)["evaluation"].seen
    decided = found(settings, mapelites_fitness_higher_is_better=False)["evaluation"].seen

    what = "the evaluator does not say higher_is_better of 'lines', taken as higher is better"
    assert what in seen
    assert what not in decided


@pytest.mark.slow
def test_a_setting_against_the_evaluators_word_is_bad(settings: Settings) -> None:
    evaluation = found(
        settings,
        worker_evaluator_plugin="judge:timed",
        mapelites_fitness_metric="seconds",
        mapelites_fitness_higher_is_better=True,
    )["evaluation"]

    assert evaluation.verdict is Verdict.BAD
    assert evaluation.seen == (
        "the fitness and the evaluator contradict each other: seconds: the setting is true, so "
        "more is better; the evaluator says higher_is_better false, so less is better"
    )
    assert "unset MAPELITES_FITNESS_HIGHER_IS_BETTER" in evaluation.fix


def test_quickly_nothing_is_judged(settings: Settings) -> None:
    assert set(found(settings, quick=True)) == {"evaluator", "agent genetic"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "seen", "fix"),
    [
        ({"worker_evaluator_plugin": "judge:broken"}, "no data set", "mend the evaluator"),
        ({"mapelites_fitness_metric": "score"}, "lacks 'score'; it has 'lines'", "FITNESS_METRIC"),
        (
            {"mapelites_measures": [Measure.parse("size:0:1:2")]},
            "lacks 'size'",
            "MAPELITES_MEASURES",
        ),
        (
            {"mapelites_constraints": [Constraint.parse("lines >= 9")]},
            "does not hold",
            "MAPELITES_CONSTRAINTS",
        ),
    ],
)
def test_a_root_that_no_run_could_begin_with_is_bad(
    settings: Settings, changes: dict[str, Any], seen: str, fix: str
) -> None:
    evaluation = found(settings, **changes)["evaluation"]

    assert evaluation.verdict is Verdict.BAD
    assert seen in evaluation.seen
    assert fix in evaluation.fix


def test_an_evaluator_that_is_not_there_is_bad(settings: Settings) -> None:
    seen = found(settings, worker_evaluator_plugin="nowhere:judge")

    assert seen["evaluator"].verdict is Verdict.BAD
    assert "No module named 'nowhere'" in seen["evaluator"].seen


def test_without_evaluator_or_repository_the_trial_says_what_is_first(settings: Settings) -> None:
    none = found(settings, worker_evaluator_plugin=None)
    assert (none["evaluator"].verdict, none["evaluation"].verdict) == (
        Verdict.BAD, Verdict.WARNING,
    )  # fmt: skip

    away = Settings(worker_repo_remote_url="/nowhere").worker_repo_remote_url
    seen = found(settings, worker_repo_remote_url=away)
    assert (seen["evaluator"].verdict, seen["evaluation"].verdict) == (
        Verdict.GOOD, Verdict.WARNING,
    )  # fmt: skip


def test_agents_are_judged_one_by_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    seen = found(settings, quick=True, worker_agent=["genetic", "codex:2", "chat", "command"])

    assert {name: str(one.verdict) for name, one in seen.items() if "agent" in name} == {
        "agent genetic": "good",
        "agent codex": "bad",
        "agent chat": "bad",
        "agent command": "bad",
    }
    assert all(one.fix for name, one in seen.items() if one.verdict is Verdict.BAD)


def test_a_coding_agent_tells_its_version_and_the_flags_it_lacks(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "codex").write_text("#!/bin/sh\necho codex-cli 1.2.3\n")
    (programs / "codex").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("CODEX_API_KEY", "sk-test")

    seen = found(settings, quick=True, worker_agent=["codex", "deep=codex"])

    for name in ("codex", "deep"):
        codex = seen[f"agent {name}"]
        assert codex.verdict is Verdict.WARNING
        assert "version 1.2.3; its help does not show --" in codex.seen


@pytest.mark.slow
def test_a_hold_out_is_tried_without_being_asked_of_a_commit(
    settings: Settings, tmp_path: Path
) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    (sealed / "held.py").write_text("def evaluate(context):\n    raise RuntimeError('asked')\n")

    def seen(holdout: str) -> Finding:
        changes = {
            "worker_evaluator_holdout": holdout,
            "worker_evaluator_holdout_paths": [str(sealed)],
        }
        return found(settings, quick=True, **changes)["hold-out"]

    good = seen("held:evaluate")
    walled = probe().level is Level.BUBBLEWRAP
    assert good.verdict is (Verdict.GOOD if walled else Verdict.WARNING)
    bad = seen("held:missing")
    assert bad.verdict is Verdict.BAD
    assert "held" in bad.seen


@pytest.mark.slow
def test_the_key_and_model_of_a_chat_endpoint_are_tried_without_a_question(
    settings: Settings,
) -> None:
    with chat_server() as server:
        chat: dict[str, Any] = {
            "worker_agent": ["chat"],
            "worker_chat_url": server.url,
            "worker_chat_model": "stub",
        }
        server.models = Response({"data": [{"id": "other"}]})
        unlisted = found(settings, quick=True, **chat)["agent chat"]
        server.models = refuses(401, "no such key")
        refused = found(settings, quick=True, **chat)["agent chat"]

    assert unlisted.verdict is Verdict.WARNING
    assert "'stub' is not in its list: other" in unlisted.seen
    assert refused.verdict is Verdict.BAD
    assert refused.fix == "set the key of this endpoint"
    assert server.requests == []
