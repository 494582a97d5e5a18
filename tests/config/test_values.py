"""What a value may be, and how it is shown."""

from pathlib import Path

import pytest

from loreley.config import Settings, expand_path, load_settings
from loreley.errors import ConfigError
from tests.config.support import SECRET, Environment, refusal, the_problem


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
def test_a_bad_value_is_reported_with_its_setting_and_reason(
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


def test_a_secret_in_the_wrong_place_is_masked(environment: Environment) -> None:
    environment["TASKS_REDIS_HOST"] = f"redis://:{SECRET}@host"

    assert the_problem().setting == "TASKS_REDIS_HOST='redis://***@host'"


def test_a_long_value_is_shown_in_part(environment: Environment) -> None:
    environment["TASKS_REDIS_PORT"] = "x" * 10_000

    assert len(the_problem().setting) < 300


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


@pytest.mark.parametrize("path", ["$HOME/x.db", "${HOME}/x.db", "~/x.db", "/~/x.db"])
def test_a_database_url_that_would_be_taken_literally_is_refused(
    environment: Environment, path: str
) -> None:
    environment["DATABASE_URL"] = f"sqlite:///{path}"

    assert "write " in the_problem().reason


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
