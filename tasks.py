"""What a person types: `invoke --list`."""

from pathlib import Path

from invoke.collection import Collection
from invoke.tasks import Task

from development import commands as development
from loreley.commands.program import operator_tasks
from loreley.commands.project import EXAMPLE

namespace = Collection(
    *operator_tasks(), *(task for task in vars(development).values() if isinstance(task, Task))
)
namespace.configure({"root": str(Path(__file__).resolve().parent), "example": EXAMPLE})
