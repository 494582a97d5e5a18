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
    loreley_metrics_port: int = Field(
        0,
        ge=0,
        le=65_000,
        description="Port of the scheduler's figures for Prometheus; each worker of the machine "
        "takes the next free one above it. 0: none.",
    )
    loreley_metrics_host: str = Field(
        "127.0.0.1", pattern=r"^[^\s/@]+$", description="Address at which the figures are served."
    )

    @field_validator("loreley_ui_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_TOKEN:
            raise ValueError(f"too easily guessed: give at least {_SHORTEST_TOKEN} characters")
        return value
