"""An agent that has its worktree judged while it is at work, and what becomes its candidate."""

import tempfile

import pytest

from loreley.core.agents.edit_rules import PathRules
from loreley.core.jobs import JobState
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.gates import Gates
from loreley.core.worker.secret_scan import Secrets
from tests.core.worker.trials.support import SCORE, Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


def test_an_agent_is_told_what_its_worktree_measures(session: Session) -> None:
    job = session.run("put(3); ask()")

    assert job["state"] == JobState.SUCCEEDED
    [(code, answer)] = session.asked()
    assert code == 0
    assert answer["metrics"] == {"score": -16.0}
    assert (answer["gain_on_base"], answer["gain_on_best"]) == (20.0, 20.0)
    assert answer["summary"] == "x is 3.0"
    assert answer["log"] == "read 3"
    assert answer["evaluations_left"] == 4
    assert answer["noise"].startswith("not known")
    assert 'run `env "$LORELEY_EVALUATE"`' in session.kept("prompt.md")


def test_the_best_judged_state_is_the_candidate(session: Session) -> None:
    job = session.run("for x in (5, 6, 2):\n    put(x); ask()")

    assert session.file() == "6"
    assert session.scores() == [-4.0, -1.0, -25.0]
    assert job["tries"] == 2  # beside that of the commit
    assert 0 < job["tried_seconds"] < 60
    assert "best of 3 states" in session.upstream.show(session.commit()["commit"])
    assert session.kept("evaluation.log").strip() == "read 6"
    assert "+6" in session.kept("patch.diff")


def test_a_last_state_that_is_better_is_the_candidate_though_nobody_has_asked(
    session: Session,
) -> None:
    job = session.run("put(5); ask(); put(6)")

    assert session.file() == "6"
    assert session.scores() == [-4.0, -1.0]
    assert job["tries"] == 1


def test_a_last_state_that_is_worse_gives_way_to_the_best(session: Session) -> None:
    session.run("put(6); ask(); put(5)")

    assert session.file() == "6"
    assert session.scores() == [-1.0, -4.0]


def test_a_last_state_that_fails_gives_way_to_the_best(session: Session) -> None:
    job = session.run("put(6); ask(); put('nonsense')")

    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "6")
    assert [each["failure"] is None for each in session.trials()] == [True, False]


def test_a_state_that_was_judged_is_not_judged_again(session: Session) -> None:
    session.run("for x in (5, 5, 3, 5):\n    put(x); ask()")

    assert session.scores() == [-4.0, -16.0]
    answers = [answer for _, answer in session.asked()]
    assert [answer.get("judged_before", False) for answer in answers] == [False, True, False, True]
    assert [answer["evaluations_left"] for answer in answers] == [4, 4, 3, 3]


def test_a_state_that_another_job_has_tried_is_not_judged_again(session: Session) -> None:
    session.run("for x in (5, 6):\n    put(x); ask()")
    session.job_id = ""
    job = session.run("put(5); ask()")

    [(code, answer)] = session.asked()
    assert (code, answer["metrics"], answer["judged_before"]) == (0, {"score": -4.0}, True)
    assert len(session.trials()) == 2
    assert (job["state"], job["tries"]) == (JobState.SUCCEEDED, 0)


def test_a_candidate_that_fails_is_told_why(session: Session) -> None:
    job = session.run("put('nonsense'); ask(); ask()")

    (code, answer), again = session.asked()
    assert code == 1
    assert "could not convert string to float: 'nonsense" in answer["error"]
    assert "read nonsense" in answer["log"]
    assert again == (code, answer)
    [trial] = session.trials()
    assert (trial["evaluation"], trial["is_lasting"]) == (None, True)
    assert "could not convert" in trial["failure"]
    assert (job["state"], job["failure_kind"]) == (JobState.FAILED, "evaluation")
    assert job["tries"] == 1


def test_an_allowance_is_used_up(session: Session) -> None:
    job = session.run("for x in (5, 6, 5):\n    put(x); ask()", trials=1)

    assert [code for code, _ in session.asked()] == [0, 3, 0]
    assert session.asked()[1][1]["error"] == "all 1 evaluations are used up"
    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "5")
    assert len(session.trials()) == 1


def test_what_is_not_counted_by_the_objective_is_told(session: Session) -> None:
    session.lines = "return {'metrics': [{'name': 'other', 'value': 1.0}]}"
    session.run("put(3); ask()")

    [(code, answer)] = session.asked()
    assert code == 0
    assert answer["does_not_count"] == "the evaluation lacks 'score'"


def test_a_gate_refuses_without_an_evaluation(session: Session) -> None:
    session.briefing = Briefing("Improve.", gates=Gates(paths=PathRules(protected=["secret.txt"])))
    session.run("put(3, 'secret.txt'); ask(); os.unlink('secret.txt'); put(6); ask()")

    (code, answer), (second, _) = session.asked()
    assert (code, second) == (1, 0)
    assert "secret.txt" in answer["error"]
    assert answer["evaluations_left"] == 5
    assert len(session.trials()) == 1


def test_an_answer_holds_no_secret(session: Session) -> None:
    session.briefing = Briefing("Improve.", secrets=Secrets({"KEY": "correct-horse-7"}))
    session.lines = "print('correct-horse-7')\n" + SCORE.replace("x is", "correct-horse-7 is")
    session.run("put(3); ask()")

    [(code, answer)] = session.asked()
    assert code == 0
    assert "correct-horse-7" not in str(answer)
    assert "***" in answer["log"]


@pytest.mark.parametrize("ending", ["put(1); sys.exit(3)", "import time; time.sleep(600)"])
def test_an_agent_that_is_cut_off_leaves_its_best(session: Session, ending: str) -> None:
    session.options = {"agent_timeout_seconds": 3.0}
    job = session.run(f"put(5); ask(); put(6); ask(); put(2); {ending}")

    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "6")
    assert "did not come to its end" in session.upstream.show(session.commit()["commit"])


def test_an_agent_that_is_cut_off_within_its_first_evaluation_fails(session: Session) -> None:
    session.options = {"agent_timeout_seconds": 2.0}
    session.lines = "import time; time.sleep(15)\n" + SCORE
    job = session.run("put(5); ask()")

    assert (job["state"], job["failure_kind"]) == (JobState.FAILED, "timeout")
    assert session.trials() == []


def test_an_agent_may_be_silent_while_it_is_judged(session: Session) -> None:
    session.lines = "import time; time.sleep(3)\n" + SCORE
    job = session.run("put(5); ask()", idle_seconds=1.0)

    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "5")


def test_a_temporary_folder_may_have_a_long_path(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session.folder / ("long" * 20) / ("path" * 20)
    folder.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    session.run("put(5); ask()")

    assert [code for code, _ in session.asked()] == [0]


def test_an_agent_without_an_allowance_has_no_command(session: Session) -> None:
    session.run("put(3); print('LORELEY_EVALUATE' in os.environ)", trials=0)

    assert "False" in session.kept("agent.log")
    assert "LORELEY_EVALUATE" not in session.kept("prompt.md")
