"""What a chat model may do in a worktree by calling tools: read, search, change and measure it."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loreley.core.agents.answers.edits import Edit, apply_edits
from loreley.core.agents.chat.checkout_files import CheckoutFiles
from loreley.core.agents.edit_rules import matches
from loreley.core.agents.protocol import TrialAnswer, TrialOutcome, Trials
from loreley.core.endpoints.conversation import Tool, ToolCall, Tools
from loreley.core.findings import TOLD as FINDINGS_TOLD
from loreley.core.sandbox.child_output import legible
from loreley.host.deadline import Deadline

_LONGEST_RESULT = 32 * 1024  # characters
_MOST_MATCHES = 100
_LONGEST_MATCH = 300  # characters of a line
_MOST_PATHS = 1_000
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 1}

_FILE_TOOLS = (
    Tool("list_files", "The paths of the files, or of those that a glob matches.", {"glob": _TEXT}),
    Tool(
        "search_files",
        "The lines that hold a text, with path and number. It is no pattern, and capital letters "
        "are the same as small ones. A glob says which files are searched.",
        {"text": _TEXT, "glob": _TEXT},
        ["text"],
    ),
    Tool(
        "read_file",
        "The text of a file, or of some of its lines; the first is number 1.",
        {"path": _TEXT, "first_line": _NUMBER, "last_line": _NUMBER},
        ["path"],
    ),
    Tool(
        "edit_file",
        "Replace a part of a file: `search` is what stands there now, exactly, enough of it to be "
        "found only once, and `replace` is what is to stand there. Without `search` a file is "
        "added, or written anew as a whole.",
        {"path": _TEXT, "search": _TEXT, "replace": _TEXT},
        ["path", "replace"],
    ),
)
_TRIAL_TOOLS = (
    Tool(
        "evaluate",
        "Have the evaluator judge the files as they are now. Gives the metrics, the gain on where "
        "you started and on the best so far (above 0 is better), the noise and the end of the "
        "evaluator's log, or why the candidate fails. Equal files are judged once.",
    ),
    Tool("best", "What was told of the best state of the files that was judged so far."),
    Tool("lineage", "The commits that led to where you started, with their figures."),
)
_TOLD = """You have tools to look at the files of the repository, and to change them. Look before
you change what you were not shown. When you are done, say in one short line what you changed, and
then why, without calling a tool. If you know at once what to change, you may answer with edits in
the form that you are told instead."""
_MEASURING = """The tool `evaluate` has your change measured; you have {left} evaluations. Measure
before you settle, go on from what is better, and undo what is not: the best state that was measured
counts, should the last one be worse."""


class _Misused(Exception):
    """A call that cannot be answered; the words are for the model."""


@dataclass(slots=True)
class Toolbox:
    """The tools of one job. What a call does wrong is told to the model, and nothing is raised."""

    files: CheckoutFiles
    tracked: Sequence[str]
    deadline: Deadline
    partial: Collection[str] = ()  # files of which the model was shown parts only
    trials: Trials | None = None
    written: set[str] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)  # from their first line to their last

    @property
    def unseen(self) -> frozenset[str]:
        """The files of which the model knows parts only, so that it cannot write them anew."""
        return frozenset(self.partial) - self._read

    @property
    def tools(self) -> Tools:
        """What the model is offered, and what it is told of it."""
        if self.trials is None:
            return Tools(_FILE_TOOLS, _TOLD)
        told = f"{_TOLD} {_MEASURING.format(left=self.trials.left)}\n{FINDINGS_TOLD}"
        return Tools((*_FILE_TOOLS, *_TRIAL_TOOLS), told)

    def call(self, call: ToolCall) -> str:
        """What comes of a call, as text of a bounded length."""
        try:
            handler = self._handlers.get(call.name)
            if handler is None:
                raise _Misused(f"there is no such tool; there are {', '.join(self._handlers)}")
            return _cut(handler(_parse_arguments(call.arguments)))
        except _Misused as error:
            return f"error: {error}"

    @property
    def _handlers(self) -> Mapping[str, Callable[[Mapping[str, Any]], str]]:
        handlers: dict[str, Callable[[Mapping[str, Any]], str]] = {
            "list_files": self._list,
            "search_files": self._search,
            "read_file": self._read_file,
            "edit_file": self._edit,
        }
        if trials := self.trials:
            handlers |= {
                "evaluate": lambda _: _write_answer(trials.evaluate()),
                "best": lambda _: _write_answer(trials.best()),
                "lineage": lambda _: _write_answer(trials.lineage()),
            }
        return handlers

    def _paths(self, arguments: Mapping[str, Any]) -> list[str]:
        glob = _read_text(arguments, "glob")
        paths = sorted({*self.tracked, *self.written})
        return [path for path in paths if not glob or matches(glob, path)]

    def _list(self, arguments: Mapping[str, Any]) -> str:
        paths = self._paths(arguments)
        more = [f"and {len(paths) - _MOST_PATHS} more"] if len(paths) > _MOST_PATHS else []
        return "\n".join([*paths[:_MOST_PATHS], *more]) or "there is no such file"

    def _search(self, arguments: Mapping[str, Any]) -> str:
        sought = _read_text(arguments, "text").casefold()
        if not sought.strip() or "\n" in sought:
            raise _Misused("`text` is to be a part of one line")
        found: list[str] = []
        for path in self._paths(arguments):
            self.deadline.check("searching the files")
            text = self.files.text(path)
            if text is None or sought not in text.casefold():
                continue
            for number, line in enumerate(text.split("\n"), start=1):
                if sought in line.casefold():
                    found.append(f"{path}:{number}: {line[:_LONGEST_MATCH]}")
            if len(found) > _MOST_MATCHES:
                return "\n".join([*found[:_MOST_MATCHES], "and more: search for something rarer"])
        return "\n".join(found) or "nothing was found"

    def _read_file(self, arguments: Mapping[str, Any]) -> str:
        path = _read_text(arguments, "path").removeprefix("./")
        if path not in self.tracked and path not in self.written:
            raise _Misused(f"there is no file {path[:200]!r}; list_files tells which there are")
        text = self.files.text(path)
        if text is None:
            raise _Misused("it is no text in UTF-8 of at most 4 MiB")
        lines = text.splitlines(keepends=True)
        first = _read_number(arguments, "first_line") or 1
        last = min(_read_number(arguments, "last_line") or len(lines), len(lines))
        shown = "".join(lines[first - 1 : last])
        if first == 1 and last == len(lines) and len(shown) <= _LONGEST_RESULT:
            self._read.add(path)
            return shown or "(the file is empty)"
        if len(shown) > _LONGEST_RESULT:
            shown = shown[:_LONGEST_RESULT]
            last = first + shown.count("\n")
        return f"(lines {first} to {last} of {len(lines)})\n{shown}"

    def _edit(self, arguments: Mapping[str, Any]) -> str:
        path = _read_text(arguments, "path").removeprefix("./")
        replace = arguments.get("replace")
        if not isinstance(replace, str):
            raise _Misused("`replace` is to be a text")
        search = _plain(_read_text(arguments, "search"))
        edit = _make_edit(path, search, _plain(replace), self.files.text(path) or "")
        contents, errors = apply_edits(
            [edit], self.files.text, self.files.objection_to, self.unseen
        )
        if errors:
            raise _Misused("; ".join(errors))
        if all(self.files.text(each) == text for each, text in contents.items()):
            raise _Misused("that changes nothing")
        self.files.write(contents)
        self.written.update(contents)
        return "done"


def _parse_arguments(text: str) -> Mapping[str, Any]:
    try:
        arguments = json.loads(text or "{}", strict=False)
    except (ValueError, RecursionError) as error:
        raise _Misused(f"the arguments are no JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise _Misused("the arguments are to be an object")
    return arguments


def _read_text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Misused(f"`{name}` is to be a text")
    return value


def _read_number(arguments: Mapping[str, Any], name: str) -> int | None:
    value = arguments.get(name)
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _Misused(f"`{name}` is to be the number of a line, from 1")
    return value


def _make_edit(path: str, search: str, replace: str, text: str) -> Edit:
    """An edit of whole lines, though a part of a line may be named."""
    if not search:
        return Edit(path, _end_line(replace))
    if text.count(search) != 1:  # its lines may be found where their blanks are not the same
        return Edit(path, _end_line(replace), _end_line(search))
    begin = text.index(search)
    end = begin + len(search)
    line_begin = text.rfind("\n", 0, begin) + 1
    line_end = end if search.endswith("\n") else text.find("\n", end) + 1 or len(text)
    if search.endswith("\n"):
        replace = _end_line(replace)
    whole = text[line_begin:begin] + replace + text[end:line_end]
    return Edit(path, whole, text[line_begin:line_end], text.count("\n", 0, begin) + 1)


def _end_line(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _plain(text: str) -> str:
    """With plain line ends, and without halves of characters, which JSON may hold."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n")


def _write_answer(answer: TrialAnswer) -> str:
    failed = "" if answer.outcome is TrialOutcome.MEASURED else f"{answer.outcome.name.lower()}: "
    return legible(failed + json.dumps(answer.content, indent=1))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_RESULT + 200 else text[:_LONGEST_RESULT] + "\n[cut]"
