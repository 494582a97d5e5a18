"""The offline agent: changes a source file by one operator, the wanted one or a drawn one."""

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from loreley.core.agents.genetic.operators.material import Mutant, Operator
from loreley.core.agents.genetic.pool import Pool
from loreley.core.agents.genetic.source.files import SourceFile, write_content
from loreley.core.agents.protocol import Brief, CallRecorder, Proposal, Workspace
from loreley.errors import AgentFailed
from loreley.host.deadline import Deadline

_ATTEMPTS = 200  # operators drawn before giving up
_ATTEMPTS_AT_WANTED = 10
_FILES_PER_ATTEMPT = 20


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

        Raises `AgentFailed` when there is nothing that can be changed.
        """
        random = Random(brief.seed)
        pool = Pool(workspace, brief)
        _require_source(pool, deadline)
        for operator in self._draw_operators(brief.operator, pool.has_mates, random):
            for file in _draw_files(pool, random):
                deadline.check("changing a file")
                mutant = _mutate(pool, file, operator, random)
                content = None if mutant is None else pool.content(file, mutant.source)
                if mutant is not None and content is not None:
                    write_content(workspace.path, file.path, content)
                    return _make_proposal(operator, file, mutant)
        raise AgentFailed(
            "no operator found anything to change",
            target=f"{len(pool.paths)} source files",
            reason=f"{_ATTEMPTS} attempts gave nothing new that is allowed and compiles",
        )

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


def _make_proposal(operator: Operator, file: SourceFile, mutant: Mutant) -> Proposal:
    place = f"{file.path}:{_find_first_change(file.text, mutant.source)}"
    subject = f"{mutant.change} in {place}"
    printable = "".join(sign if sign.isprintable() else "?" for sign in subject)
    return Proposal(printable, f"Operator: {operator.name}", operator.name)


def _find_first_change(old: str, new: str) -> int:
    """The number of the line, from 1, from which on the texts differ."""
    before, after = old.splitlines(), new.splitlines()
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return same + 1
