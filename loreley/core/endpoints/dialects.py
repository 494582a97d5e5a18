"""What an endpoint refuses of OpenAI's protocol, learnt from its words and remembered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

_REFUSES = re.compile(
    r"unsupported|unrecogni|unknown|unexpected|not permitted|instead|deprecated"
    r"|(?:not|n't|never|no longer) (?:be )?(?:support|allow|permit|accept|enabl|recogni)"
    r"|extra (?:inputs?|fields?)|only (?:the )?(?:default|\d|user)"
    r"|must (?:be (?:1|one|unset|set to 1)\b|alternate)"
    r"|invalid (?:parameter|value|temperature|role)|cannot be (?:set|used)"
    r"|is not (?:valid|available|compatible)|may only be|fixed temperature|is disabled"
    r"|role(?:: input should| must) be|verified to stream"
    r"|requires --|no endpoints? found that support|do(?:es)? not advertise",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"/(?:(?:chat/)?completions|models|responses|embeddings|api/(?:chat|generate|tags|embed))$"
)
_VERSIONED = re.compile(r"/(?:v\d|openai|api/v\d)\b")


class Part(StrEnum):
    """What an endpoint may refuse of a question."""

    SYSTEM = "the system role"
    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"
    TEMPERATURE = "temperature"
    USAGE = "stream_options"
    STREAM = "stream"
    TOOLS = "tools"
    THOUGHTS = "what the model thought before"
    BARE_PATH = "a base URL without /v1"


_WORDS = {
    Part.MAX_COMPLETION_TOKENS: re.compile(r"max_completion_tokens"),
    Part.MAX_TOKENS: re.compile(r"max_tokens"),
    Part.TEMPERATURE: re.compile(r"temperature", re.IGNORECASE),
    Part.USAGE: re.compile(r"stream_options|include_usage"),
    Part.STREAM: re.compile(r"\bstream(?:ing|ed)?\b", re.IGNORECASE),
    Part.SYSTEM: re.compile(
        r"\bsystem\b.{0,40}\b(?:role|message|prompt|instruction)|role.{0,30}\bsystem\b|"
        r"developer instruction|roles must alternate|only user and assistant|"
        r"unexpected message role|\brole\b.{0,25}\buser\b.{0,12}\bassistant\b",
        re.IGNORECASE,
    ),
    Part.TOOLS: re.compile(
        r"\btools?\b|tool[_ -]?(?:use|choice|calls?|calling)|function[_ -]call", re.IGNORECASE
    ),
    Part.THOUGHTS: re.compile(r"\breasoning(?:_content|_details)?\b", re.IGNORECASE),
}


@dataclass(slots=True)
class Dialect:
    """What an endpoint has refused so far."""

    refused: frozenset[Part] = frozenset()

    def learn(self, part: Part) -> None:
        """Send it no more."""
        self.refused |= {part}


def find_refused(message: str, sent: Sequence[Part]) -> Part | None:
    """Which part of a question an endpoint refuses, as far as its words tell it."""
    if not _REFUSES.search(message):
        return None
    named = {part: found.start() for part in sent if (found := _WORDS[part].search(message))}
    if Part.USAGE in named:
        named.pop(Part.STREAM, None)
    return min(named, key=lambda part: named[part]) if named else None


def strip_question(url: str | None) -> str | None:
    """The base URL, without the path of a question that is often copied with it."""
    return url and _QUESTION.sub("", url.rstrip("/"))


def may_lack_version(url: str | None) -> bool:
    """Whether a base URL is one to which /v1 may belong."""
    return url is not None and not _VERSIONED.search(urlsplit(url).path)
