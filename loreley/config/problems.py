"""What is wrong with a setting, in words that say what to change."""

from pydantic import BaseModel

from loreley.errors import Problem


def unset(section: type[BaseModel], setting: str, reason: str, *, fix: str = "") -> Problem:
    """The problem that ``setting``, one or several of ``section``, has no value."""
    names = [name.strip().lower() for name in setting.split(",")]
    meaning = section.model_fields[names[0]].description or ""
    return Problem(
        f"{setting.replace(', ', ' or ')} is not set",
        setting=setting,
        reason=reason,
        fix=fix or f"set it in the environment or in .env: {meaning}",
    )
