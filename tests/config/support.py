"""What is said of settings that are refused."""

import pytest

from loreley.config import Role, load_settings
from loreley.errors import ConfigError, Problem

SECRET = "hunter2"

Environment = dict[str, str]


def refusal(role: Role | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        load_settings(role)
    return raised.value


def the_problem(role: Role | None = None) -> Problem:
    [problem] = refusal(role).problems
    return problem
