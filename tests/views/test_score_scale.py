"""Colours of fitness: by value, and by rank."""

from loreley.views.score_scale import RankScale, ScoreScale

SCORES = [0.0, 1000.0, 1001.0, 1002.0, 1003.0]


def test_by_rank_one_score_far_off_leaves_the_others_their_colours() -> None:
    by_value, by_rank = ScoreScale.of(SCORES), RankScale.of(SCORES)

    assert [by_value.step(score) for score in SCORES] == [0, 9, 9, 9, 9]
    assert [by_rank.step(score) for score in SCORES] == [0, 2, 4, 7, 9]
    assert by_rank.step(None) == -1


def test_the_scale_is_read_off_where_each_colour_begins() -> None:
    assert RankScale.of(SCORES).legend(-1.0) == [
        (0, "0"), (2, "-1,000"), (4, "-1,001"), (7, "-1,002"), (9, "-1,003"),
    ]  # fmt: skip
    assert RankScale.of([5.0, 5.0]).legend(1.0) == [(9, "5")]
    assert RankScale.of([]).legend(1.0) == [(9, "0")]
