"""A small search engine: documents in, ranked documents out."""

import re
from collections import Counter

STOP_WORDS = ["a", "an", "and", "of", "the", "to", "in", "is", "it", "for", "on", "with"]


def words(text):
    """The words of a text that are worth an entry, in small letters."""
    found = []
    for word in re.findall(r"[a-z0-9]+", text.lower()):
        if word not in STOP_WORDS:
            found.append(stem(word))
    return found


def stem(word):
    """The word without its usual endings."""
    for ending in ("ing", "ed", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)]
    return word


class Index:
    """Counts words by document, and ranks documents by them."""

    def __init__(self):
        self.titles = {}
        self.counts = {}

    def add(self, name, title, body):
        """Take a document in; one of the same name is replaced."""
        if name in self.counts:
            self.remove(name)
        self.titles[name] = words(title)
        self.counts[name] = Counter(words(title) + words(body))

    def remove(self, name):
        """Forget a document."""
        del self.counts[name]
        del self.titles[name]

    def search(self, query):
        """The names of the documents that match a query, the best first.

        A word after ``-`` must not be in the document; words in quotation marks follow one another
        in its title.
        """
        wanted, unwanted, phrase = parse(query)
        found = []
        for name in self.counts:
            if self.has_any(name, unwanted):
                continue
            if phrase and not self.has_phrase(name, phrase):
                continue
            score = self.score(name, wanted + phrase)
            if score > 0:
                found.append((score, name))
        found.sort(key=lambda entry: (-entry[0], entry[1]))
        return [name for score, name in found]

    def has_any(self, name, unwanted):
        """Whether the document holds one of the words."""
        for word in unwanted:
            if self.counts[name][word] > 0:
                return True
        return False

    def has_phrase(self, name, phrase):
        """Whether the words follow one another in the title."""
        title = self.titles[name]
        for start in range(len(title)):
            if title[start : start + len(phrase)] == phrase:
                return True
        return False

    def score(self, name, wanted):
        """How well the document matches the words: the rarer they are, the better."""
        total = 0
        for word in wanted:
            count = self.counts[name][word]
            if count > 0:
                total += count * self.rarity(word)
            if word in self.titles[name]:
                total += self.rarity(word)
        return total

    def rarity(self, word):
        """How few of the documents hold the word."""
        holding = 0
        for name in self.counts:
            if self.counts[name][word] > 0:
                holding += 1
        return len(self.counts) / holding if holding else 0


def parse(query):
    """The wanted and the unwanted words of a query, and its phrase."""
    phrase = []
    quoted = re.search(r'"([^"]*)"', query)
    if quoted:
        phrase = words(quoted.group(1))
        query = query.replace(quoted.group(0), " ")
    wanted = []
    unwanted = []
    for part in query.split():
        if part.startswith("-"):
            unwanted.extend(words(part))
        else:
            wanted.extend(words(part))
    return wanted, unwanted, phrase
