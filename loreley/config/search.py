"""What is sought, and how."""

from math import isinf, prod
from typing import Annotated, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from loreley.config.problems import unset
from loreley.config.values import parsed_by
from loreley.errors import Problem
from loreley.map_elites.cells import Measure
from loreley.map_elites.fitness import Constraint, Term
from loreley.map_elites.objective import Objective
from loreley.map_elites.sampler import BaseChoice

MAX_CELLS = 2**31 - 1  # a cell's number is a 32 bit integer in the database

_Terms = Annotated[list[Term], NoDecode, parsed_by(Term.parse)]
_Constraints = Annotated[list[Constraint], NoDecode, parsed_by(Constraint.parse)]
_Measures = Annotated[list[Measure], NoDecode, parsed_by(Measure.parse)]


class SearchSettings(BaseModel):
    """What is sought, what counts as different, and how the next attempt is chosen."""

    mapelites_experiment_root_commit: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$",
        description="Full id of the first commit. Unset: the branch's head at the first start, "
        "then fixed in the database.",
    )
    mapelites_fitness_metric: str | None = Field(
        None, min_length=1, description="The evaluator's metric that is improved."
    )
    mapelites_fitness_higher_is_better: bool | None = Field(
        None,
        description="Whether more of that metric is better. Unset: as the evaluator says, by "
        "default true.",
    )
    mapelites_fitness_weights: _Terms = Field(
        [],
        description="Instead of one metric a weighted sum, as `metric:weight`; a negative weight "
        "makes less of it better.",
    )
    mapelites_constraints: _Constraints = Field(
        [],
        description="What a candidate must fulfil to enter the archive, as `metric <= number` or "
        "`metric >= number`.",
    )
    mapelites_measures: _Measures = Field(
        [],
        description="What tells two candidates apart, as `name:low:high:bins`: metrics of the "
        "evaluator, or what is counted of every candidate, such as `edit_distance` (lines changed "
        "since the root) or `code_size` (bytes of text). Unset: the code descriptor.",
    )
    mapelites_descriptor: Literal["tokens", "embedding"] = Field(
        "tokens",
        description="Without named measures: what the code descriptor is made of, `tokens` or "
        "`embedding`, which asks an OpenAI-compatible endpoint.",
    )
    mapelites_embedding_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="Base URL of that endpoint, such as `http://localhost:11434/v1`. Unset: "
        "OpenAI's.",
    )
    mapelites_embedding_api_key: SecretStr | None = Field(
        None, description="Key of that endpoint; local servers often need none."
    )
    mapelites_embedding_model: str | None = Field(
        None, min_length=1, max_length=255, description="Model that makes the embeddings."
    )
    mapelites_embedding_price: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="US dollars for a million tokens of it; needed beside a budget in dollars.",
    )
    mapelites_descriptor_axes: int = Field(
        2,
        ge=1,
        le=4,
        description="Without named measures: how many principal components of the code descriptor "
        "make the archive's axes.",
    )
    mapelites_descriptor_bins: int = Field(
        10, ge=2, le=100, description="Without named measures: bins of each axis."
    )
    mapelites_islands: int = Field(
        2, ge=1, le=64, description="Populations that evolve apart, each with its own archive."
    )
    mapelites_migration_interval: int = Field(
        10,
        ge=0,
        description="After so many jobs each island sends its best to the next; 0: never.",
    )
    mapelites_base_choice: _Terms = Field(
        [Term.parse(text) for text in ("fitness:0.8", "uniform:0.1", "curiosity:0.1")],
        description="How often a job starts from a fit elite, from any elite, or from one whose "
        "children lately entered the archive, as `way:share`.",
    )
    mapelites_plateaus: bool = Field(
        True,
        description="Whether other bases and longer tuning are tried while the best has not moved "
        "for longer than it usually takes.",
    )
    mapelites_seed_population_size: int = Field(
        8, ge=0, description="The first jobs all start from the root commit; this many."
    )
    mapelites_random_seed: int = Field(
        0, ge=0, lt=2**31, description="Seed of every random choice of the search."
    )
    mapelites_reproducible: bool = Field(
        False,
        description="Let no measured time influence a choice: with one worker the same seed then "
        "gives the same commits.",
    )

    @field_validator("mapelites_measures")
    @classmethod
    def _measures_make_a_grid(cls, value: list[Measure]) -> list[Measure]:
        names = {measure.name for measure in value}
        if len(names) < len(value):
            raise ValueError("a measure is named twice")
        if prod(measure.bins for measure in value) > MAX_CELLS:
            raise ValueError(f"together they make more than {MAX_CELLS} cells")
        return value

    @field_validator("mapelites_fitness_weights")
    @classmethod
    def _weights_compare(cls, value: list[Term]) -> list[Term]:
        if value and not any(term.weight for term in value):
            raise ValueError("one of the weights must not be 0, or all candidates are equally good")
        return value

    @field_validator("mapelites_base_choice")
    @classmethod
    def _shares_can_be_drawn(cls, value: list[Term]) -> list[Term]:
        shares = {term.metric: term.weight for term in value}
        if unknown := set(shares) - set(BaseChoice):
            raise ValueError(f"{min(unknown)!r} is none of {', '.join(sorted(BaseChoice))}")
        if min(shares.values(), default=0) < 0 or sum(shares.values()) <= 0:
            raise ValueError("shares are not negative, and one of them is above 0")
        if isinf(sum(shares.values())):
            raise ValueError("the shares are too large to be added up")
        return value

    @property
    def objective(self) -> Objective:
        """What is sought; to be `Objective.directed` where nothing is said of the direction."""
        return Objective(
            metric=self.mapelites_fitness_metric,
            higher_is_better=self.mapelites_fitness_higher_is_better,
            weights=tuple(self.mapelites_fitness_weights),
            constraints=tuple(self.mapelites_constraints),
            measures=tuple(self.mapelites_measures),
            code_axes=self.mapelites_descriptor_axes,
            code_bins=self.mapelites_descriptor_bins,
        )

    @property
    def embeds(self) -> bool:
        """Whether the code descriptor is made of embeddings."""
        return self.mapelites_descriptor == "embedding" and not self.mapelites_measures

    def embedding_problems(self, *, budget_in_dollars: bool) -> list[Problem]:
        """What an embedding endpoint still needs."""
        found: list[Problem] = []
        if not self.embeds:
            return found
        if not self.mapelites_embedding_model:
            found.append(
                unset(type(self), "MAPELITES_EMBEDDING_MODEL", "the descriptor is an embedding")
            )
        if not self.mapelites_embedding_url and not self.mapelites_embedding_api_key:
            reason = "the endpoint is OpenAI's, which needs one"
            found.append(unset(type(self), "MAPELITES_EMBEDDING_API_KEY", reason))
        if budget_in_dollars and self.mapelites_embedding_price is None:
            reason = "the budget is in dollars, so the price of embeddings must be known"
            found.append(unset(type(self), "MAPELITES_EMBEDDING_PRICE", reason))
        return found

    def fitness_problems(self) -> list[Problem]:
        """Not one fitness, but none or two."""
        setting = "MAPELITES_FITNESS_METRIC, MAPELITES_FITNESS_WEIGHTS"
        if self.mapelites_fitness_metric and self.mapelites_fitness_weights:
            return [
                Problem(
                    "two fitnesses are configured",
                    setting=setting,
                    reason="a candidate is compared by one number",
                    fix="unset one of the two",
                )
            ]
        if not self.mapelites_fitness_metric and not self.mapelites_fitness_weights:
            return [
                unset(
                    type(self),
                    setting,
                    "the metric to improve is not known",
                    fix="set one of the two",
                )
            ]
        if self.mapelites_fitness_weights and self.mapelites_fitness_higher_is_better is False:
            return [
                Problem(
                    "MAPELITES_FITNESS_HIGHER_IS_BETTER is of no use beside weights",
                    setting="MAPELITES_FITNESS_HIGHER_IS_BETTER, MAPELITES_FITNESS_WEIGHTS",
                    reason="of a weighted sum more is always better",
                    fix="unset the former, and give a negative weight to what is to be less",
                )
            ]
        return []
