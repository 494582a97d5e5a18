"""What a person types: `invoke --list`."""

from pathlib import Path

from invoke.collection import Collection
from invoke.tasks import Task

from development import commands as development
from loreley.commands import export, maintain, observe, run

namespace = Collection(
    *(
        task
        for group in (run, observe, export, maintain, development)
        for task in vars(group).values()
        if isinstance(task, Task)
    )
)
namespace.configure(
    {"root": str(Path(__file__).resolve().parent), "example": "examples.evol_circle_packing"}
)
