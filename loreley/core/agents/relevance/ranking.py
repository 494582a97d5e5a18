"""How much each file, and each part of one, has to do with what is asked for; pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from loreley.core.agents.relevance.clues import Clues
from loreley.core.agents.relevance.names import FileNames
from loreley.core.agents.relevance.parts import Part, find_definitions, lines_of, split_lines
from loreley.core.agents.relevance.sources import likelihood
from loreley.core.agents.relevance.words import Counted, WordCounter

_SATURATION, _LENGTH_SHARE = 1.2, 0.4  # k1 and b of Okapi BM25
_PATH_TIMES = 3  # a word of the path counts as so many in the text
_DEFINED = 0.3  # for a name that is defined there
_HELD = 0.6  # for a line that counts
_IMPORTED = 0.25  # of the value of who imports it
_USUAL_LENGTH = 250.0  # of a part, in identifiers
_MOST_SPLIT = 40  # files whose parts are looked at
_MOST_FOLLOWED = 5  # files whose imports are looked at


@dataclass(frozen=True, slots=True)
class RankedPart:
    """A part of a file; ``value`` is comparable with that of every other part."""

    path: str
    part: Part
    value: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Files from the one that counts most, and the parts of the first of them likewise."""

    files: Sequence[str]
    parts: Sequence[RankedPart]


def rank(texts: Mapping[str, str], clues: Clues, files: FileNames) -> Ranking:
    """Rank the files, and the parts of those that come first, by the clues.

    Without any, sources come first, the smaller ones before the larger ones. Parts of other files
    with which nothing has to do are left out.
    """
    counter = WordCounter(clues.words)
    counts = {path: _count(path, text, counter) for path, text in texts.items()}
    weights = _weigh(counts, clues)
    average = sum(each.length for each in counts.values()) / max(1, len(counts))
    said = {path: _score(each, weights, average) for path, each in counts.items()}
    most = max(said.values(), default=0.0) or 1.0
    values = {
        path: (said[path] / most + _count_defined(texts[path], clues)) * likelihood(path)
        + clues.files.get(path, 0.0)
        for path in texts
    }
    for path, value in _follow_imports(values, texts, files).items():
        values[path] += value
    order = sorted(
        values, key=lambda path: (-values[path], -likelihood(path), len(texts[path]), path)
    )
    return Ranking(order, _rank_parts(order[:_MOST_SPLIT], texts, values, weights, clues))


def _count(path: str, text: str, counter: WordCounter) -> Counted:
    found, named = counter.count(text), counter.count(path)
    words = Counter(found.words)
    for word, times in named.words.items():
        words[word] += _PATH_TIMES * times
    return Counted(words, found.length)


def _weigh(counts: Mapping[str, Counted], clues: Clues) -> Mapping[str, float]:
    """How much a word tells: the more, the fewer files have it."""
    holders = Counter(word for each in counts.values() for word in each.words)
    number = len(counts)
    return {
        word: weight * math.log(1 + (number - holders[word] + 0.5) / (holders[word] + 0.5))
        for word, weight in clues.words.items()
        if holders[word]
    }


def _score(counted: Counted, weights: Mapping[str, float], average: float) -> float:
    long = 1 - _LENGTH_SHARE + _LENGTH_SHARE * counted.length / (average or 1)
    return sum(
        weights[word] * times * (_SATURATION + 1) / (times + _SATURATION * long)
        for word, times in counted.words.items()
    )


def _count_defined(text: str, clues: Clues) -> float:
    if not any(name in text for name in clues.names):
        return 0.0
    return min(2, len(find_definitions(text) & clues.names)) * _DEFINED


def _follow_imports(
    values: Mapping[str, float], texts: Mapping[str, str], files: FileNames
) -> Mapping[str, float]:
    gained: dict[str, float] = {}
    first = sorted(values, key=lambda path: (-values[path], path))[:_MOST_FOLLOWED]
    for path in first:
        for imported in files.find_imported(path, texts[path]):
            if imported in values and imported != path:
                gained[imported] = max(gained.get(imported, 0.0), _IMPORTED * values[path])
    return gained


def _rank_parts(
    files: Sequence[str],
    texts: Mapping[str, str],
    values: Mapping[str, float],
    weights: Mapping[str, float],
    clues: Clues,
) -> Sequence[RankedPart]:
    counter = WordCounter(clues.words)
    scores: list[float] = []
    ranked: list[RankedPart] = []
    top = max(values.values(), default=0.0) or 1.0
    for path in files:
        lines = lines_of(texts[path])
        for part in split_lines(lines):
            text = "\n".join(lines[part.start : part.end])
            counted = counter.count(f"{part.owner}\n{text}")
            scores.append(_score(counted, weights, _USUAL_LENGTH) * likelihood(path))
            own = _find_extra(part, text, clues, path)
            ranked.append(RankedPart(path, part, values[path] / top + own))
    most = max(scores, default=0.0) or 1.0
    ranked = [
        replace(each, value=each.value + score / most)
        for each, score in zip(ranked, scores, strict=True)
    ]
    place = {path: number for number, path in enumerate(files)}
    ranked = [each for each in ranked if each.value > 0 or likelihood(each.path) >= 1]
    return sorted(ranked, key=lambda each: (-each.value, place[each.path], each.part.start))


def _find_extra(part: Part, text: str, clues: Clues, path: str) -> float:
    held = any(
        place.start < part.end and part.start < place.stop for place in clues.places.get(path, ())
    )
    is_defined = not clues.names.isdisjoint(find_definitions(text))
    return (_HELD if held else 0.0) + (_DEFINED if is_defined else 0.0)
