import os
from pathlib import Path

import pytest

from loreley.config import (
    LOG_LEVELS,
    Role,
    Settings,
    expand_path,
    get_settings,
    is_configured,
    load_settings,
)
from loreley.errors import ConfigError, Problem

SECRET = "hunter2"

Environment = dict[str, str]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set names here before reading the settings; forgotten at the test's end."""

    class Mirror(Environment):
        def __setitem__(self, name: str, value: str) -> None:
            monkeypatch.setenv(name, value)

    return Mirror()


def refusal(role: Role | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        load_settings(role)
    return raised.value


def the_problem(role: Role | None = None) -> Problem:
    [problem] = refusal(role).problems
    return problem


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings()

    assert settings.tasks_queue_name == "loreley.evolution"
    assert settings.redis_target == "redis://localhost:6379/0"
    assert settings.worker_repo_branch == "main"
    assert settings.remote_target == ""


def test_a_field_is_set_by_its_name_in_upper_case(environment: Environment) -> None:
    environment["TASKS_QUEUE_NAME"] = "mine"

    assert load_settings().tasks_queue_name == "mine"


def test_the_environment_wins_over_the_env_file(environment: Environment) -> None:
    Path(".env").write_text("TASKS_QUEUE_NAME=file\nTASKS_REDIS_NAMESPACE=file\n")
    environment["TASKS_QUEUE_NAME"] = "real"

    settings = load_settings()

    assert (settings.tasks_queue_name, settings.tasks_redis_namespace) == ("real", "file")


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize(
    "name",
    [
        "LOGS_BASE_DIR",
        "LOG_LEVEL",
        "DATABASE_URL",
        "TASKS_REDIS_URL",
        "TASKS_REDIS_PORT",
        "TASKS_REDIS_PASSWORD",
        "WORKER_REPO_REMOTE_URL",
        "WORKER_REPO_BRANCH",
        "WORKER_REPO_ENABLE_LFS",
        "WORKER_EVALUATOR_PLUGIN",
        "MAPELITES_MEASURES",
    ],
)
def test_a_blank_value_counts_as_unset(environment: Environment, name: str, blank: str) -> None:
    environment[name] = blank

    assert load_settings() == Settings.model_construct()
    assert not is_configured(name)


def test_a_password_keeps_its_blanks(environment: Environment) -> None:
    environment["TASKS_REDIS_PASSWORD"] = " x "

    password = load_settings().tasks_redis_password

    assert password is not None
    assert password.get_secret_value() == " x "


def test_settings_are_read_once(environment: Environment) -> None:
    first = get_settings()
    environment["TASKS_QUEUE_NAME"] = "later"

    assert get_settings() is first


# Each of these reached a job, a connection or a traceback when it was not refused here.
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("LOG_LEVEL", "[/x]", "Input should be 'TRACE', 'DEBUG'"),
        ("LOG_LEVEL", "verbose", "Input should be 'TRACE', 'DEBUG'"),
        ("LOGS_BASE_DIR", "~nosuchuser/logs", "no home folder is known for '~nosuchuser'"),
        ("LOGS_BASE_DIR", "$NO_SUCH_NAME/logs", "a variable in it is not set"),
        ("LORELEY_STATE_DIR", "~nosuchuser", "no home folder is known for '~nosuchuser'"),
        ("WORKER_REPO_WORKTREE", "${NO_SUCH_NAME}", "a variable in it is not set"),
        ("WORKER_EVALUATOR_READ_PATHS", "/data, $NO_SUCH_NAME", "a variable in it is not set"),
        ("TASKS_REDIS_PORT", "x", "valid integer"),
        ("TASKS_REDIS_PORT", "0", "greater than or equal to 1"),
        ("TASKS_REDIS_PORT", "65536", "less than or equal to 65535"),
        ("TASKS_REDIS_DB", "-1", "greater than or equal to 0"),
        ("TASKS_REDIS_HOST", "redis://host", "String should match"),
        ("TASKS_REDIS_HOST", "two words", "String should match"),
        ("TASKS_REDIS_NAMESPACE", "a b", "String should match"),
        ("TASKS_QUEUE_NAME", "9lives", "String should match"),
        ("TASKS_WORKER_MAX_RETRIES", "1.5", "valid integer"),
        ("TASKS_WORKER_TIME_LIMIT_SECONDS", "nan", "finite"),
        ("TASKS_WORKER_LEASE_SECONDS", "nan", "Input should be"),
        ("TASKS_WORKER_LEASE_SECONDS", "1", "greater than or equal to 3"),
        ("TASKS_WORKER_GRACE_SECONDS", "inf", "less than or equal to"),
        ("SCHEDULER_POLL_INTERVAL_SECONDS", "nan", "Input should be"),
        ("SCHEDULER_POLL_INTERVAL_SECONDS", "0", "greater than 0"),
        ("WORKER_REPO_WORKTREE_RANDOMIZE", "maybe", "valid boolean"),
        ("WORKER_REPO_WORKTREE_RANDOM_SUFFIX_LEN", "0", "greater than or equal to 1"),
        ("WORKER_REPO_WORKTREE_RANDOM_SUFFIX_LEN", "33", "less than or equal to 32"),
        ("WORKER_REPO_FETCH_DEPTH", "0", "greater than or equal to 1"),
        ("WORKER_REPO_BRANCH", "--upload-pack=x", "not a name that git allows"),
        ("WORKER_REPO_JOB_BRANCH_PREFIX", "a..b", "not a name that git allows"),
        ("WORKER_REPO_JOB_BRANCH_PREFIX", "a.lock/b", "not a name that git allows"),
        ("WORKER_REPO_JOB_BRANCH_PREFIX", "jobs/", "not a name that git allows"),
        ("WORKER_REPO_JOB_BRANCH_PREFIX", "two words", "not a name that git allows"),
        ("WORKER_EVALUATOR_PLUGIN", "module", "String should match"),
        ("WORKER_EVALUATOR_PYTHON_PATHS", "[broken", "not a JSON list"),
        ("WORKER_EVOLUTION_COMMIT_EMAIL", "a b <c>", "String should match"),
        ("WORKER_AGENT", "magic", "'magic' is none of"),
        ("WORKER_SANDBOX", "docker", "Input should be 'auto'"),
        ("MAPELITES_EXPERIMENT_ROOT_COMMIT", "main", "String should match"),
        ("MAPELITES_MEASURES", "size", "'size' is not name:low:high:bins"),
        ("MAPELITES_MEASURES", "size:a:b:3", "'size:a:b:3': 'a' is not a number"),
        ("MAPELITES_MEASURES", "size:9:1:3", "low end must be below"),
        ("MAPELITES_MEASURES", "size:-inf:inf:3", "'-inf' is not finite"),
        ("MAPELITES_MEASURES", "size:nan:1:3", "'nan' is not finite"),
        ("MAPELITES_MEASURES", "size:-1e308:1e308:3", "too far apart"),
        ("MAPELITES_MEASURES", "size:0:1:0", "is not name:low:high:bins"),
        ("MAPELITES_MEASURES", "size:0:1:2, size:0:9:4", "named twice"),
        ("MAPELITES_MEASURES", "a:0:1:65536, b:0:1:65536", "more than 2147483647 cells"),
        ("MAPELITES_FITNESS_WEIGHTS", "speed", "'speed' is not name:number"),
        ("MAPELITES_FITNESS_WEIGHTS", "speed:fast", "'speed:fast'"),
        ("MAPELITES_FITNESS_WEIGHTS", "speed:nan", "not finite"),
        ("MAPELITES_CONSTRAINTS", "size < 3", "is not `metric <= number`"),
        ("MAPELITES_CONSTRAINTS", "size <= inf", "not finite"),
        ("MAPELITES_BASE_CHOICE", "luck:1", "'luck' is none of"),
        ("MAPELITES_BASE_CHOICE", "fitness:0, uniform:0", "one of them is above 0"),
        ("MAPELITES_BASE_CHOICE", "fitness:2, uniform:-1", "shares are not negative"),
        ("MAPELITES_BASE_CHOICE", "fitness:1e308, uniform:1e308", "too large"),
        ("WORKER_EVALUATOR_STAGES", "quick:tests", "is not `evaluator | metric >= number`"),
        ("WORKER_EVALUATOR_STAGES", "quick:tests | passed", "is not `metric <= number`"),
        ("DATABASE_URL", "mysql://host/db", "expected a sqlite:/// or postgresql:// URL"),
        ("DATABASE_URL", "postgresql+asyncpg://host/db", "expected a sqlite:/// or postgresql"),
        ("DATABASE_URL", "loreley.db", "expected a sqlite:/// or postgresql:// URL"),
        ("DATABASE_URL", "sqlite://", "give a file"),
        ("DATABASE_URL", "sqlite:///:memory:", "give a file"),
        ("DATABASE_URL", "sqlite:///~/x.db", "'~' is not expanded in a URL"),
        ("DATABASE_URL", f"postgresql://u:p@{SECRET}:{SECRET}@host/db", "write %40 for '@'"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}/x@host/db", "in a password write %2F"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@host:port/db", "in a password write %2F"),
        ("TASKS_REDIS_URL", "http://host", "expected a redis://, rediss:// or unix:// URL"),
        ("TASKS_REDIS_URL", "REDIS://host", "expected a redis://, rediss:// or unix:// URL"),
        ("TASKS_REDIS_URL", "localhost:6379", "expected a redis://, rediss:// or unix:// URL"),
        ("TASKS_REDIS_URL", "redis://", "names no host"),
        ("TASKS_REDIS_URL", "unix://", "needs the path of the socket"),
        ("TASKS_REDIS_URL", "redis://host/name", "the number of the database"),
        ("TASKS_REDIS_URL", "redis://host?decode_responses=1", "unknown option"),
        ("TASKS_REDIS_URL", "unix:///r.sock?hunter=2", "unknown option 'hunter'"),
        ("TASKS_REDIS_URL", "redis://host:99999", "in a password write %2F"),
        ("TASKS_REDIS_URL", f"redis://:{SECRET}/x@host", "in a password write %2F"),
        ("TASKS_REDIS_URL", f"redis://:{SECRET} x@host", "white space"),
        ("TASKS_REDIS_URL", f"redis://[{SECRET}@host", "in a password write %2F"),
        ("WORKER_REPO_REMOTE_URL", f"https://u:{SECRET} x@host/r.git", "white space"),
        ("WORKER_REPO_REMOTE_URL", f"https://u:{SECRET}/x@host/r.git", "in a password write"),
    ],
)
def test_a_bad_value_is_told_with_its_setting_and_reason(
    environment: Environment, name: str, value: str, reason: str
) -> None:
    environment[name] = value

    error = refusal()

    [problem] = error.problems
    assert problem.what == f"{name} is not valid"
    assert reason in problem.reason
    assert problem.fix
    assert SECRET not in f"{error!s} {error!r} {error.__cause__!s}"
    secret = name.endswith("_URL")
    assert problem.setting == (f"{name}=***" if secret else f"{name}={value!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", " debug "),
        ("TASKS_REDIS_PORT", " 6380 "),
        ("TASKS_REDIS_URL", "rediss://user:p%40ss@[::1]:6380/3?ssl_cert_reqs=none"),
        ("TASKS_REDIS_URL", "unix:///run/r.sock?db=0"),
        ("TASKS_QUEUE_NAME", "q"),
        ("TASKS_WORKER_TIME_LIMIT_SECONDS", "-1"),
        ("DATABASE_URL", "sqlite:////a folder/x.db"),
        ("DATABASE_URL", "sqlite:///x.db?timeout=5"),
        ("DATABASE_URL", "postgresql:///db?host=/run/postgresql"),
        ("DATABASE_URL", "postgres://u:p%40ss@host:5433/db"),
        ("WORKER_REPO_REMOTE_URL", "/a folder/repository"),
        ("WORKER_REPO_REMOTE_URL", "git@host:a/b.git"),
        ("WORKER_REPO_BRANCH", "feature/ü_1.2"),
        ("WORKER_REPO_JOB_BRANCH_PREFIX", "j"),
        ("WORKER_REPO_ENABLE_LFS", "no"),
        ("WORKER_EVALUATOR_PLUGIN", "a.b:C.d"),
        ("MAPELITES_MEASURES", "score:-1e3:1e3:100"),
    ],
)
def test_values_people_use_are_accepted(environment: Environment, name: str, value: str) -> None:
    environment[name] = value

    assert load_settings() != Settings.model_construct()


@pytest.mark.parametrize("text", ["a, b", "a,b,", '["a", "b"]', ' [ "a","b" ] '])
def test_lists_are_written_with_commas_or_as_json(environment: Environment, text: str) -> None:
    environment["WORKER_EVALUATOR_PYTHON_PATHS"] = text

    assert load_settings().worker_evaluator_python_paths == ["a", "b"]


def test_every_problem_is_told_at_once_in_the_order_of_the_sections(
    environment: Environment,
) -> None:
    environment["MAPELITES_MEASURES"] = "x"
    environment["TASKS_REDIS_PORT"] = "x"
    environment["LOG_LEVEL"] = "x"
    environment["TASKS_REDIS_HOST"] = "x y"

    problems = refusal(Role.WORKER).problems

    assert [problem.setting.partition("=")[0] for problem in problems] == [
        "LOG_LEVEL",
        "TASKS_REDIS_HOST",
        "TASKS_REDIS_PORT",
        "MAPELITES_MEASURES",
        "WORKER_REPO_REMOTE_URL",
        "WORKER_EVALUATOR_PLUGIN, WORKER_EVALUATOR_COMMAND",
    ]


def test_a_setting_that_is_wrong_is_not_also_called_missing(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "https://two words"
    environment["WORKER_EVALUATOR_PLUGIN"] = "module:evaluate"

    assert the_problem(Role.WORKER).what == "WORKER_REPO_REMOTE_URL is not valid"


def test_a_secret_in_the_wrong_place_is_masked(environment: Environment) -> None:
    environment["TASKS_REDIS_HOST"] = f"redis://:{SECRET}@host"

    assert the_problem().setting == "TASKS_REDIS_HOST='redis://***@host'"


def test_a_long_value_is_shown_in_part(environment: Environment) -> None:
    environment["TASKS_REDIS_PORT"] = "x" * 10_000

    assert len(the_problem().setting) < 300


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

    assert load_settings(Role.SCHEDULER).mapelites_fitness_weights == ["speed:1", "size:-0.1"]


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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"redis://user:{SECRET}@host:6379/1", "redis://host:6379/1"),
        (f"redis://:p@{SECRET}@host", "redis://host"),
        (f"redis://host?password={SECRET}&db=1", "redis://host?password=***&db=1"),
        ("unix:///run/r.sock?db=1", "unix:///run/r.sock?db=1"),
    ],
)
def test_the_redis_server_is_shown_without_credentials(
    environment: Environment, url: str, shown: str
) -> None:
    environment["TASKS_REDIS_URL"] = url

    assert load_settings().redis_target == shown


def test_secrets_do_not_show_in_the_settings(environment: Environment) -> None:
    for name in ("TASKS_REDIS_URL", "DATABASE_URL", "WORKER_REPO_REMOTE_URL"):
        scheme = {"TASKS_REDIS_URL": "redis", "DATABASE_URL": "postgresql"}.get(name, "https")
        environment[name] = f"{scheme}://user:{SECRET}@host/0"
    environment["TASKS_REDIS_PASSWORD"] = SECRET

    settings = load_settings()

    assert SECRET not in f"{settings!r} {settings!s} {settings.model_dump_json()}"
    assert SECRET not in settings.redis_target + settings.remote_target


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_the_database_url_names_the_installed_driver(
    environment: Environment, url: str, expected: str
) -> None:
    environment["DATABASE_URL"] = url

    assert load_settings().sqlalchemy_url == expected


def test_without_a_database_url_it_is_sqlite_in_the_state_folder(
    environment: Environment, tmp_path: Path
) -> None:
    assert load_settings().sqlalchemy_url == f"sqlite:///{Path.cwd() / '.loreley/loreley.db'}"

    environment["STATE"] = str(tmp_path)
    environment["LORELEY_STATE_DIR"] = "$STATE/here"

    assert load_settings().sqlalchemy_url == f"sqlite:///{tmp_path / 'here/loreley.db'}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"LOG_LEVEL=\xff\n", "can't decode byte"),
        ("LOG_LEVEL=DEBUG".encode("utf-16-le"), "NUL"),
        (b"LOG_LEVEL\n", "no '='"),
        (f"TASKS_REDIS_PASSWORD='{SECRET}\n".encode(), "an unclosed quote"),
        (f"TASKS_REDIS_PASSWORD {SECRET}\n".encode(), "an unclosed quote, or text"),
        (None, "Is a directory"),
    ],
)
def test_an_env_file_that_cannot_be_read_is_told(
    content: bytes | None, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        Path(".env").mkdir()
    else:
        Path(".env").write_bytes(content)

    error = refusal()

    assert reason in str(error)
    assert SECRET not in str(error)
    assert capfd.readouterr() == ("", "")


def test_an_env_file_that_is_a_pipe_is_told_and_not_waited_for() -> None:
    os.mkfifo(".env")

    assert "named pipe" in str(refusal())


@pytest.mark.parametrize("path", ["$HOME/x.db", "${HOME}/x.db", "~/x.db", "/~/x.db"])
def test_a_database_url_that_would_be_taken_literally_is_refused(
    environment: Environment, path: str
) -> None:
    environment["DATABASE_URL"] = f"sqlite:///{path}"

    assert "write " in the_problem().reason


def test_an_unknown_level_of_the_command_line_is_told_with_all_other_problems() -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(Role.SCHEDULER, "foo")

    settings = [problem.setting for problem in raised.value.problems]
    assert settings[:2] == ["--log-level, LOG_LEVEL", "WORKER_REPO_REMOTE_URL"]


def test_a_bad_value_in_the_env_file_is_told_as_one_in_the_environment() -> None:
    Path(".env").write_text("TASKS_REDIS_PORT=x\n")

    assert the_problem().setting == "TASKS_REDIS_PORT='x'"


def test_other_names_in_the_env_file_are_left_alone() -> None:
    Path(".env").write_text("# comment\n\nexport OPENAI_API_KEY=x\nDEBUG=1\n")

    assert load_settings() == Settings.model_construct()


def test_expand_path_fills_in_home_and_variables(environment: Environment) -> None:
    environment["HOME"] = "/home/me"
    environment["SUB"] = "sub"

    assert expand_path("X", " ~/$SUB/${SUB} ") == Path("/home/me/sub/sub")
    assert expand_path("X", "a") == Path.cwd() / "a"


@pytest.mark.parametrize("value", ["~nosuchuser/x", "$NO_SUCH_NAME", "${NO_SUCH_NAME}/x"])
def test_expand_path_names_the_setting_it_cannot_expand(value: str) -> None:
    with pytest.raises(ConfigError) as raised:
        expand_path("LOGS_BASE_DIR", value)

    [problem] = raised.value.problems
    assert (problem.setting, problem.target) == ("LOGS_BASE_DIR", repr(value))


def test_every_level_is_one_that_the_log_knows() -> None:
    assert LOG_LEVELS == ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")


def test_every_field_has_a_description_that_ends_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


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
