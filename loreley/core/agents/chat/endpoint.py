"""The endpoint of a chat agent, as the settings name it, and its key tried at the start."""

from loreley.config import Settings
from loreley.core.endpoints.chat import ChatEndpoint


def assemble_chat_endpoint(name: str, settings: Settings) -> ChatEndpoint:
    """Where an agent of this name asks its model."""
    key = settings.worker_chat_api_key
    return ChatEndpoint(
        model=settings.of_agent("worker_agent_models", name) or settings.worker_chat_model or "",
        url=settings.worker_chat_url,
        api_key=key.get_secret_value() if key else None,
        temperature=settings.worker_chat_temperature,
        max_output_tokens=settings.worker_chat_max_output_tokens,
        idle_seconds=settings.worker_agent_idle_seconds,
    )


def try_key(settings: Settings) -> str:
    """Find out, as far as it is free, whether the chat endpoint takes the key; what else is odd.

    Raises `ProviderRefused` where it does not. Of what is not asked nothing is odd.
    """
    chats = [name for name, kind in settings.agent_kinds.items() if kind == "chat"]
    odd = [assemble_chat_endpoint(name, settings).try_key() for name in chats]
    return "; ".join(filter(None, odd))
