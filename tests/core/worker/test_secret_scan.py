"""Secrets in what agents write. The keys here are of the right shape and belong to nobody."""

import pytest
from pydantic import SecretStr

from loreley.config import Settings
from loreley.core.worker.secret_scan import Secrets

# Put together here, so that nobody who scans this file takes them for keys.
SHAPES = {
    "an Anthropic key": "sk-" + "ant-api03-" + "a1B2" * 8,
    "an OpenAI key": "sk-" + "proj-" + "a1B2" * 8,
    "an OpenRouter key": "sk-" + "or-v1-" + "0a1b" * 10,
    "a GitHub token": "gh" + "p_" + "a1B2" * 9,
    "a GitLab token": "gl" + "pat-" + "a1B2" * 5,
    "a Google key": "AI" + "za" + "a1B2c" * 7,
    "an AWS key": "AK" + "IA" + "A1B2" * 4,
    "a Slack token": "xo" + "xb-" + "1234567890-abc",
    "a Hugging Face token": "h" + "f_" + "aBcD" * 9,
    "an npm token": "np" + "m_" + "a1B2" * 9,
    "a PyPI token": "py" + "pi-AgE" + "a1B2" * 13,
    "a Stripe key": "sk" + "_live_" + "a1B2" * 6,
    "a private key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_well_known_shapes_are_found_and_hidden(name: str) -> None:
    text = f'KEY = "{SHAPES[name]}"'

    assert name in Secrets().find_in(text)
    assert SHAPES[name] not in Secrets().hide_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn is imported as sklearn, see task-force and risk-free",
        "a" * 40,
        "0123456789abcdef" * 4,
        "-----BEGIN PUBLIC KEY-----",
        "password = getpass()",
        "ghp_short",
    ],
)
def test_ordinary_text_is_not_taken_for_a_secret(text: str) -> None:
    assert Secrets().find_in(text) == []
    assert Secrets().hide_in(text) == text


def test_known_values_are_found_by_the_name_of_their_variable() -> None:
    secrets = Secrets({"TEAM_KEY": "correct-horse-7"})

    assert secrets.find_in("x = 'correct-horse-7'") == ["the value of TEAM_KEY"]
    assert secrets.hide_in("x = 'correct-horse-7'") == "x = '***'"


def test_of_a_url_the_password_counts_and_not_the_host() -> None:
    secrets = Secrets({"REDIS": "redis://user:s3cret-word@queue.example.org:6379/0"})

    assert secrets.find_in("s3cret-word")
    assert secrets.hide_in("queue.example.org") == "queue.example.org"


@pytest.mark.parametrize("value", ["", "short", "localhost", "postgres"])
def test_what_may_be_an_ordinary_word_is_not_looked_for(value: str) -> None:
    assert Secrets({"X": value}).find_in(f"the {value} server") == []


def test_the_settings_and_the_agents_keys_are_known() -> None:
    settings = Settings(
        worker_chat_api_key=SecretStr("key-of-the-chat-1"),
        database_url=SecretStr("postgresql://me:pass-word-9@db.example.org/x"),
    )
    environ = {"TOKEN_A": "value-of-token-a", "OTHER": "value-of-other"}

    secrets = Secrets.collect(settings, environ, ["TOKEN_A", "MISSING"])

    assert secrets.find_in("key-of-the-chat-1") == ["the value of WORKER_CHAT_API_KEY"]
    assert secrets.find_in("pass-word-9") == ["the value of DATABASE_URL"]
    assert secrets.find_in("value-of-token-a") == ["the value of TOKEN_A"]
    assert secrets.find_in("value-of-other db.example.org") == []


@pytest.mark.parametrize("key", ["c2VjcmV0/a2V5+MTIz==", "3f9a1c20:77be01d4"])
def test_a_key_may_hold_what_addresses_hold(key: str) -> None:
    secrets = Secrets.collect(Settings(worker_chat_api_key=SecretStr(key)), {}, ())

    assert secrets.find_in(f"key = {key!r}") == ["the value of WORKER_CHAT_API_KEY"]
