"""A model without a mind: it writes one file with the tools that it is given, then says so.

It has a coding agent use its own tools: the one that writes files, by whatever name and
arguments, then its shell. Which protocol asked makes no difference here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

FILE = "written.py"
WRITTEN = "written = True\n"
SHELL_COMMAND = f"printf 'ran = True\\n' >> {FILE}"
CONTENT = f"{WRITTEN}ran = True\n"  # of the file, once both tools were used
MEASURING = "# Measuring"  # a heading of briefs
EVALUATE_TOOL = "mcp__loreley__evaluate"
EVALUATE_COMMAND = 'env "$LORELEY_EVALUATE"'
DONE = "Write the file\n\nIt was missing."
INPUT_TOKENS, OUTPUT_TOKENS = 1000, 50  # of each answer

_ASKED = re.compile(r"Write this file: (\S+) now")
_TOLD_IN_FILE = re.compile(r"Do what the file (\S+) says")
_END_COMMAND = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"  # of mini-swe-agent
_WRITERS = ("write", "write_file", "create", "create_file", "write_to_file", "editor")
_EDITORS = ("edit", "edit_file", "str_replace_editor")
_SHELLS = (
    *("bash", "shell", "run_shell_command", "shell_command", "exec_command", "execute"),
    *("execute_command", "run_commands", "run_command", "terminal", "developer__shell"),
)
_PATHS = ("file_path", "filepath", "path", "absolute_path", "file", "filename", "target_file")
_CONTENTS = ("content", "contents", "file_text", "text", "new_text", "new_string", "newtext")
_COMMANDS = ("command", "commands", "cmd", "script")
_HARMLESS = {"boolean": False, "integer": 1, "number": 1, "array": [], "object": {}}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the agent offers; one without a schema takes a text."""

    name: str
    schema: Mapping[str, Any] | None = None
    namespace: str = ""  # of a server, where the protocol has such

    @property
    def plain_name(self) -> str:
        """Its name without the server that offers it."""
        return re.split(r"__|\.", self.name.lower())[-1]


@dataclass(frozen=True, slots=True)
class Question:
    """What an agent asks, whatever its protocol."""

    tools: tuple[Tool, ...]
    results: int  # of tools that were used so far
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What the model does next: a tool by its name, or words alone."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    free_text: str | None = None  # for a tool that takes a text in place of arguments
    namespace: str = ""  # of the tool

    @property
    def written_arguments(self) -> str:
        """The arguments as JSON."""
        return json.dumps(self.arguments)


def take_step(question: Question) -> Step:
    """Write the file, then run a command, then say so."""
    wanted, brief = _ASKED.search(question.text), _TOLD_IN_FILE.search(question.text)
    path = wanted[1] if wanted else FILE
    shell = _find(question, _SHELLS)
    if shell and brief:
        if not question.results:
            return _use(shell, path, f"cat {brief[1]}")
        question = replace(question, results=question.results - 1)
    script = _find(question, ("exec",))
    if script and script.schema is None:  # codex: its tools are called from JavaScript
        return _run_script(script, question)
    wanted_steps = (_write(question, path), _run(question), *_measure(question))
    steps = [step for step in wanted_steps if step]
    if not steps:
        return Step(_answer_in_words(question))
    if question.results < len(steps):
        return steps[question.results]
    return _finish(question, len(steps))


def _find(question: Question, names: tuple[str, ...]) -> Tool | None:
    return next(
        (tool for name in names for tool in question.tools if tool.plain_name == name), None
    )


def _write(question: Question, path: str) -> Step | None:
    if tool := _find(question, _WRITERS):
        return _use(tool, path, SHELL_COMMAND)
    if tool := _find(question, ("apply_patch",)):
        patch = _patch()
        if tool.schema is None:
            return Step(tool=tool.name, free_text=patch)
        name = next(iter(tool.schema.get("properties") or {"input": None}))
        return Step(tool=tool.name, arguments={name: patch})
    if tool := _find(question, _EDITORS):
        return _use(tool, path, SHELL_COMMAND)
    if tool := _find(question, _SHELLS):
        return _use(tool, path, f"printf 'written = True\\n' > {FILE}")
    return None


def _run(question: Question) -> Step | None:
    tool = _find(question, _SHELLS)
    return _use(tool, FILE, SHELL_COMMAND) if tool else None


def _measure(question: Question) -> tuple[Step | None, ...]:
    """Ask for an evaluation by the tool and by the command, where the brief tells of them."""
    if MEASURING not in question.text:
        return ()
    found = next((each for each in question.tools if each.name.endswith("evaluate")), None)
    steps = [Step(tool=found.name, namespace=found.namespace)] if found else []
    if _find(question, ("tool_search",)):  # qwen: tools of servers are looked up first
        query = {"query": f"select:{EVALUATE_TOOL}"}
        steps = [Step(tool="tool_search", arguments=query), Step(tool=EVALUATE_TOOL)]
    shell = _find(question, _SHELLS)
    return (*steps, _use(shell, FILE, EVALUATE_COMMAND) if shell else None)


def _use(tool: Tool, path: str, command: str) -> Step:
    return Step(tool=tool.name, arguments=_fill_in(tool.schema or {}, path, command))


def _fill_in(schema: Mapping[str, Any], path: str, command: str) -> dict[str, Any]:
    """Arguments by the names in the schema; what else is required gets a harmless value."""
    required, found = set(schema.get("required") or ()), dict[str, Any]()
    for name, spec in (schema.get("properties") or {}).items():
        kind, known = spec.get("type", "string"), name.lower()
        if known in _PATHS:
            found[name] = path
        elif known in _CONTENTS:
            found[name] = WRITTEN
        elif known in _COMMANDS and "enum" in spec:
            found[name] = "create"
        elif known in _COMMANDS:
            found[name] = [command] if kind == "array" else command
        elif name in required:
            found[name] = (spec.get("enum") or [_HARMLESS.get(str(kind), "")])[0]
    return found


def _run_script(tool: Tool, question: Question) -> Step:
    scripts: tuple[str, ...] = (
        f"text(await tools.apply_patch({json.dumps(_patch())}));",
        f"text(await tools.exec_command({{cmd: {json.dumps(SHELL_COMMAND)}}}));",
    )
    if MEASURING in question.text:
        by_tool = f"text(JSON.stringify(await tools.{EVALUATE_TOOL}({{}})));"
        by_command = f"text(await tools.exec_command({{cmd: {json.dumps(EVALUATE_COMMAND)}}}));"
        scripts = (*scripts, by_tool, by_command)
    if question.results < len(scripts):
        return Step(tool=tool.name, free_text=scripts[question.results])
    return Step(DONE)


def _patch() -> str:
    added = "".join(f"+{line}\n" for line in WRITTEN.splitlines())
    return f"*** Begin Patch\n*** Add File: {FILE}\n{added}*** End Patch"


def _finish(question: Question, steps: int) -> Step:
    shell = _find(question, _SHELLS)
    if shell and _END_COMMAND in question.text and question.results == steps:
        return _use(shell, FILE, f"{_END_COMMAND} && echo {DONE.splitlines()[0]}")
    return Step(DONE)


def _answer_in_words(question: Question) -> str:
    """An edit as text, for agents whose models have no tools."""
    if "SEARCH/REPLACE" in question.text or "file listing" in question.text:
        return f"{DONE}\n\n{FILE}\n```\n{CONTENT}```\n"
    return DONE
