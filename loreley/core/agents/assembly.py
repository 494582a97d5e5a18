"""The agents that the settings name, checked and ready for work."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from loguru import logger

from loreley.config import Settings, expanded
from loreley.config.values import find_key_flaw
from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.chat.endpoint import assemble_chat_endpoint
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.command_process import CommandOptions, CommandProcess
from loreley.core.agents.command_report import TextOutput
from loreley.core.agents.presets import Preset, presets
from loreley.core.agents.prices import find_price_problems, read_tariff
from loreley.core.agents.probing import probe
from loreley.core.agents.program_cache import ProgramCaches
from loreley.core.agents.programs import Program, find_program, why_unusable
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import Agent
from loreley.core.agents.router import Router
from loreley.core.sandbox.child_access import folder, missing_paths, private_paths, withheld_names
from loreley.core.sandbox.sandbox import Sandbox
from loreley.envfile import read_env_file
from loreley.errors import ConfigError, Problem

_KIB = 1024


def assemble_agents(
    settings: Settings,
    sandbox: Sandbox,
    environ: Mapping[str, str],
    caches: ProgramCaches | None = None,
) -> Agent | Router:
    """The configured agent, or a choice among several.

    With ``caches`` their programs keep there what they would unpack anew for each job. Raises
    one `ConfigError` with everything that keeps one of them from working.
    """
    problems = [*_find_environment_problems(settings), *find_price_problems(settings)]
    agents: dict[str, Agent] = {}
    for name in settings.agent_weights:
        try:
            agents[name] = _assemble_agent(name, settings, sandbox, environ, caches)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError.of(list(dict.fromkeys(problems)))
    if len(agents) == 1:
        return next(iter(agents.values()))
    return Router(agents, settings.agent_weights)


def agent_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment beneath which `.env` lies: a key may stand in either."""
    values = read_env_file(Path(".env")).values()
    return {name: value for name, value in values.items() if value} | dict(environ)


def granted_variables(settings: Settings) -> tuple[str, ...]:
    """Names of the variables with keys that any of the agents is given."""
    known = presets(settings.worker_agent_presets)
    used = [known[kind] for kind in settings.agent_kinds.values() if kind in known]
    keys = [key for preset in used for key in (*preset.keys, *_gateway_keys(preset))]
    return (*dict.fromkeys(keys), *settings.worker_agent_environment)


def _gateway_keys(preset: Preset) -> Iterator[str]:
    if preset.gateway and preset.gateway.key:
        yield preset.gateway.key


def _assemble_agent(
    name: str,
    settings: Settings,
    sandbox: Sandbox,
    environ: Mapping[str, str],
    caches: ProgramCaches | None,
) -> Agent:
    match kind := settings.agent_kinds[name]:
        case "genetic":
            from loreley.core.agents.genetic.agent import GeneticAgent  # a tenth of a start

            return GeneticAgent()
        case "chat":
            return _assemble_chat_agent(name, settings)
        case "command":
            preset = _make_own_preset(settings)
        case _:
            preset = presets(settings.worker_agent_presets)[kind]
    return _assemble_command_agent(name, preset, settings, sandbox, environ, caches)


def _assemble_chat_agent(name: str, settings: Settings) -> ChatAgent:
    endpoint = assemble_chat_endpoint(name, settings)
    endpoint.check()
    return ChatAgent(
        name,
        endpoint,
        _make_prompter(settings),
        read_tariff(name, settings),
        settings.worker_chat_rounds,
        settings.worker_agent_max_call_dollars,
    )


def _assemble_command_agent(
    name: str,
    preset: Preset,
    settings: Settings,
    sandbox: Sandbox,
    environ: Mapping[str, str],
    caches: ProgramCaches | None,
) -> CommandAgent:
    program = _require_program(preset, environ)
    if preset.flags:
        _probe_program(preset, program, environ, caches)
    home = settings.worker_agent_home
    arguments = settings.of_agent("worker_agent_arguments", name)
    model = settings.of_agent("worker_agent_models", name)
    options = CommandOptions(
        model=model,
        arguments=_split_command_line("WORKER_AGENT_ARGUMENTS", arguments),
        environment=tuple(settings.worker_agent_environment),
        home=folder(home) if home else None,
        readable=tuple(map(folder, settings.worker_agent_read_paths)),
        hidden=tuple(private_paths(settings)),
        network=settings.worker_agent_network,
        idle_seconds=settings.worker_agent_idle_seconds,
        gateway=_read_gateway(name, preset, model, settings),
        cache=caches.find(preset) if caches and not home else None,
        max_call_dollars=settings.worker_agent_max_call_dollars,
    )
    _warn_of_what_is_ignored(name, preset, options, environ)
    _require_key(preset, options, environ)
    return CommandAgent(
        name,
        CommandProcess(preset, program, options, sandbox, environ),
        _make_prompter(settings),
        read_tariff(name, settings),
    )


def _warn_of_what_is_ignored(
    name: str, preset: Preset, options: CommandOptions, environ: Mapping[str, str]
) -> None:
    for variable in preset.ignores:
        if environ.get(variable) and not options.gateway:
            logger.warning(
                "agent {} does not read {}; WORKER_AGENT_GATEWAY is for that", name, variable
            )
    if options.max_call_dollars and not preset.dollar_cap:
        logger.warning(
            "agent {} knows no limit of dollars: WORKER_AGENT_MAX_CALL_DOLLARS does not bind it",
            name,
        )


def _make_own_preset(settings: Settings) -> Preset:
    words = _split_command_line("WORKER_AGENT_COMMAND", settings.worker_agent_command or "")
    if not words:
        raise ConfigError(
            "the agent's command line is not set",
            setting="WORKER_AGENT_COMMAND",
            fix="set it, such as `my-agent --file {prompt_file}`",
        )
    program = str(expanded(words[0]).absolute()) if "/" in words[0] else words[0]
    return Preset("command", program, words[1:], TextOutput(), needs="nothing")


def _require_program(preset: Preset, environ: Mapping[str, str]) -> Program:
    search_path = environ.get("PATH", "")
    program = find_program(preset.program, search_path)
    reason = why_unusable(preset.program, search_path)
    if program is None or reason:
        raise _program_error(preset, reason or "it was not there a moment ago")
    return program


def _program_error(preset: Preset, reason: str) -> ConfigError:
    return ConfigError(
        f"the program of the agent {preset.name!r} cannot be run",
        setting=f"WORKER_AGENT={preset.name}",
        target=preset.program,
        reason=reason,
        fix=preset.install or f"install it and make it executable, or correct {_where(preset)}",
    )


def _where(preset: Preset) -> str:
    """Where its program is named."""
    if preset.name == "command":
        return "WORKER_AGENT_COMMAND"
    return f"[{preset.name}] in the file of WORKER_AGENT_PRESETS"


def _probe_program(
    preset: Preset, program: Program, environ: Mapping[str, str], caches: ProgramCaches | None
) -> None:
    """Ask the program for its version and flags; raises `ConfigError` where it cannot be run."""
    fill = caches.fill if caches else probe
    answer = fill(preset, program, environ)
    if answer.obstacle:
        raise _program_error(preset, answer.obstacle)
    if answer.is_as_expected:
        logger.info("agent {}: {} {}", preset.name, program.path, answer.version)
    elif answer.missing_flags:
        logger.warning(
            "agent {}: version {} does not show {} in its help; its preset was tried with {}",
            preset.name,
            answer.version or "(not told)",
            ", ".join(answer.missing_flags),
            preset.seen or "no version",
        )
    else:
        logger.warning("agent {}: {} does not tell its version", preset.name, program.path)


def _require_key(preset: Preset, options: CommandOptions, environ: Mapping[str, str]) -> None:
    """A key, or a folder to be logged in from, or variables that only the operator knows."""
    names = preset.keys if preset.needs == "key" else preset.variables
    if flaws := list(_find_flawed_keys(preset, environ)):
        raise ConfigError.of(flaws)
    if preset.needs == "nothing" or options.home or options.environment or options.gateway:
        return
    if any(environ.get(name) for name in names) or (preset.needs == "model" and options.model):
        return
    model = " and no model" if preset.needs == "model" else ""
    raise ConfigError(
        f"the agent {preset.name!r} has no key{model}",
        setting=", ".join(preset.keys),
        reason="none of these variables is set, and no home folder is granted",
        fix="set one of them in the environment or in .env, or log in with a HOME of its own and "
        "name that folder in WORKER_AGENT_HOME"
        + (f", or name a local model in WORKER_AGENT_MODELS={preset.name}:…" if model else ""),
    )


def _read_gateway(name: str, preset: Preset, model: str, settings: Settings) -> str:
    """The base URL of the server that agents ask, without /v1; raises where one cannot."""
    url = (settings.worker_agent_gateway or "").rstrip("/").removesuffix("/v1")
    if url and preset.gateway is None and preset.name != "command":
        raise ConfigError(
            f"the agent {preset.name!r} cannot be given another server than its own",
            setting="WORKER_AGENT_GATEWAY",
            fix=f"unset it, or take {name!r} out of WORKER_AGENT",
        )
    if url and preset.gateway and preset.gateway.needs_model and not model:
        raise ConfigError(
            f"the agent {name!r} does not know which model of the gateway to ask",
            setting="WORKER_AGENT_MODELS",
            fix=f"name one, as in WORKER_AGENT_MODELS={name}:<model>",
        )
    return url


def _find_flawed_keys(preset: Preset, environ: Mapping[str, str]) -> Iterator[Problem]:
    for name in preset.keys:
        if reason := find_key_flaw(environ.get(name, "")):
            yield Problem(
                f"{name} is not valid",
                setting=name,
                reason=reason,
                fix="write the key without it, in the environment or in .env",
            )


def _find_environment_problems(settings: Settings) -> Iterator[Problem]:
    yield from missing_paths("WORKER_AGENT_READ_PATHS", settings.worker_agent_read_paths)
    yield from withheld_names("WORKER_AGENT_ENVIRONMENT", settings.worker_agent_environment)
    if settings.worker_agent_home and not folder(settings.worker_agent_home).is_dir():
        yield Problem(
            "WORKER_AGENT_HOME is not a folder",
            setting="WORKER_AGENT_HOME",
            target=str(folder(settings.worker_agent_home)),
            fix="make it, and log in the agents with it as HOME",
        )


def _make_prompter(settings: Settings) -> Prompter:
    template = settings.worker_brief_template
    return Prompter.from_file(
        folder(template) if template else None, settings.worker_brief_max_kb * _KIB
    )


def _split_command_line(setting: str, line: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line))
    except ValueError as error:
        raise ConfigError(
            f"{setting} is not a command line",
            setting=f"{setting}={line[:200]!r}",
            reason=str(error),
            fix="close the quotation; there is no shell, so $NAME and | mean nothing",
        ) from error
