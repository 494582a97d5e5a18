"""Where the settings seek the opposite of what the evaluator says is better; pure."""

from collections.abc import Iterator, Mapping

from loreley.errors import Problem
from loreley.map_elites.fitness import Term
from loreley.map_elites.objective import Objective

_DIRECTION, _WEIGHTS = "MAPELITES_FITNESS_HIGHER_IS_BETTER", "MAPELITES_FITNESS_WEIGHTS"
_ANEW = "a run that has begun needs another DATABASE_URL or LORELEY_STATE_DIR, too"


def find_contradictions(objective: Objective, said: Mapping[str, bool]) -> list[Problem]:
    """One problem for each metric that is sought, or bounded, against its direction.

    ``said`` holds whether more is better, by metric; of a metric that is not in it the evaluator
    says nothing, and nothing contradicts that.
    """
    return [*_compare_fitness(objective, said), *_compare_constraints(objective, said)]


def _compare_fitness(objective: Objective, said: Mapping[str, bool]) -> Iterator[Problem]:
    for metric, more in objective.directions.items():
        if said.get(metric, more) is more:
            continue
        [term] = [each for each in objective.terms if each.metric == metric]
        yield Problem(
            "the fitness and the evaluator contradict each other",
            setting=_DIRECTION if objective.metric else _WEIGHTS,
            target=metric,
            reason=f"{_quote_setting(objective, term)}, so {_name_better(more)}; "
            f"{_quote_evaluator(said[metric])}",
            fix=f"unset {_DIRECTION}, so that the evaluator's word counts, or correct the "
            f"evaluator; {_ANEW}"
            if objective.metric
            else f"correct {_WEIGHTS} or the evaluator; {_ANEW}",
        )


def _compare_constraints(objective: Objective, said: Mapping[str, bool]) -> Iterator[Problem]:
    for each in objective.constraints:
        if said.get(each.metric, not each.at_most) is each.at_most:
            yield Problem(
                "a constraint and the evaluator contradict each other",
                setting="MAPELITES_CONSTRAINTS",
                target=each.metric,
                reason=f"{each} bounds what is better; {_quote_evaluator(said[each.metric])}",
                fix="correct MAPELITES_CONSTRAINTS, or leave higher_is_better of the metric out "
                f"in the evaluator; {_ANEW}",
            )


def _quote_setting(objective: Objective, term: Term) -> str:
    if objective.metric:
        return f"the setting is {str(objective.higher_is_better).lower()}"
    return f"the weight is {term.weight:g}"


def _quote_evaluator(more: bool) -> str:
    return f"the evaluator says higher_is_better {str(more).lower()}, so {_name_better(more)}"


def _name_better(more: bool) -> str:
    return f"{'more' if more else 'less'} is better"
