"""Places are known again when code moves, and those that no metric feels are chosen less."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.genetic.places import Places, find_places
from loreley.core.agents.protocol import Proposal
from loreley.core.jobs import Tries
from loreley.host.deadline import Deadline
from tests.core.agents.genetic.folder import Folder, brief, folder

SOURCE = "def area():\n    width = 3\n    height = 4\n    return width * height\n\n\nMARK = 7\n"


@dataclass
class Memory:
    """What earlier jobs have left, in memory; it fulfils `Past`."""

    workspace: Folder
    judged: list[dict[str, bytes]] = field(default_factory=list)
    tries: dict[str, Tries] = field(default_factory=dict)
    asked: int = 0

    def is_known(self) -> bool:
        self.asked += 1
        return self.workspace.contents() in self.judged

    def tries_at(self, places: Sequence[str]) -> Mapping[str, Tries]:
        return {place: self.tries[place] for place in places if place in self.tries}

    def learn(self, places: Sequence[str], *, moved: bool) -> None:
        for place in places:
            known = self.tries.get(place, Tries())
            self.tries[place] = Tries(known.changed + 1, known.moved + moved)


def places(old: str, new: str, operator: str = "shift-number") -> Places:
    return find_places("a.py", old, new, operator)


def changed(old: str, new: str) -> Places:
    return places(SOURCE, SOURCE.replace(old, new))


def propose(workspace: Folder, past: Memory, seed: int) -> Proposal:
    return GeneticAgent().propose(workspace, brief(seed, past=past), Deadline.after(60))


def test_a_line_keeps_its_name_when_code_moves_and_numbers_change() -> None:
    first = changed("height = 4", "height = 5")
    moved = "import math\n\n" + SOURCE.replace("height = 4", "height = 12.5")

    assert places(moved, moved.replace("12.5", "1e-3")).lines == first.lines
    assert changed("width = 3", "width = 1").lines != first.lines
    assert changed("width = 3", "width = 1").lines[0].block == first.lines[0].block
    assert changed("MARK = 7", "MARK = 8").lines[0].block != first.lines[0].block


def test_what_is_put_in_belongs_to_the_line_above() -> None:
    added = changed("    height = 4\n", "    height = 4\n    height = height\n")

    assert added.lines == changed("height = 4", "height = 5").lines


def test_a_wide_change_says_nothing_of_single_lines() -> None:
    wide = places(SOURCE, SOURCE.translate(str.maketrans("347dh", "981xy")))

    assert len(wide.lines) > 3
    assert wide.names == (wide.file, wide.operator)


def test_a_line_that_no_metric_feels_is_less_likely_and_its_neighbours_a_little() -> None:
    dead, near, far = changed("= 7", "= 8"), changed("= 4", "= 5"), changed("= 3", "= 5")
    tries: dict[str, Tries] = dict.fromkeys(dead.names[2:], Tries(4, 0))
    tries |= {near.file: Tries(8, 4)} | dict.fromkeys(near.names[2:], Tries(4, 4))

    assert places("", "").chance({}) == 1.0
    assert dead.chance(tries) < 0.1
    assert 0.5 < far.chance(tries) < near.chance(tries)
    assert changed("= 7", "= 9").chance(dict.fromkeys(dead.names, Tries(1000, 0))) == 0.05


def test_what_was_judged_before_is_drawn_anew_within_the_job(tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []
    for number in range(6):
        workspace = folder(tmp_path / str(number), {"a.py": SOURCE})
        propose(workspace, Memory(workspace, seen), 1)  # the same seed each time

        assert workspace.contents() not in seen
        assert workspace.contents() != {"a.py": SOURCE.encode()}
        seen.append(workspace.contents())


def test_the_same_seed_and_past_give_the_same_change(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        workspace = folder(tmp_path / str(number), {"a.py": SOURCE})
        past = Memory(workspace)
        past.learn(changed("= 7", "= 8").names, moved=False)
        past.learn(changed("= 3", "= 4").names, moved=True)
        found.append((propose(workspace, past, 5), workspace.contents()))

    assert found[0] == found[1]


def test_where_everything_is_known_the_last_is_left_to_be_refused(tmp_path: Path) -> None:
    class Everything(Memory):
        def is_known(self) -> bool:
            self.asked += 1
            return True

    workspace = folder(tmp_path, {"a.py": SOURCE})
    past = Everything(workspace)

    propose(workspace, past, 1)

    assert 1 < past.asked <= 12
    assert workspace.contents() != {"a.py": SOURCE.encode()}


def test_dead_code_is_left_alone_once_it_is_known(tmp_path: Path) -> None:
    """`MARK` moves no metric, what is in the function does: learnt from one job to the next."""
    counted: Counter[bool] = Counter()
    tries: dict[str, Tries] = {}
    for seed in range(60):
        workspace = folder(tmp_path / str(seed), {"a.py": SOURCE})
        past = Memory(workspace, tries=tries)
        proposal = propose(workspace, past, seed)
        content = workspace.contents()["a.py"].decode()
        is_felt = content.partition("MARK")[0] != SOURCE.partition("MARK")[0]
        past.learn(proposal.places, moved=is_felt)
        counted[is_felt] += seed >= 30

    assert counted[False] <= 3
