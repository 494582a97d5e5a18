"""What counts as an answer, and what is said about one that does not."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.core.evaluation.evaluation import (
    LARGEST_VALUE,
    MAX_SUMMARY_LENGTH,
    Evaluation,
    EvaluationArtifact,
    InvalidEvaluation,
    Metric,
    merged,
    parse_evaluation,
)
from loreley.errors import EvaluationFailed

SCORE = {"name": "score", "value": 1.0}


def parse(answer: object, max_metrics: int = 64) -> Any:
    return parse_evaluation(answer, max_metrics=max_metrics)


def test_one_metric_is_the_shortest_answer() -> None:
    evaluation = parse({"metrics": [SCORE]})

    assert evaluation.metrics == (Metric("score", 1.0),)
    assert evaluation.summary == ""
    assert evaluation.artifacts == ()


def test_everything_an_answer_may_hold() -> None:
    evaluation = parse(
        {
            "summary": "fine",
            "metrics": [
                SCORE,
                {"name": "time", "value": 3, "unit": "s", "higher_is_better": False},
            ],
            "artifacts": [{"name": "plot", "path": "out/plot.png", "media_type": "image/png"}],
        }
    )

    assert evaluation.summary == "fine"
    assert evaluation.metrics[1] == Metric("time", 3.0, "s", higher_is_better=False)
    assert evaluation.artifacts == (EvaluationArtifact("plot", "out/plot.png", "image/png"),)


def test_what_the_evaluator_leaves_out_it_has_not_said() -> None:
    stated = {"name": "stated", "value": 1, "higher_is_better": True}
    low = {"name": "low", "value": 1, "higher_is_better": False}
    evaluation = parse({"metrics": [SCORE, stated, low]})

    assert evaluation.directions == {"stated": True, "low": False}
    assert [metric.higher_is_better for metric in evaluation.metrics] == [True, True, False]
    assert parse(evaluation.to_mapping()) == evaluation


def test_repeats_that_say_two_directions_are_refused() -> None:
    said = [
        parse({"metrics": [{**SCORE, **more}]})
        for more in ({}, {"higher_is_better": True}, {}, {"higher_is_better": False})
    ]

    assert merged(said[:3]).directions == {"score": True}
    with pytest.raises(EvaluationFailed, match="two directions of 'score'"):
        merged(said)


@pytest.mark.parametrize(
    ("samples", "error"),
    [
        ((), 0.1),  # one measurement is as uncertain as one of the root
        ((1.0, 1.0), 1.2533 * 0.1 / 2**0.5),  # two that are equal by chance
        ((1.0, 2.0), 1.2533 * 0.7071 / 2**0.5),  # a candidate may be noisier than the root
        ((1.0,) * 5, 0.0),  # five tell their own spread
    ],
)
def test_few_samples_are_as_uncertain_as_those_of_the_root(
    samples: tuple[float, ...], error: float
) -> None:
    metric = Metric("seconds", 1.0, samples=samples)

    assert metric.error_beside(0.1) == pytest.approx(error, rel=1e-3)
    assert metric.error_beside(0.0) == metric.error


def test_an_artifact_without_a_path_is_called_like_its_file() -> None:
    evaluation = parse({"metrics": [SCORE], "artifacts": [{"name": "plot.png"}]})

    assert evaluation.artifacts[0].path == "plot.png"


def test_a_metric_is_found_by_name() -> None:
    evaluation = parse({"metrics": [SCORE]})

    assert evaluation.value("score") == 1.0
    assert evaluation.value("other") is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "the answer is NoneType"),
        ([SCORE], "the answer is list"),
        ({}, "'metrics' is NoneType"),
        ({"metrics": "score"}, "'metrics' is str"),
        ({"metrics": []}, "at least one metric"),
        ({"metrics": [1]}, "a metric is int"),
        ({"metrics": [{"value": 1}]}, "metric name is None"),
        ({"metrics": [{"name": " ", "value": 1}]}, "metric name is ' '"),
        ({"metrics": [{"name": "a\nb", "value": 1}]}, "printable"),
        ({"metrics": [{"name": "a" * 129, "value": 1}]}, "at most 128"),
        ({"metrics": [{"name": "score"}]}, "'score' has value None"),
        ({"metrics": [{"name": "score", "value": "1"}]}, "expected a number"),
        ({"metrics": [{"name": "score", "value": True}]}, "expected a number"),
        ({"metrics": [{"name": "score", "value": math.nan}]}, "nan, expected a finite number"),
        ({"metrics": [{"name": "score", "value": -math.inf}]}, "-inf, expected a finite"),
        ({"metrics": [{"name": "score", "value": 10**400}]}, "too large"),
        ({"metrics": [{"name": "score", "value": -1.1e300}]}, "beyond ±1e"),
        ({"metrics": [SCORE, SCORE]}, "metric 'score' is reported twice"),
        ({"metrics": [{**SCORE, "unit": 3}]}, "has unit 3"),
        ({"metrics": [{**SCORE, "higher_is_better": "no"}]}, "true or false"),
        ({"metrics": [SCORE], "summary": 3}, "'summary' is int"),
        ({"metrics": [SCORE], "artifacts": {"a": 1}}, "'artifacts' is dict"),
        ({"metrics": [SCORE], "artifacts": [{}]}, "artifact name is None"),
        ({"metrics": [SCORE], "artifacts": [{"name": "a"}] * 2}, "'a' is reported twice"),
        ({"metrics": [SCORE], "artifacts": [{"name": f"{n}"} for n in range(17)]}, "at most 16"),
    ],
)
def test_what_is_wrong_is_reported(answer: object, message: str) -> None:
    with pytest.raises(InvalidEvaluation, match=message):
        parse(answer)


def test_too_many_metrics_are_refused() -> None:
    metrics = [{"name": f"m{number}", "value": number} for number in range(3)]

    assert len(parse({"metrics": metrics}, max_metrics=3).metrics) == 3
    with pytest.raises(InvalidEvaluation, match="3 metrics reported, at most 2"):
        parse({"metrics": metrics}, max_metrics=2)


def test_text_is_cut_and_cleaned_for_the_database() -> None:
    evaluation = parse(
        {
            "summary": "a\0b\ud800c\n" + "x" * 10_000,
            "metrics": [{**SCORE, "unit": "\0"}],
        }
    )

    assert evaluation.summary.startswith("abc\nx")
    assert len(evaluation.summary) == MAX_SUMMARY_LENGTH
    assert evaluation.metrics[0].unit is None


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
METRICS = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b", "c"]) | ANYTHING, "value": st.floats() | ANYTHING},
    optional={"unit": st.text(max_size=8), "higher_is_better": st.booleans() | ANYTHING},
)
ANSWERS = st.fixed_dictionaries(
    {"metrics": st.lists(METRICS, max_size=3) | ANYTHING},
    optional={"summary": st.text() | ANYTHING, "artifacts": st.lists(METRICS, max_size=2)},
)


@given(ANSWERS | ANYTHING)
def test_any_answer_is_either_refused_or_sound(answer: object) -> None:
    try:
        evaluation = parse(answer)
    except InvalidEvaluation:
        return
    assert all(math.isfinite(metric.value) for metric in evaluation.metrics)
    assert len({metric.name for metric in evaluation.metrics}) == len(evaluation.metrics) > 0
    assert parse(json.loads(json.dumps(evaluation.to_mapping()))) == evaluation


def test_the_largest_figures_have_a_median_and_a_spread() -> None:
    parts = [Evaluation("", (Metric("score", sign * LARGEST_VALUE),)) for sign in (1, -1, 1, 1)]

    [metric] = merged(parts).metrics

    assert metric.value == LARGEST_VALUE
    assert math.isfinite(metric.error)
