"""What a provider's refusal means, by its status, headers and words; and when it will be over."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

_RESETS = (
    "anthropic-ratelimit-unified-reset",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-reset",
    "ratelimit-reset",
)
_UNIT_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SPAN = (
    r"(?:\d+(?:\.\d+)?\s*(?:d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?|ms)"
)
_SPAN += r"(?![a-z])[\s,]*(?:and\s+)?)+"
_ONE_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|d|h|m|s)", re.IGNORECASE)
_AGAIN_IN = re.compile(
    rf"\b(?:again|retry|resets?|available)\b[^.\d]{{0,40}}({_SPAN})", re.IGNORECASE
)
_AGAIN_AT = re.compile(
    r"(?:again|until|resets?(?: at)?|available)\D{0,20}"
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"(?:limit reached|resets?\D{0,9})\|?\s*(1[5-9]\d{8}|2\d{9})\b", re.IGNORECASE)
_OLDEST_EPOCH = 1_000_000_000.0  # a smaller number is a span, not a moment


class Refusal(StrEnum):
    """Why a provider gives no answer."""

    KEY = "key"
    CREDIT = "credit"
    RATE = "rate"
    OVERLOAD = "overload"
    MODEL = "model"
    AWAY = "away"
    QUESTION = "question"  # this one, be it for a parameter


# Of a program's last words; the first that matches counts.
_WORDS = (
    (
        Refusal.CREDIT,
        r"credit balance|insufficient[_ ](?:quota|credits?|funds|balance)|payment required|"
        r"billing|\b402\b|exceeded your current quota",
    ),
    (
        Refusal.KEY,
        r"(?:invalid|incorrect|missing|expired|no) (?:x-)?(?:api|auth\w*)[ -]?(?:key|token)|"
        r"api key (?:is )?(?:invalid|missing|expired|not (?:valid|found|set))|unauthori[sz]ed|"
        r"\b(?:an|no) auth (?:method|type)\b|no authentication|able to authenticate|"
        r"authentication[_ ](?:error|failed|required)|(?:failed|could not) (?:to )?authenticate|"
        r"not logged in|please (?:run )?/?log ?in|oauth token|\b401\b|permission_error",
    ),
    (
        Refusal.RATE,
        r"rate[ _-]?limit|too many requests|usage[ _]limit|\b429\b|limit reached|"
        r"quota (?:exceeded|reached)|resource[_ ]exhausted",
    ),
    (
        Refusal.OVERLOAD,
        r"overloaded|\b(?:500|502|503|504|529)\b.{0,40}(?:error|unavail|gateway)|"
        r"service unavailable|internal ?server ?error|bad gateway|\bserver_error\b|"
        r"experiencing high demand",
    ),
    (
        Refusal.MODEL,
        r"model\b.{0,80}(?:not found|does not exist|not supported|not available|unknown)|"
        r"(?:unknown|invalid|unsupported|no such) model|model_not_found",
    ),
    (
        Refusal.AWAY,
        r"ECONNREFUSED|ENOTFOUND|ETIMEDOUT|ECONNRESET|EAI_AGAIN|connection (?:error|refused)|"
        r"could ?n[o']t resolve|network is unreachable|fetch failed|stream disconnected",
    ),
)
_PATTERNS = tuple((refusal, re.compile(words, re.IGNORECASE)) for refusal, words in _WORDS)


def read_status(status: int, code: str | None) -> Refusal:
    """What the HTTP status of a refusal means; ``code`` is the provider's own."""
    if code == "insufficient_quota" or status == 402:
        return Refusal.CREDIT
    if status in (401, 403):
        return Refusal.KEY
    if status == 429:
        return Refusal.RATE
    if status in (408, 409) or status >= 500:
        return Refusal.OVERLOAD
    if status == 404:
        return Refusal.MODEL
    return Refusal.QUESTION


def read_words(words: str) -> Refusal | None:
    """What the last words of an agent's program say of its provider; None: nothing."""
    return next((refusal for refusal, pattern in _PATTERNS if pattern.search(words)), None)


def read_wait(words: str, headers: Mapping[str, str], now: float) -> float | None:
    """For how many seconds from ``now`` (since 1970) to leave the provider alone; None: unknown.

    Of several moments the latest counts: an answer before is of no use. Header names in lower case;
    when a window ends, as some tell, counts where nothing else is said.
    """
    waits = [
        _milliseconds(headers.get("retry-after-ms")),
        _span_or_moment(headers.get("retry-after"), now),
        _from_words(words, now),
    ]
    if not any(waits):
        waits = [_span_or_moment(headers.get(name), now) for name in _RESETS]
    known = [wait for wait in waits if wait is not None]
    return max(0.0, *known) if known else None


def _milliseconds(text: str | None) -> float | None:
    try:
        return float(text) / 1000 if text else None
    except ValueError:
        return None


def _span_or_moment(text: str | None, now: float) -> float | None:
    """What a header holds: seconds, a span such as ``6m0s``, a Unix time, or a date."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        return number - now if number > _OLDEST_EPOCH else number
    if re.fullmatch(_SPAN, text, re.IGNORECASE):
        return _add_spans(text)
    return _until(text, now)


def _until(text: str, now: float) -> float | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except (ValueError, TypeError):
            continue
        known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return known.timestamp() - now
    return None


def _from_words(words: str, now: float) -> float | None:
    if match := _EPOCH.search(words):
        return float(match[1]) - now
    if match := _AGAIN_AT.search(words):
        return _until(match[1].replace(" ", "T"), now)
    if match := _AGAIN_IN.search(words):
        return _add_spans(match[1])
    return None


def _add_spans(text: str) -> float:
    return sum(
        float(number) * _UNIT_SECONDS[unit.lower()] for number, unit in _ONE_SPAN.findall(text)
    )
