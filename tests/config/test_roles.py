"""What each role needs, and what contradicts itself."""

import pytest

from loreley.config import Role, Settings, as_written, load_settings
from loreley.map_elites.fitness import Term
from tests.config.support import SECRET, Environment, refusal, the_problem


def test_a_worker_needs_a_repository_and_an_evaluator() -> None:
    assert [problem.what for problem in refusal(Role.WORKER).problems] == [
        "WORKER_REPO_REMOTE_URL is not set",
        "WORKER_EVALUATOR_PLUGIN or WORKER_EVALUATOR_COMMAND is not set",
    ]


def test_a_scheduler_needs_a_repository_and_a_metric() -> None:
    assert [problem.what for problem in refusal(Role.SCHEDULER).problems] == [
        "WORKER_REPO_REMOTE_URL is not set",
        "MAPELITES_FITNESS_METRIC or MAPELITES_FITNESS_WEIGHTS is not set",
    ]


def test_one_of_the_evaluators_is_enough(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["WORKER_EVALUATOR_COMMAND"] = "judge {worktree}"

    assert load_settings(Role.WORKER).worker_evaluator_command == "judge {worktree}"


def test_two_evaluators_are_a_contradiction(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["WORKER_EVALUATOR_COMMAND"] = "judge"
    environment["WORKER_EVALUATOR_PLUGIN"] = "module:evaluate"

    assert the_problem(Role.WORKER).what == "two evaluators are configured"


def test_two_fitnesses_are_a_contradiction(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["MAPELITES_FITNESS_METRIC"] = "score"
    environment["MAPELITES_FITNESS_WEIGHTS"] = "speed:1, size:-0.1"

    assert the_problem(Role.SCHEDULER).what == "two fitnesses are configured"


def test_a_weighted_sum_that_is_to_be_less_is_a_contradiction(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["MAPELITES_FITNESS_WEIGHTS"] = "seconds:1, size:0.1"
    environment["MAPELITES_FITNESS_HIGHER_IS_BETTER"] = "false"

    assert "negative weight" in the_problem(Role.SCHEDULER).fix


def test_weights_that_are_all_zero_compare_nothing(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["MAPELITES_FITNESS_WEIGHTS"] = "speed:0, size:-0.0"

    assert "must not be 0" in the_problem(Role.SCHEDULER).reason


def test_weights_are_a_fitness(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["MAPELITES_FITNESS_WEIGHTS"] = "speed:1, size:-0.1"

    weights = load_settings(Role.SCHEDULER).mapelites_fitness_weights

    assert weights == [Term("speed", 1.0), Term("size", -0.1)]
    assert as_written(weights) == ["speed:1", "size:-0.1"]


@pytest.mark.parametrize(
    ("branch", "prefix"), [("main", "main"), ("main", "main/jobs"), ("jobs/best", "jobs")]
)
def test_branch_and_job_branches_must_not_collide(
    environment: Environment, branch: str, prefix: str
) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "/repository"
    environment["WORKER_EVALUATOR_PLUGIN"] = "module:evaluate"
    environment["WORKER_REPO_BRANCH"] = branch
    environment["WORKER_REPO_JOB_BRANCH_PREFIX"] = prefix

    assert "in each other's way" in the_problem(Role.WORKER).what


EMBEDDING = {
    "mapelites_descriptor": "embedding",
    "worker_repo_remote_url": "r",
    "worker_evaluator_command": "./measure.sh",
}


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({}, ["MAPELITES_EMBEDDING_MODEL", "MAPELITES_EMBEDDING_API_KEY"]),
        ({"mapelites_embedding_url": "http://localhost/v1"}, ["MAPELITES_EMBEDDING_MODEL"]),
        (
            {
                "mapelites_embedding_model": "m",
                "mapelites_embedding_api_key": SECRET,
                "scheduler_budget_dollars": 1.0,
            },
            ["MAPELITES_EMBEDDING_PRICE"],
        ),
        ({"mapelites_measures": ["size:0:9:3"]}, []),
    ],
)
def test_an_embedding_needs_a_model_an_endpoint_and_in_a_budget_its_price(
    more: dict[str, object], missing: list[str]
) -> None:
    settings = Settings(**EMBEDDING | more)  # type: ignore[arg-type]

    assert [problem.setting for problem in settings.problems(Role.WORKER)] == missing


def test_a_call_has_one_price() -> None:
    assert Settings(worker_agent_call_prices=["chat:0.5"]).worker_agent_call_prices == ["chat:0.5"]

    with pytest.raises(ValueError, match="is not agent:dollars"):
        Settings(worker_agent_call_prices=["chat:0.5:0.3"])
