"""The offline agent: changes a source file by one operator, the wanted one or a drawn one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from loreley.core.agents.genetic.operators.material import Mutant, Operator
from loreley.core.agents.genetic.places import Places, find_places
from loreley.core.agents.genetic.pool import Pool
from loreley.core.agents.genetic.source.bindings import breaks_names
from loreley.core.agents.genetic.source.files import SourceFile, write_content
from loreley.core.agents.genetic.source.languages import PYTHON
from loreley.core.agents.protocol import Brief, CallRecorder, Proposal, Workspace
from loreley.errors import AgentFailed
from loreley.host.deadline import Deadline

_ATTEMPTS = 300  # operators drawn before giving up
_ATTEMPTS_AT_WANTED = 10
_FILES_PER_ATTEMPT = 20
_GOOD_CHANCE = 0.5  # of such changes none is preferred
_MOST_DRAWN = 120  # changes to choose among, before the most promising of them is taken
_MOST_KNOWN = 12  # that were judged before, until one is left to be refused


@dataclass(frozen=True, slots=True)
class _Draw:
    """A change that could be made."""

    operator: Operator
    file: SourceFile
    mutant: Mutant
    content: bytes
    places: Places
    chance: float  # that a metric feels it


class GeneticAgent:
    """Genetic improvement of source files, without a key or a network.

    All randomness comes from the brief's seed: the same brief on the same base gives the same
    bytes. What is changed is neither a test nor a generated or vendored file, lies where the
    brief allows it, and compiles where it is Python.
    """

    def __init__(self, name: str = "genetic", operators: Sequence[Operator] | None = None) -> None:
        """``operators`` is the table to draw from, by default `operators.OPERATORS`."""
        if operators is None:
            # Not at the top: libcst is slow to import, and whoever only asks for the agent's
            # name should not wait for it.
            from loreley.core.agents.genetic.operators.table import OPERATORS

            operators = OPERATORS
        self._name = name
        self._operators = tuple(operators)

    @property
    def name(self) -> str:
        """How the agent is called in settings, logs and statistics."""
        return self._name

    def propose(
        self,
        workspace: Workspace,
        brief: Brief,
        deadline: Deadline,
        recorder: CallRecorder | None = None,  # noqa: ARG002 - it makes no calls
    ) -> Proposal:
        """Change one file by the brief's operator, or by another where that one finds nothing.

        What was judged before is drawn anew, and where changes have not moved any metric others
        are drawn instead, the more often the less it was felt. Raises `AgentFailed` when there is
        nothing that can be changed.
        """
        pool = Pool(workspace, brief)
        _require_source(pool, deadline)
        last = None
        draws = self._draw_changes(pool, brief, Random(brief.seed), deadline)
        chosen = filter(_keeps_names, _choose(draws, Random(f"{brief.seed} accepted")))
        for draw in islice(chosen, _MOST_KNOWN):
            if last is not None:
                write_content(workspace.path, last.file.path, _encode(last.file))
            write_content(workspace.path, draw.file.path, draw.content)
            last = draw
            if not brief.past.is_known():
                break
        if last is not None:
            return _make_proposal(last)
        raise AgentFailed(
            "no operator found anything to change",
            target=f"{len(pool.paths)} source files",
            reason=f"{_ATTEMPTS} attempts gave nothing new that is allowed and compiles",
        )

    def _draw_changes(
        self, pool: Pool, brief: Brief, random: Random, deadline: Deadline
    ) -> Iterator[_Draw]:
        """Changes that are allowed and compile, none of them twice."""
        seen = set()
        for operator in self._draw_operators(brief.operator, pool.has_mates, random):
            for file in _draw_files(pool, random):
                deadline.check("changing a file")
                mutant = _mutate(pool, file, operator, random)
                content = None if mutant is None else pool.content(file, mutant.source)
                if mutant is None or content is None or (file.path, content) in seen:
                    continue
                seen.add((file.path, content))
                places = find_places(file.path, file.text, mutant.source, operator.name)
                chance = places.chance(brief.past.tries_at(places.all_names))
                yield _Draw(operator, file, mutant, content, places, chance)

    def _draw_operators(
        self, wanted: str | None, has_mates: bool, random: Random
    ) -> Iterator[Operator]:
        usable = [operator for operator in self._operators if has_mates or not operator.crosses]
        for operator in usable:
            if operator.name == wanted:
                yield from [operator] * _ATTEMPTS_AT_WANTED
        weights = [operator.weight for operator in usable]
        for _ in range(_ATTEMPTS if usable else 0):
            yield random.choices(usable, weights)[0]


def _choose(draws: Iterator[_Draw], random: Random) -> Iterator[_Draw]:
    """The draws by their chance, as they come; in the end those left out, the likeliest first."""
    left_out = []
    for draw in islice(draws, _MOST_DRAWN):
        if draw.chance >= _GOOD_CHANCE or random.random() < draw.chance**2:
            yield draw
        else:
            left_out.append(draw)
    yield from sorted(left_out, key=lambda draw: -draw.chance)


def _keeps_names(draw: _Draw) -> bool:
    """Whether every name can be bound when it is asked for, as far as that can be read."""
    is_python = draw.file.language is PYTHON
    return not is_python or not breaks_names(draw.file.text, draw.mutant.source)


def _require_source(pool: Pool, deadline: Deadline) -> None:
    for path in pool.paths:
        deadline.check("looking for source files")
        if pool.source(path) is not None:
            return
    raise AgentFailed(
        "there is no source file to change",
        reason="none of those tracked compiles, or all are generated or too large"
        if pool.paths
        else "the base commit tracks none that may be changed",
        fix="let the repository hold source outside of its tests, see WORKER_GATE_EDITABLE_PATHS "
        "and WORKER_GATE_PROTECTED_PATHS, or use another agent",
    )


def _draw_files(pool: Pool, random: Random) -> Iterator[SourceFile]:
    order = random.sample(pool.paths, len(pool.paths))
    return islice((file for path in order if (file := pool.source(path))), _FILES_PER_ATTEMPT)


def _mutate(pool: Pool, file: SourceFile, operator: Operator, random: Random) -> Mutant | None:
    """What the operator makes of the file, if that is anything new."""
    try:
        mutant = operator.mutant(pool.material(file, operator, random), random)
    except RecursionError:  # a tree deeper than Python's own limit
        return None
    return mutant if mutant is not None and mutant.source != file.text else None


def _encode(file: SourceFile) -> bytes:
    """The file as it was."""
    return file.text.encode(file.encoding)


def _make_proposal(draw: _Draw) -> Proposal:
    place = f"{draw.file.path}:{_find_first_change(draw.file.text, draw.mutant.source)}"
    subject = f"{draw.mutant.change} in {place}"
    printable = "".join(sign if sign.isprintable() else "?" for sign in subject)
    name = draw.operator.name
    places = draw.places
    return Proposal(
        printable,
        f"Operator: {name}",
        name,
        places.names,
        places.shared_names,
        costs_nothing=True,
    )


def _find_first_change(old: str, new: str) -> int:
    """The number of the line, from 1, from which on the texts differ."""
    before, after = old.splitlines(), new.splitlines()
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return same + 1
