"""Texts as words that can be compared: identifiers, their parts and their stems; pure."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_IDENTIFIER = re.compile(r"[^\W\d]\w{1,60}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "ions", "ion", "ers", "er", "ed", "es", "s", "e")
_SHORTEST_STEM = 4
_COMMON = frozenset(
    """
    the and for with that this from not are was were will when than then into its have has had
    but can could should would may might must does did use used using uses which where while
    who whom whose there their they them these those you your our out off any all also only
    more most less such some other another each every because been being both how what why let
    lets make makes made get gets got set sets fix fixes fixed issue issues bug bugs now
    longer instead before after during even still same one two due cause causes caused if is
    in on of to it as at by or an be so do no up we he me my us self return def class import
    none true false str int error improve
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Counted:
    """How often some words occur in a text, and how many identifiers it has in all."""

    words: Mapping[str, int]
    length: int


class WordCounter:
    """Counts words that are looked for; an identifier counts as itself and as its parts."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)
        self._known: dict[str, tuple[str, ...]] = {}

    def count(self, text: str) -> Counted:
        """The wanted words of a text."""
        identifiers = _IDENTIFIER.findall(text)
        found: Counter[str] = Counter()
        for identifier, times in Counter(identifiers).items():
            words = self._known.get(identifier)
            if words is None:
                words = tuple(self._wanted.intersection(split_identifier(identifier)))
                self._known[identifier] = words
            for word in words:
                found[word] += times
        return Counted(found, len(identifiers))


def find_words(text: str) -> frozenset[str]:
    """The words of a text."""
    found = (split_identifier(each) for each in set(_IDENTIFIER.findall(text)))
    return frozenset(word for words in found for word in words)


def split_identifier(identifier: str) -> tuple[str, ...]:
    """The identifier in lower case, and the stems of its parts; common words are left out."""
    parts = [part.lower() for part in _PART.findall(identifier)]
    words = {_stem(part) for part in parts if len(part) > 1 and part not in _COMMON}
    whole = identifier.lower().strip("_")
    if len(whole) > 1 and [whole] != parts and whole not in _COMMON:
        words.add(whole)
    return tuple(sorted(words))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word
