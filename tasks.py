"""What a person types: `invoke --list`."""

from pathlib import Path

from invoke.collection import Collection

from loreley.commands import developing, running, taking, tending, watching

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
