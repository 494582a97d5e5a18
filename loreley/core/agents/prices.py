"""What calls of the agents cost, as the settings say it."""

from collections.abc import Iterator

from loreley.config import Settings
from loreley.core.agents.presets import presets
from loreley.core.budget import Tariff
from loreley.errors import ConfigError, Problem


def require_prices(settings: Settings) -> None:
    """Raise `ConfigError` when a budget in dollars could not be kept, as a price is not known."""
    if problems := list(find_price_problems(settings)):
        raise ConfigError.of(problems)


def find_price_problems(settings: Settings) -> Iterator[Problem]:
    """A problem for each agent whose price a budget in dollars lacks."""
    if not settings.scheduler_budget_dollars and not settings.scheduler_budget_dollars_per_day:
        return
    known = presets(settings.worker_agent_presets)
    for name, kind in settings.agent_kinds.items():
        reports_dollars = kind in known and known[kind].reports == "dollars"
        if kind != "genetic" and not reports_dollars and not read_tariff(name, settings).is_known:
            yield Problem(
                f"the price of {name}'s calls is not known, but the budget is in dollars",
                setting="WORKER_AGENT_PRICES, WORKER_AGENT_CALL_PRICES",
                fix=f"set WORKER_AGENT_PRICES={name}:<input>:<output> in dollars per million "
                f"tokens, or WORKER_AGENT_CALL_PRICES={name}:<dollars>, or limit tokens instead",
            )


def read_tariff(name: str, settings: Settings) -> Tariff:
    """What calls of an agent cost, as far as the settings say it."""
    prices = settings.of_agent("worker_agent_prices", name)
    tokens = [float(price) for price in prices.split(":") if price]
    call = settings.of_agent("worker_agent_call_prices", name)
    per_call = float(call) if call else None
    if not tokens:
        return Tariff(per_call=per_call)
    cached = tokens[2] if len(tokens) > 2 else None
    return Tariff(tokens[0], tokens[1], cached, per_call)
