"""The client of an OpenAI-compatible endpoint, and what its errors mean to whoever asks."""

import importlib
import importlib.util
import itertools
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from loreley.core.budget import CallUsage, Usage
from loreley.core.endpoints.completions import CutOff, Refused
from loreley.core.endpoints.context_length import is_too_long, read_fitting_share
from loreley.core.endpoints.refusals import Refusal, read_status, read_wait
from loreley.core.endpoints.surroundings import find_obstacle
from loreley.errors import (
    AgentFailed,
    BriefTooLong,
    ConfigError,
    LoreleyError,
    ProviderRefused,
    ProviderUnavailable,
)
from loreley.host.deadline import Deadline
from loreley.host.interruptible import run_interruptibly
from loreley.invocation import installing
from loreley.masking import masked

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_CONNECT_SECONDS = 20.0
_PAUSES = (0.2, 1.0, 2.0, 4.0)  # before it is asked again, in seconds
_NO_KEY = "none"  # local servers ask for none, but the library does
_NOTHING = Usage(0, 0, dollars=0.0)
_LONGEST_PAUSE_SECONDS = 20.0  # that a call waits for; a longer one the job is not held for
_FILTERED = frozenset({"content_filter", "content_policy_violation"})  # this question only

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an endpoint is asked for, and in which words it is told that it does not answer."""

    name: str  # of the endpoint in messages
    setting: str  # how the names of its settings begin
    longest_seconds: float  # to wait for the server, whatever the deadline
    late: str | None = None  # said of a timeout; None: what the library says
    limits_text: bool = False  # WORKER_BRIEF_MAX_KB says how long its texts are
    awaits_credit: bool = False  # a used-up account is a limit that may pass, like others


def require_package(name: str, *, setting: str, extra: str) -> None:
    """Make sure that the library is there; raises `ConfigError`."""
    if importlib.util.find_spec("openai") is None:
        raise ConfigError(
            f"the package for {name} endpoints is not installed",
            setting=setting,
            reason="there is no module 'openai'",
            fix=f"run {installing(extra)}",
        )


@cache
def _read_certificates() -> ssl.SSLContext:
    """The certificates to trust, once for each process: reading them costs as much as Python."""
    import openai

    # The package of the client below, which differs between versions of the library.
    below = openai.DefaultHttpxClient.__bases__[0].__module__.partition(".")[0]
    context: ssl.SSLContext = importlib.import_module(below).create_ssl_context()
    return context


@dataclass(slots=True)
class _Wire:
    """Counts the questions that were sent and may be charged for: all that were not refused.

    Versions of the library differ in the package of the client below it, hence no types.
    """

    open: int = 0

    @property
    def hooks(self) -> dict[str, list[Callable[..., None]]]:
        """What the library calls with each request, repeated ones as well, and each response."""
        return {"request": [self._trace_request], "response": [self._count_response]}

    def settle(self, call: CallUsage) -> None:
        """Put into the call that there is nothing to pay, where that is certain."""
        if self.open == 0:
            call.usage = _NOTHING

    def _trace_request(self, request: Any) -> None:
        request.extensions["trace"] = self._count_request

    def _count_request(self, event: str, _details: object) -> None:
        self.open += event.endswith(".send_request_headers.started")

    def _count_response(self, response: Any) -> None:
        self.open -= not response.is_success
        if response.is_success:
            return
        words = response.read().decode(errors="replace")  # some tell it there alone
        if _read_wait(words, response) > _LONGEST_PAUSE_SECONDS:
            response.headers["x-should-retry"] = "false"  # the library asks again within seconds


@dataclass(frozen=True, slots=True)
class Client:
    """A way to one endpoint."""

    purpose: Purpose
    url: str | None  # None: OpenAI's
    api_key: str | None = field(repr=False)
    retries: int  # of the library, with growing pauses or as the endpoint asks for

    @property
    def base_url(self) -> str:
        """What the paths of questions stand below."""
        return self.url or "https://api.openai.com/v1"

    @property
    def target(self) -> str:
        """The endpoint in words that may be shown."""
        return masked(self.url or "api.openai.com")

    def ask(
        self,
        question: Callable[["OpenAI"], Answer],
        deadline: Deadline,
        call: CallUsage,
        check: Callable[[], None] = lambda: None,
    ) -> Answer:
        """What ``question`` gets from the library, which asks again after what may pass.

        Raises `ProviderRefused` for what will not pass, `AgentFailed` where only this question is
        refused, `ProviderUnavailable` when the endpoint is away or overloaded for longer, and what
        the deadline raises. ``call`` is settled where it is certain that nothing was charged, and
        says how often it may have been: one that was cut off asked the same, and nobody says what
        it used. ``check`` may give it up as well.
        """
        import openai  # slow to import, and most workers never ask

        wire = _Wire()
        waiting = f"waiting for the {self.purpose.name} endpoint"
        seconds = min(deadline.remaining_seconds, self.purpose.longest_seconds)
        with openai.OpenAI(
            api_key=self.api_key or _NO_KEY,
            base_url=self.base_url,
            max_retries=self.retries,
            timeout=openai.Timeout(seconds, connect=_CONNECT_SECONDS),
            http_client=openai.DefaultHttpxClient(
                verify=_read_certificates(), event_hooks=wire.hooks
            ),
        ) as client:
            try:
                return run_interruptibly(
                    lambda: self._ask_again(question, client, wire), deadline, waiting, check
                )
            except openai.APIStatusError as error:
                wire.settle(call)
                raise self.refusal_error(error) from error
            except Refused as error:
                wire.settle(call)
                raise self.refusal_error(error) from error
            except CutOff as error:
                deadline.check(waiting)
                raise self._unavailable_error(str(error), error) from error
            except openai.APIConnectionError as error:
                wire.settle(call)
                deadline.check(waiting)
                late = self.purpose.late if isinstance(error, openai.APITimeoutError) else None
                raise self._unavailable_error(
                    late or str(error.__cause__ or error), error
                ) from error
            except (openai.OpenAIError, ValueError) as error:
                raise self.unexpected(f"{type(error).__name__}: {error}") from error
            finally:
                call.times = max(1, wire.open)

    def _ask_again(
        self, question: Callable[["OpenAI"], Answer], client: "OpenAI", wire: _Wire
    ) -> Answer:
        """What the question gets; asked again after what the library takes for an answer."""
        for pause in itertools.chain(_PAUSES[: self.retries], [None]):
            try:
                return question(client)
            except Refused as error:
                wire.open -= 1
                if pause is None or not error.may_pass:
                    raise
            except CutOff:
                if pause is None:
                    raise
            time.sleep(pause)
        raise AssertionError("the last pause is none")

    def unexpected(self, reason: str) -> LoreleyError:
        """The error for an answer of another form than was asked for."""
        return ProviderRefused(
            f"the {self.purpose.name} endpoint answered in an unexpected format",
            setting=f"{self.purpose.setting}_URL",
            target=self.target,
            reason=self._mask(reason)[:500],
            fix="give the base URL of an OpenAI-compatible endpoint; it often ends in /v1",
        )

    def refusal_error(self, error: "APIStatusError | Refused") -> LoreleyError:
        """What a refusal means, and what to change."""
        words = str(error.message)
        if self.purpose.limits_text and is_too_long(error.status_code, error.code, words):
            return self._too_long_error(words)
        name, setting = self.purpose.name, self.purpose.setting
        said = self._mask(words)[:500]
        match read_status(error.status_code, error.code):
            case Refusal.CREDIT if not self.purpose.awaits_credit:
                return ProviderRefused(
                    f"the account at the {name} endpoint is used up",
                    target=self.target,
                    reason=said,
                    fix="pay into the account, or use another one",
                )
            case Refusal.KEY:
                return ProviderRefused(
                    f"the {name} endpoint refuses the key",
                    setting=f"{setting}_API_KEY",
                    target=self.target,
                    reason=said,
                    fix="set the key of this endpoint",
                )
            case Refusal.MODEL | Refusal.QUESTION:
                kind = AgentFailed if error.code in _FILTERED else ProviderRefused
                is_model = error.status_code == 404 and "model" in said.lower()
                return kind(
                    f"the {name} endpoint does not serve the model"
                    if is_model
                    else f"the {name} endpoint refuses the question",
                    setting=f"{setting}_URL, {setting}_MODEL",
                    target=self.target,
                    reason=f"status {error.status_code}: {said}",
                    fix=f"name in {setting}_MODEL one of the models that it serves"
                    if is_model
                    else "check the URL, the model's name, and the parameters it is asked with",
                )
            case Refusal.RATE:
                what = f"the {name} endpoint takes no more requests for now"
                fix = "wait, run fewer workers, or ask the provider for a higher limit"
            case _:
                what = f"the {name} endpoint is overloaded or broken"
                fix = "wait until it has recovered, or look at the server's own log"
        response = getattr(error, "response", None)  # none where the body of an answer refuses
        wait = read_wait(said, {}, time.time()) if response is None else _read_wait(said, response)
        return ProviderUnavailable(
            what,
            setting=f"{setting}_URL",
            target=self.target,
            reason=f"status {error.status_code}: {said}",
            fix=fix,
            wait_seconds=wait or None,
        )

    def _mask(self, said: str) -> str:
        """What an endpoint said, without the key that it may have repeated."""
        return masked(said.replace(self.api_key, "***") if self.api_key else said)

    def _too_long_error(self, said: str) -> BriefTooLong:
        error = BriefTooLong(
            f"the text is too long for the model of the {self.purpose.name} endpoint",
            setting="WORKER_BRIEF_MAX_KB",
            target=self.target,
            reason=self._mask(said)[:500],
            fix="lower WORKER_BRIEF_MAX_KB, or let the server give the model a longer context",
        )
        error.fitting_share = read_fitting_share(said)
        return error

    def _unavailable_error(
        self,
        reason: str,
        error: BaseException,
    ) -> ProviderUnavailable:
        url_setting = f"{self.purpose.setting}_URL"
        obstacle = find_obstacle(error, url_setting)
        return ProviderUnavailable(
            obstacle.what.format(name=self.purpose.name),
            setting=obstacle.setting,
            target=self.target,
            reason=masked(reason)[:500],
            fix=obstacle.fix,
        )


def _read_wait(words: str, response: Any) -> float:
    """For how long the endpoint wants to be left alone; 0: it does not say."""
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    return read_wait(words, headers, time.time()) or 0.0
