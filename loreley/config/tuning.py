"""How the numbers of a commit are tuned."""

from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import BaseModel, Field, PlainSerializer
from pydantic_settings import NoDecode

from loreley.config.values import as_written, parsed_by
from loreley.map_elites.numbers import finite

_LOG = "log"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which values a number may be, by what people say of it."""

    low: float
    high: float
    is_log: bool = False  # its size is what matters: 0.01 is as far from 0.1 as 0.1 from 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``low:high`` or ``low:high:log``; raises `ValueError`."""
        low, _, rest = text.partition(":")
        high, _, scale = rest.partition(":")
        if not high or scale not in ("", _LOG):
            raise ValueError(f"{text!r} is not low:high or low:high:log")
        bounds = cls(finite(low, text), finite(high, text), scale == _LOG)
        if not bounds.low < bounds.high:
            raise ValueError(f"{text!r} holds no number: {bounds.low:g} is not below {high}")
        if bounds.is_log and bounds.low <= 0:
            raise ValueError(f"{text!r} is by size, and must begin above 0")
        return bounds

    def hold(self, value: float) -> bool:
        """Whether the value is between them."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}{f':{_LOG}' if self.is_log else ''}"


def split_choices(text: str) -> tuple[str, ...]:
    """The choices of ``a|b|c``; raises `ValueError` where these are fewer than two."""
    choices = tuple(dict.fromkeys(each.strip() for each in text.split("|")))
    if len(choices) < 2 or not all(choices):
        raise ValueError(f"{text!r} is not one|other or more of them")
    return choices


@dataclass(frozen=True, slots=True)
class TunedName:
    """Numbers that are to be tuned: those of a file under a name, or of the whole file."""

    path: str
    name: str = ""
    bounds: Bounds | None = None
    choices: tuple[str, ...] = ()  # one of which it is
    text: str = field(default="", compare=False, repr=False)  # as it was written

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``file``, ``file:name``, ``file:name:low:high[:log]`` or ``file:name:a|b``.

        Raises `ValueError`.
        """
        path, _, rest = text.strip().partition(":")
        name, _, bounds = rest.partition(":")
        if not path:
            raise ValueError(f"{text!r} is not file:name or file:name:low:high")
        if "|" in bounds:
            return cls(path, name.strip(), choices=split_choices(bounds), text=text)
        return cls(path, name.strip(), Bounds.parse(bounds) if bounds else None, text=text)

    def covers(self, path: str, name: str) -> bool:
        """Whether it speaks of a number: ``a`` of ``a.0`` and ``a.b`` as well."""
        if path != self.path:
            return False
        return not self.name or name == self.name or name.startswith(f"{self.name}.")


TunedNames = Annotated[
    list[TunedName], NoDecode, parsed_by(TunedName.parse), PlainSerializer(as_written)
]


class TuneSettings(BaseModel):
    """How long numbers are tuned, and which."""

    worker_tune_seconds: float = Field(
        60,
        ge=0,
        le=7 * 86400,
        description="How long one job tunes the numbers of a commit, all of them together, by an "
        "optimiser; 0: none does.",
    )
    worker_tune_evaluations: int = Field(
        0, ge=0, description="Most evaluations of one such job; 0: as many as there is time for."
    )
    worker_tune_parameters: TunedNames = Field(
        [],
        description="Which numbers are tuned, as `file`, `file:name` or `file:name:low:high`, with "
        "`:log` where size matters; `file:name:a|b` is one of a few words. Unset: what has a name, "
        "and all numbers of data files. A range or words may also stand beside the value, in a "
        "comment as `tune: low:high` or `tune: a|b`.",
    )
