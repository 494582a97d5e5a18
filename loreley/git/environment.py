"""What git is given as its environment, so that nothing an agent planted decides what it does."""

import os
import re
from collections.abc import Mapping, Sequence

from loreley.config import environment_names
from loreley.git.remote import Remote

Config = Sequence[tuple[str, str]]

# Neither a repository's configuration nor a user's decides these. They travel in the environment,
# so that a command line in an error message can be read.
_ALWAYS: Config = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("commit.gpgSign", "false"),
    ("push.gpgSign", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("worktree.useRelativePaths", "false"),
)
# For commands that look at files an agent wrote. What these name is how git would find programs,
# or overlook changes.
_CLOSED: Config = (
    ("core.attributesFile", os.devnull),
    ("core.excludesFile", os.devnull),
    ("core.sparseCheckout", "false"),
    ("core.splitIndex", "false"),
    ("core.untrackedCache", "false"),
    ("core.trustctime", "true"),
    ("core.checkStat", "default"),
    ("core.ignoreStat", "false"),
    ("core.fileMode", "true"),
    ("core.symlinks", "true"),
    ("core.autocrlf", "false"),
    ("core.safecrlf", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("i18n.commitEncoding", "utf-8"),
)
# For commands that only talk to the remote: a connection that carries nothing is a failure.
_OPEN: Config = (
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "60"),
    ("push.followTags", "false"),
    ("push.recurseSubmodules", "no"),
)

# A lost host is noticed within 15 seconds; what the user's command says of these comes first.
_SSH_BOUNDS = "-o ConnectTimeout=15 -o ServerAliveInterval=5 -o ServerAliveCountMax=3"

_CLOSED_NAMES = frozenset({"PATH", "HOME", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH"})
_OPEN_GIT_NAMES = re.compile(
    r"^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_\w+|PROXY_\w+|HTTP_USER_AGENT|EXEC_PATH|"
    r"CONFIG_GLOBAL|CONFIG_SYSTEM|CONFIG_NOSYSTEM)$"
)
_ENVIRONMENT = {
    "LC_ALL": "C",  # messages are recognised by their words
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",  # wins over any configuration
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_DEFAULT_REF_FORMAT": "files",
    "GIT_OPTIONAL_LOCKS": "0",
}
_CLOSED_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
}


def closed_environment(inherited: Mapping[str, str], config: Config = ()) -> dict[str, str]:
    """For commands that touch files or objects: no configuration but the repository's own."""
    kept = {name: inherited[name] for name in _CLOSED_NAMES & set(inherited)}
    settings = (*_ALWAYS, *_CLOSED, *config)
    return kept | _ENVIRONMENT | _CLOSED_ENVIRONMENT | _to_variables(settings)


def open_environment(
    inherited: Mapping[str, str], remote: Remote, config: Config = ()
) -> dict[str, str]:
    """For commands that talk to ``remote`` only: the user's configuration and keys are used.

    Loreley's own settings, some of them secret, are withheld.
    """
    ours = environment_names()
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in ours and (not name.startswith("GIT_") or _OPEN_GIT_NAMES.match(name))
    }
    settings = (*_from_variables(inherited), *_ALWAYS, *_OPEN, *remote.configuration, *config)
    return kept | _ENVIRONMENT | dict(remote.environment) | _to_variables(settings)


def bound_ssh(inherited: Mapping[str, str], configured: str) -> dict[str, str]:
    """The variable by which ssh gives a host up that does not answer, or stops to answer.

    ``configured`` is the user's ``core.sshCommand``. Another program than ssh is left as it is.
    """
    command = inherited.get("GIT_SSH_COMMAND") or configured
    if not command and inherited.get("GIT_SSH"):
        return {}
    command = command or "ssh"
    if os.path.basename(command.split()[0]) != "ssh":  # noqa: PTH119 - it is a command line
        return {}
    return {"GIT_SSH_COMMAND": f"{command} {_SSH_BOUNDS}"}


def _to_variables(config: Config) -> dict[str, str]:
    """Settings in the form in which git reads them from its environment."""
    variables = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (name, value) in enumerate(config):
        variables[f"GIT_CONFIG_KEY_{number}"] = name
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables


def _from_variables(environment: Mapping[str, str]) -> Config:
    count = environment.get("GIT_CONFIG_COUNT", "")
    names = [f"GIT_CONFIG_KEY_{n}" for n in range(int(count) if count.isdecimal() else 0)]
    return [
        (environment[name], environment.get(name.replace("_KEY_", "_VALUE_"), ""))
        for name in names
        if environment.get(name)
    ]
