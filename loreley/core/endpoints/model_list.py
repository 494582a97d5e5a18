"""The list of an endpoint's models: free, and refused where the key is."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loreley.core.budget import CallUsage
from loreley.core.endpoints.openai_client import Client
from loreley.errors import LoreleyError, ProviderRefused
from loreley.host.deadline import Deadline

if TYPE_CHECKING:
    from openai import OpenAI

_SHOWN = 5
# Of a key that may ask questions and not list models, or of a list that nobody may see.
_OF_THE_LIST = re.compile(r"scope|permission|not allowed|forbidden", re.IGNORECASE)


def read_model_list(client: Client, deadline: Deadline) -> Sequence[str]:
    """The ids of the models at the client's URL, as far as it lists all of them.

    Raises `ProviderRefused` where it refuses the key. Whatever else it answers, or does not, says
    nothing of the questions to come: not every server has a list.
    """
    try:
        answer = client.ask(_ask_for_list, deadline, CallUsage())
    except ProviderRefused as error:
        if _refuses_key(error):
            raise
        return ()
    except LoreleyError:
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


def _ask_for_list(client: "OpenAI") -> object:
    return client.get("/models", cast_to=object)


def _refuses_key(error: ProviderRefused) -> bool:
    """Whether it says so; status 403 alone may be that of a firewall."""
    status = getattr(error.__cause__, "status_code", 0)
    is_from_api = isinstance(getattr(error.__cause__, "body", None), dict)
    is_of_list = bool(_OF_THE_LIST.search(error.summary))
    return status == 401 or (status == 403 and is_from_api and not is_of_list)


def _is_same(asked: str, listed: str) -> bool:
    """Whether the names may mean one model, with or without vendor, folder, tag or variant."""
    names = [{name, name.partition(":")[0], name.rpartition("/")[2]} for name in (asked, listed)]
    return bool(names[0] & names[1])
