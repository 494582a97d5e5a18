"""The command `loreley`: the operator's tasks in any folder, which then is the project."""

import difflib
import os
import re
from inspect import getdoc
from typing import Any, NoReturn, get_args

from invoke.collection import Collection
from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.program import Program
from invoke.tasks import Task

from loreley.commands import export, fleet, maintain, observe, run
from loreley.commands.project import EXAMPLE, find_home
from loreley.invocation import PROGRAM, RUN, installed_version
from loreley.ops.messages import failures_as_messages

_NAME = "loreley"
_WRONG_USAGE = 2
_CORE_FLAGS = re.compile(r"--(run|help|list|print-completion-script|version)(?![\w-])")
_UNKNOWN = re.compile(r"No idea what '(?P<word>.*)' is!")
_WITHOUT_VALUE = re.compile(r"Flag <Argument: (?P<flag>[\w-]+).*> needed value")
_ANY_KIND = re.compile(r"STRING|INT")


def operator_tasks() -> list[Task[Any]]:
    """All that an operator types."""
    groups = (run, observe, fleet, export, maintain)
    return [task for group in groups for task in vars(group).values() if isinstance(task, Task)]


def main() -> None:
    """Run what the command line says."""
    os.environ[PROGRAM] = _NAME
    namespace = Collection(*operator_tasks())
    namespace.configure({"root": os.curdir, "home": str(find_home()), "example": EXAMPLE})
    with failures_as_messages():
        _OperatorProgram(name=_NAME, binary=_NAME, namespace=namespace).run()


class _OperatorProgram(Program):
    """Invoke's program, which names the nearest of what is unknown, and the kind of each flag."""

    def core_args(self) -> list[Argument]:
        """Invoke's own flags, and the one that says which run is meant."""
        help_text = "the run that is meant, of several in one state folder or database"
        return [*super().core_args(), Argument(names=("run",), help=help_text)]

    def execute(self) -> None:
        """Run the task for the run that is meant."""
        if self.args.run.value:
            os.environ[RUN] = self.args.run.value
        super().execute()

    def normalize_argv(self, argv: list[str] | None) -> None:
        """Take the command line; Invoke gives a task that needs a word its ``--help`` as that."""
        super().normalize_argv(argv)
        match self.argv:
            case [program, task, *rest] if "--help" in rest and not task.startswith("-"):
                self.argv = [program, "--help", task]

    def parse_tasks(self) -> None:
        """Read tasks and flags; ends with `Exit` where one is unknown or lacks its value."""
        try:
            super().parse_tasks()
        except ParseError as error:
            self._explain(str(error), error.context)

    def parse_cleanup(self) -> None:
        """See to the flags that stand before tasks."""
        try:
            super().parse_cleanup()
        except ParseError as error:
            self._explain(str(error), None)

    def print_version(self) -> None:
        """The version that is installed."""
        print(f"{_NAME} {installed_version()}")

    def print_help(self) -> None:
        """The tasks, and the few flags that stand before them."""
        print(f"Usage: {_NAME} TASK [--flags]\n\nThe folder it is typed in is the project.\n")
        self.list_tasks()
        print("Flags:\n")
        core = self.initial_context.help_tuples()
        self.print_columns([row for row in core if _CORE_FLAGS.search(row[0])])
        print(f"`{_NAME} TASK --help` tells what a task does and its flags.")

    def print_task_help(self, name: str) -> None:
        """What a task does, and its flags with the kind of value that each takes."""
        context = self.parser.contexts[name]
        kinds = _read_kinds(self.collection[name])
        wanted = [kinds[each.name] for each in context.positional_args]
        print(" ".join([f"Usage: {_NAME} {name}", *wanted, "[--flags]\n"]))
        print(f"{getdoc(self.collection[name])}\n")
        rows = []
        for each in context.args.values():
            flags, said = context.help_for(f"--{each.name}")
            default = f" (default {each.default})" if isinstance(each.default, str) else ""
            rows.append((_ANY_KIND.sub(kinds[each.name], flags), said + default))
        self.print_columns(rows)

    def _explain(self, message: str, context: ParserContext | None) -> NoReturn:
        """End with what is wrong on the command line, and the nearest that is right."""
        from loreley.errors import Problem

        task = context.name if context is not None else None
        typed = f"{_NAME} {task}" if task else _NAME
        meant = ""
        if unknown := _UNKNOWN.search(message):
            word = unknown["word"]
            kind, known = "task", list(self.collection.task_names)
            if word.startswith("-"):
                kind, known = "flag", list((context or self.initial_context).flags)
            message = f"`{typed}` has no {kind} {word}"
            near = difflib.get_close_matches(word, known, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
        elif missing := _WITHOUT_VALUE.search(message):
            message = f"`{typed} --{missing['flag']}` needs a value"
        elif context is not None and context.missing_positional_args:
            kinds = _read_kinds(self.collection[context.name])
            wanted = [kinds[str(each.name)] for each in context.missing_positional_args]
            message = f"`{typed}` needs {' and '.join(wanted)}"
        fix = f"{meant}`{typed} --help` tells its {'flags' if task else 'tasks'}"
        raise Exit(str(Problem(message, fix=fix)), code=_WRONG_USAGE)


def _read_kinds(task: Task[Any]) -> dict[str, str]:
    """What each flag's value is, such as FILE, by the annotation of the parameter behind it."""
    return {
        name.replace("_", "-"): next(
            (
                each.__metadata__[0]
                for each in (annotation, *get_args(annotation))
                if hasattr(each, "__metadata__")
            ),
            "TEXT",
        )
        for name, annotation in task.body.__annotations__.items()
    }
