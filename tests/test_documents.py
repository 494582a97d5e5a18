"""What the documents name must be there: links, tasks and their flags, scripts, settings."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.loader import FilesystemLoader
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser
from invoke.program import Program

from loreley.config import environment_names
from loreley.core.agents.measuring.server import VARIABLE
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.core.sandbox.tools import Tools
from loreley.errors import EvaluationFailed
from loreley.host.deadline import Deadline
from tests.support import PROJECT_ROOT

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", ".agents/skills/*/SKILL.md")
    for path in PROJECT_ROOT.glob(pattern)
    if path.is_file()
)
SOURCES = [
    path
    for pattern in ("loreley/**/*.py", "script/*.py", "tasks.py", "examples/*.py")
    for path in sorted(PROJECT_ROOT.glob(pattern))
]
each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT_ROOT))
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[(?:[^\]`]|`[^`]*`)*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?) *#*$", re.MULTILINE)
_SHELL = ("bash", "console", "sh")
_SETTING = re.compile(
    r"(?<![\w$/])((?:TASKS|WORKER|SCHEDULER|MAPELITES|LORELEY|LOGS|LOG|DATABASE)_[A-Z0-9_]+)(\*?)"
)


def prose(text: str) -> str:
    """The text without its code blocks."""
    return _FENCE.sub("", text)


def links(document: Path) -> Iterator[tuple[Path, str]]:
    """Where the document's relative links lead: a path and an anchor."""
    for target in _LINK.findall(prose(document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        yield (document.parent / path).resolve() if path else document, anchor


def page(path: Path) -> Path:
    """The document that is shown for a path: a folder shows its README."""
    return path / "README.md" if path.is_dir() else path


@cache
def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, made as the usual sites make them."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(document.read_text())):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = 1
        while slug in found:
            slug = f"{slug.rstrip('0123456789').rstrip('-')}-{number}"
            number += 1
        found.add(slug)
    return found


@each_document
def test_every_relative_link_resolves(document: Path) -> None:
    for path, anchor in links(document):
        assert path.exists(), path
        if anchor:
            assert anchor in anchors(page(path)), f"{path}#{anchor}"


def test_every_document_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [PROJECT_ROOT / "README.md"]
    while ahead:
        document = ahead.pop()
        if document not in reached and document.suffix == ".md" and document.is_file():
            reached.add(document)
            ahead += [page(path) for path, _ in links(document)]

    assert set(DOCUMENTS) - reached == set()


def commands(text: str) -> Iterator[list[str]]:
    """The words of every command line in shell blocks, prompts and continued lines understood."""
    for language, block in _FENCE.findall(text):
        if language in _SHELL:
            for line in block.replace("\\\n", " ").splitlines():
                if language != "console" or line.startswith("$ "):
                    yield from simple_commands(line.removeprefix("$ "))


def simple_commands(line: str) -> Iterator[list[str]]:
    """What stands between `&&`, `;` and pipes, without comments."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # half of something that spans lines
        return
    command: list[str] = []
    for word in [*words, ";"]:
        if word in ("&&", "||", "|", ";"):
            if command:
                yield command
            command = []
        else:
            command.append(word)


def after(words: list[str], program: str) -> list[str] | None:
    """The arguments of ``program`` in a command line, or None where it is another's."""
    places = [n for n, word in enumerate(words) if word.rpartition("/")[2] == program]
    return words[places[0] + 1 :] if places else None


@cache
def tasks() -> Collection:
    module, _ = FilesystemLoader(start=str(PROJECT_ROOT)).load("tasks")
    return Collection.from_module(module)


def parse(arguments: list[str]) -> None:
    """Read ``invoke <arguments>`` as Invoke does, in two steps; raises what it raises."""
    initial = ParserContext(args=Program().core_args())
    core = Parser(initial=initial, ignore_unknown=True).parse_argv(arguments)
    wanted = core[0].args["help"].value
    assert not isinstance(wanted, str) or wanted in tasks().task_names, wanted
    read = Parser(initial=initial, contexts=tasks().to_contexts()).parse_argv(core.unparsed)
    assert not read[0].args["list"].value, "Invoke would list its tasks"


def invocations(text: str) -> Iterator[list[str]]:
    """The arguments of every call of Invoke, in blocks and in the text."""
    for words in commands(text):
        if (arguments := after(words, "invoke")) is not None:
            yield arguments
    for span in _SPAN.findall(prose(text)):
        words = span.split()
        if "invoke" in words and "…" not in words and "<task>" not in words:
            yield words[words.index("invoke") + 1 :]


@each_document
def test_every_task_and_flag_exists(document: Path) -> None:
    for arguments in invocations(document.read_text()):
        known = [re.sub(r"^[A-Z]$", "1", word) for word in arguments]
        try:
            parse(known)
        except (ParseError, AssertionError) as error:
            pytest.fail(f"invoke {' '.join(arguments)}: {error}")


def test_tasks_that_messages_advise_exist() -> None:
    for source in SOURCES:
        for span in re.findall(r"`((?:uv run )?invoke [^`…{\n]*)`", source.read_text()):
            words = span.split()
            try:
                parse(words[words.index("invoke") + 1 :])
            except (ParseError, AssertionError) as error:
                pytest.fail(f"{source.name}: {span}: {error}")


@each_document
def test_no_merge_left_its_marks(document: Path) -> None:
    assert not re.findall(r"^(?:<{7}|>{7}) .*", prose(document.read_text()), re.MULTILINE)


def test_the_page_of_the_tasks_tells_of_every_task() -> None:
    text = (PROJECT_ROOT / "docs" / "tasks.md").read_text()
    described = re.findall(r"^(?:## |\| `)([\w, ]+)", text, re.MULTILINE)
    for name in tasks().task_names:
        summary = (tasks()[name].__doc__ or "").strip().partition("\n")[0]
        assert f"\n  {name:<11} {summary}\n" in text
        assert any(name in words.split(", ") for words in described), name


def test_the_parser_refuses_what_does_not_exist() -> None:
    for arguments in (["no-such-task"], ["worker", "--no-such-flag"]):
        with pytest.raises(ParseError):
            parse(arguments)


@cache
def flags_of(script: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=True
    )
    return done.stdout


@each_document
def test_every_script_exists_and_knows_the_flags(document: Path) -> None:
    text = document.read_text()
    for name in re.findall(r"(?<![\w/])((?:script|examples)/[\w/]+\.py)\b", text):
        assert (PROJECT_ROOT / name).is_file(), name
    for words in commands(text):
        for n, word in enumerate(words):
            if re.fullmatch(r"(?:script|examples)/\w+\.py", word):
                for flag in (each for each in words[n + 1 :] if each.startswith("--")):
                    assert flag in flags_of(PROJECT_ROOT / word).split(), f"{word} {flag}"


@pytest.fixture(scope="session")
def evaluator_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names beginning with LORELEY_ that an evaluator finds in its environment."""
    folder = tmp_path_factory.mktemp("evaluator")
    scratch = folder / "scratch"
    scratch.mkdir()
    answer = '{"metrics": [{"name": "x", "value": 1}]}'
    command = ("sh", "-c", f"env; echo '{answer}' > {{result}}")
    sandbox = Sandbox(Level.LIMITS, Tools("/bin/sh"))
    evaluator = Evaluator(EvaluatorOptions(command=command), sandbox)
    judgement = evaluator.evaluate(folder, "0" * 40, scratch, Deadline.after(30))
    return set(re.findall(r"^(LORELEY_\w+)=", judgement.log, re.MULTILINE))


def example(document: Path, containing: str) -> str:
    """The one code block of the document that holds these words."""
    blocks: list[str] = [code for _, code in _FENCE.findall(document.read_text())]
    [block] = [code for code in blocks if containing in code]
    return block


@pytest.mark.parametrize("kind", ["plugin", "command"])
def test_the_example_evaluators_evaluate(kind: str, tmp_path: Path) -> None:
    document = PROJECT_ROOT / "docs" / "loreley" / "tasks" / "workers.md"
    worktree, scratch = tmp_path / "worktree", tmp_path / "scratch"
    worktree.mkdir()
    scratch.mkdir()
    (worktree / "benchmark.py").write_text("print(42)\n")
    if kind == "plugin":
        (worktree / "benchmark.py").unlink()
        (worktree / "program.py").write_text("print(input())\n")
        (tmp_path / "input.txt").write_text("42\n")
        digest = sha256(b"42\n").hexdigest()
        code = example(document, "def evaluate")
        code = re.sub(r'(?<=EXPECTED = ")[^"]+', digest, code)
        (tmp_path / "speed.py").write_text(code)
        options = EvaluatorOptions(plugin="speed:evaluate", python_paths=(tmp_path,))
    else:
        (tmp_path / "measure.sh").write_text(example(document, "#!/bin/sh"))
        (tmp_path / "measure.sh").chmod(0o755)
        options = EvaluatorOptions(command=(str(tmp_path / "measure.sh"),))
    evaluator = Evaluator(options, Sandbox(Level.LIMITS, Tools("/bin/sh")))

    evaluator.check()
    evaluation = evaluator.evaluate(worktree, "0" * 40, scratch, Deadline.after(30)).evaluation

    assert (
        evaluation.value("lines" if kind == "plugin" else "score")
        == {"plugin": 1, "command": 42}[kind]
    )
    if kind == "plugin":
        assert (evaluation.value("seconds") or 0.0) > 0
        (tmp_path / "second").mkdir()
        (worktree / "program.py").write_text("print(43)\n")
        with pytest.raises(EvaluationFailed, match="the result is wrong"):
            evaluator.evaluate(worktree, "0" * 40, tmp_path / "second", Deadline.after(30))


@each_document
def test_every_setting_exists(document: Path, evaluator_names: set[str]) -> None:
    known = environment_names() | evaluator_names | {VARIABLE}
    for name, wildcard in _SETTING.findall(document.read_text()):
        exists = any(each.startswith(name) for each in known) if wildcard else name in known
        assert exists, f"{name}{wildcard}"
