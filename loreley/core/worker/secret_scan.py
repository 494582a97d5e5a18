"""Finding secrets in what an agent wrote: values that Loreley knows, and well-known shapes."""

import re
from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import SecretStr

from loreley.config import Settings

_SHORTEST = 8  # characters; a shorter value would be found everywhere
_LONGEST_WORD = 15
_HIDDEN = "***"

# The shapes that providers publish for secret scanning; each is long enough to be no accident.
_SHAPES: Mapping[str, str] = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an OpenAI key": r"\bsk-(?:proj|svcacct|admin)-[\w-]{20,}|\bsk-[A-Za-z0-9]{40,}\b",
    "an Anthropic key": r"\bsk-ant-[\w-]{20,}",
    "an OpenRouter key": r"\bsk-or-v1-[0-9a-f]{40,}",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{40,}\b",
    "a GitLab token": r"\bglpat-[\w-]{20,}",
    "a Google key": r"\bAIza[\w-]{35}(?![\w-])",
    "an AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a Slack token": r"\bxox[abeprs]-[\w-]{10,}",
    "a Hugging Face token": r"\bhf_[A-Za-z0-9]{34,}\b",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a PyPI token": r"\bpypi-AgE[\w-]{50,}",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _SHAPES.items()}


class Secrets:
    """What must not leave the machine."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """``values`` by the name of the variable or setting they are from.

        Of a URL the credentials count; what may be an ordinary word does not.
        """
        secret = {name: _secret_part(value) for name, value in (values or {}).items()}
        self._values = {name: value for name, value in secret.items() if not _is_a_word(value)}

    @classmethod
    def collect(
        cls, settings: Settings, environment: Mapping[str, str], names: Iterable[str]
    ) -> Self:
        """The secret settings, and the variables of these names that agents are given."""
        values = {name: environment[name] for name in names if environment.get(name)}
        for name in type(settings).model_fields:
            value = getattr(settings, name)
            if not isinstance(value, SecretStr):
                continue
            # Of a setting that says where something is, what is no URL holds no credentials.
            if not name.endswith("_url") or "://" in value.get_secret_value():
                values[name.upper()] = value.get_secret_value()
        return cls(values)

    def find_in(self, text: str) -> list[str]:
        """What the secrets in a text are, in words that reveal nothing of their values."""
        known = [f"the value of {name}" for name, value in self._values.items() if value in text]
        return known + [name for name, pattern in _PATTERNS.items() if pattern.search(text)]

    def hide_in(self, text: str) -> str:
        """The text with every secret replaced by ``***``."""
        for value in sorted(self._values.values(), key=len, reverse=True):
            text = text.replace(value, _HIDDEN)
        for pattern in _PATTERNS.values():
            text = pattern.sub(_HIDDEN, text)
        return text


def _secret_part(value: str) -> str:
    if "://" not in value:
        return value
    credentials = value.partition("://")[2].partition("/")[0].rpartition("@")[0]
    user, _, password = credentials.partition(":")
    return password or user


def _is_a_word(value: str) -> bool:
    plain = value.isalpha() and value.islower() and len(value) <= _LONGEST_WORD
    return plain or len(value) < _SHORTEST
