"""The runner's JSON against the standard library's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.core.evaluation.plugin_runner import encode_json

ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.slow
@given(ANSWERS)
def test_the_worker_reads_what_the_plugin_answered(answer: object) -> None:
    # Compared as text, since NaN is not equal to itself.
    assert repr(json.loads(encode_json(answer))) == repr(answer)


def test_half_a_character_does_not_break_the_answer() -> None:
    assert json.loads(encode_json("a\ud800b")) == "a\ud800b"
