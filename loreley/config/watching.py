"""How a run is watched from outside: the dashboard and the figures for Prometheus."""

from pydantic import BaseModel, Field, SecretStr, field_validator

_SHORTEST_TOKEN = 16


class WatchingSettings(BaseModel):
    """What may be seen of a run, and who may steer it."""

    loreley_ui_token: SecretStr | None = Field(
        None,
        description="Whoever shows it to the dashboard may steer the run; at least 16 characters. "
        "Unset: the dashboard changes nothing.",
    )

    @field_validator("loreley_ui_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_TOKEN:
            raise ValueError(f"too easily guessed: give at least {_SHORTEST_TOKEN} characters")
        return value
