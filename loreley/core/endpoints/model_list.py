"""The list of an endpoint's models: free, and refused where the key is."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from loreley.core.endpoints.completions import Refused
from loreley.core.endpoints.openai_client import Client
from loreley.errors import LoreleyError
from loreley.host.deadline import Deadline
from loreley.host.interruptible import run_interruptibly

_SHOWN = 5
_LONGEST_BYTES = 16 * 1024 * 1024
# Of a key that may ask questions and not list models, or of a list that nobody may see.
_OF_THE_LIST = re.compile(r"scope|permission|not allowed|forbidden", re.IGNORECASE)


class _NoRedirects(HTTPRedirectHandler):
    """A key goes to the endpoint that it is of, and nowhere else."""

    def redirect_request(self, *_arguments: object) -> None:
        """Follow none."""


def read_model_list(client: Client, deadline: Deadline) -> Sequence[str]:
    """The ids of the models at the client's URL, as far as it lists all of them.

    Raises `ProviderRefused` where it refuses the key. Whatever else it answers, or does not, says
    nothing of the questions to come: not every server has a list. It is asked without the library,
    whose import takes as long as a start may.
    """
    if not client.base_url.lower().startswith(("http://", "https://")):
        return ()
    request = Request(  # noqa: S310 - the scheme is one of these
        f"{client.base_url}/models",
        headers={"Authorization": f"Bearer {client.api_key}", "User-Agent": "loreley"},
    )
    try:
        answer = run_interruptibly(
            lambda: _fetch(request, deadline), deadline, "waiting for the list of models"
        )
    except HTTPError as error:
        with error:
            said = _read_json(error)
        if _refuses_key(error.code, said):
            raise client.refusal_error(Refused(error.code, _find_words(said), None)) from error
        return ()
    except (LoreleyError, OSError, HTTPException, ValueError):
        return ()
    if not isinstance(answer, dict) or answer.get("has_more") or answer.get("next_page_token"):
        return ()
    listed = answer.get("data")
    models = listed if isinstance(listed, list) else []
    ids = [model.get("id") for model in models if isinstance(model, dict)]
    return [name for name in ids if isinstance(name, str)]


def describe_missing_model(model: str, listed: Sequence[str]) -> str:
    """That the list lacks the model; empty where it does not, or there is none."""
    if not listed or any(_is_same(model, name) for name in listed):
        return ""
    more = f", and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return f"the model {model!r} is not in its list: {', '.join(listed[:_SHOWN])}{more}"


def _fetch(request: Request, deadline: Deadline) -> object:
    with build_opener(_NoRedirects).open(request, timeout=deadline.remaining_seconds) as response:
        return json.loads(response.read(_LONGEST_BYTES))


def _read_json(error: HTTPError) -> object:
    with suppress(OSError, HTTPException, ValueError):
        return json.loads(error.read(_LONGEST_BYTES))
    return None


def _refuses_key(status: int, said: object) -> bool:
    """Whether it says so; status 403 alone may be that of a firewall."""
    is_of_list = bool(_OF_THE_LIST.search(_find_words(said)))
    return status == 401 or (status == 403 and isinstance(said, dict) and not is_of_list)


def _find_words(said: object) -> str:
    """What an endpoint says of an error, in whichever of the usual forms."""
    told = said.get("error", said) if isinstance(said, dict) else said
    if isinstance(told, dict):
        told = told.get("message") or told.get("detail")
    return str(told or "")


def _is_same(asked: str, listed: str) -> bool:
    """Whether the names may mean one model, with or without vendor, folder, tag or variant."""
    names = [{name, name.partition(":")[0], name.rpartition("/")[2]} for name in (asked, listed)]
    return bool(names[0] & names[1])
