"""What a person types: `invoke --list`."""

from pathlib import Path

from invoke.collection import Collection

from development import commands as developing
from loreley.commands import export as taking
from loreley.commands import maintain as tending
from loreley.commands import observe as watching
from loreley.commands import run as running

namespace = Collection(
    running.evolve,
    running.worker,
    running.scheduler,
    watching.status,
    watching.top,
    watching.ui,
    watching.report,
    watching.job,
    watching.logs,
    taking.best,
    taking.export,
    taking.minimise,
    tending.doctor,
    tending.redis,
    tending.note,
    tending.notes,
    developing.run_tests,
    developing.lint,
    developing.check,
    developing.bench,
    developing.remove_products,
    developing.pins,
)
namespace.configure(
    {"root": str(Path(__file__).resolve().parent), "example": "examples.evol_circle_packing"}
)
