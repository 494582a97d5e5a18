"""How much is tried, and what it may cost."""

from pydantic import BaseModel, Field


class SchedulerSettings(BaseModel):
    """How much is tried, and how much at once."""

    scheduler_poll_interval_seconds: float = Field(
        0.5, gt=0, le=3600, description="Pause between two looks at the database."
    )
    scheduler_max_unfinished_jobs: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Jobs that may wait or run at once. Unset: three for each worker that is "
        "online, and at least 8.",
    )
    scheduler_max_total_jobs: int | None = Field(
        None,
        ge=0,
        description="Stop when the experiment has had this many jobs. Unset: go on until stopped.",
    )
    scheduler_job_max_attempts: int = Field(
        3,
        ge=1,
        le=100,
        description="A job whose worker died this often is given up as lost.",
    )
    scheduler_max_equal_failures: int = Field(
        10,
        ge=0,
        le=10_000,
        description="So many jobs in a row that fail alike end the run, more where such failures "
        "were common before; 0: none do.",
    )
    scheduler_probe_seconds: float = Field(
        10,
        gt=0,
        le=3600,
        description="How long a run pauses that every worker is hindered in alike, before one job "
        "tries again; each time twice as long, up to 10 minutes.",
    )
    scheduler_max_pause_hours: float = Field(
        24,
        ge=0,
        allow_inf_nan=False,
        description="A run that pauses for longer ends; 0: it ends instead of pausing.",
    )
    scheduler_confirmation_share: float = Field(
        0.2,
        ge=0,
        le=10,
        description="How much of the time that all evaluations took the confirmation of one "
        "finalist may take, a minute at least; 0: nothing is confirmed.",
    )


class BudgetSettings(BaseModel):
    """What the run may cost, over all workers; the scheduler's settings hold for everyone."""

    scheduler_budget_dollars: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="US dollars that agents may cost in all."
    )
    scheduler_budget_dollars_per_day: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="US dollars that agents may cost in a day."
    )
    scheduler_budget_tokens: int | None = Field(
        None, gt=0, description="Tokens, input and output together, that agents may use in all."
    )
    scheduler_budget_tokens_per_day: int | None = Field(
        None, gt=0, description="Tokens that agents may use in a day."
    )
    scheduler_budget_jobs_per_day: int | None = Field(
        None, gt=0, description="Jobs that may be created in a day."
    )
    scheduler_budget_hours: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Hours that the scheduler may run in all."
    )
    scheduler_budget_hours_per_day: float | None = Field(
        None, gt=0, le=24, description="Hours that the scheduler may run in a day."
    )
    scheduler_artifact_ttl_hours: float = Field(
        336,
        ge=0,
        allow_inf_nan=False,
        description="What agents were told and answered is deleted from the database when it is "
        "older than this; 0: kept for ever.",
    )
