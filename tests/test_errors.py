import pytest

from loreley.errors import (
    AgentFailed,
    CandidateRejected,
    ConfigError,
    EvaluationFailed,
    FailureKind,
    GitError,
    JobFailed,
    LoreleyError,
    Problem,
    ServiceUnavailable,
    TimeLimitReached,
)


def test_a_problem_is_a_block_of_aligned_lines() -> None:
    problem = Problem("no answer", setting="X", target="host", reason="refused", fix="start it")

    assert str(problem).splitlines() == [
        "error: no answer",
        "  setting: X",
        "  target:  host",
        "  reason:  refused",
        "  fix:     start it",
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert str(Problem("no answer", fix="start it")) == "error: no answer\n  fix:     start it"


def test_foreign_text_cannot_break_out_of_its_line() -> None:
    problem = Problem("a\nb", reason="first\r\n\n  second\terror: forged \x1b[31mred\x07 \udcff")

    assert str(problem).splitlines() == [
        "error: a b",
        "  reason:  first second error: forged \\x1b[31mred\\x07 \\xdcff",
    ]


@pytest.mark.parametrize("text", ["[/x]", "[bold]", "{0}", "%s", "größer ≤ 中文"])
def test_markup_and_placeholders_mean_nothing(text: str) -> None:
    assert str(Problem(text)) == f"error: {text}"


def test_an_error_reads_as_its_problems_in_their_order() -> None:
    error = ConfigError.of([Problem("first", reason="r"), Problem("second")])

    assert str(error) == "error: first\n  reason:  r\nerror: second"
    assert error.summary == "first: r; second"


def test_the_summary_is_what_where_and_why() -> None:
    error = ServiceUnavailable("no answer", setting="X", target="host", reason="refused", fix="f")

    assert error.summary == "no answer: host: refused"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (JobFailed, FailureKind.INTERNAL),
        (AgentFailed, FailureKind.AGENT),
        (EvaluationFailed, FailureKind.EVALUATION),
        (TimeLimitReached, FailureKind.TIMEOUT),
    ],
)
def test_each_failure_of_a_job_names_its_kind(error: type[JobFailed], kind: FailureKind) -> None:
    failure = error("what", reason="why", log="output")

    assert (failure.kind, failure.log, failure.summary) == (kind, "output", "what: why")


def test_the_tree_lets_callers_catch_what_they_can_act_on() -> None:
    assert issubclass(CandidateRejected, JobFailed)
    assert issubclass(GitError, LoreleyError)
    assert not issubclass(ServiceUnavailable, JobFailed)


def test_the_summary_is_one_line_whatever_a_server_says() -> None:
    error = ServiceUnavailable("no answer", target="db", reason="refused\n\tIs it running?")

    assert error.summary == "no answer: db: refused Is it running?"
