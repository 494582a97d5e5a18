"""Output of children, as people and databases get to see it."""

import tempfile

import pytest

from loreley.core.sandbox.child_output import last_line, legible, tail


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://a\x1b\\link", "link"),
        ("10%\r20%\r\ndone", "10%\n20%\ndone"),
        ("nul\0bell\x07back\b", "nulbellback"),
        ("half \ud800 character", "half  character"),
        ("äöü 漢字 🙂", "äöü 漢字 🙂"),
    ],
)
def test_text_becomes_legible(raw: str, shown: str) -> None:
    assert legible(raw) == shown


def test_the_end_of_a_long_output_starts_with_a_whole_line() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(b"line %03d\n" % number for number in range(100)))
        file.flush()

        assert tail(file, limit_bytes=30) == "line 097\nline 098\nline 099\n"


def test_the_end_of_one_long_line_is_shown() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"x" * 100)
        file.flush()

        assert tail(file, limit_bytes=30) == "x" * 30


def test_bytes_that_are_no_text_are_marked() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"a\xffb")
        file.flush()

        assert tail(file) == "a\N{REPLACEMENT CHARACTER}b"


def test_the_last_line_says_something() -> None:
    assert last_line("first\n  second \n\n") == "second"
    assert last_line("\n\n") == ""
