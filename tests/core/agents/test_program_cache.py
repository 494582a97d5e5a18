"""What a coding agent unpacks, kept between the jobs of one worker and from everybody else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.agents.assembly import assemble_agents
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.presets import Preset, presets
from loreley.core.agents.program_cache import ProgramCaches
from loreley.core.agents.programs import find_program
from loreley.core.sandbox.sandbox import Level, probe
from tests.core.agents.command_agents import Make, proposed
from tests.core.agents.support import Bench, program

COPILOT = presets()["copilot"]
UNPACKED = ".cache/copilot/pkg/linux/1.0"
# What the real one does, with what it must not keep beside it.
UNPACKS = f"""
home = os.environ['HOME']
found = os.path.isdir(f'{{home}}/{UNPACKED}')
if not found:
    os.makedirs(f'{{home}}/{UNPACKED}')
    open(f'{{home}}/{UNPACKED}/index.js', 'w').write('code')
for name in ('.copilot/mcp-config.json', '.copilot/session.json', '.cache/copilot/login'):
    os.makedirs(os.path.dirname(f'{{home}}/{{name}}'), exist_ok=True)
    open(f'{{home}}/{{name}}', 'w').write('remember me')
"""
WORKS = (
    UNPACKS
    + f"""
try: open(f'{{home}}/{UNPACKED}/index.js', 'w').write('worse')
except OSError: pass
seen = open(f'{{home}}/{UNPACKED}/index.js').read()
open('seen.txt', 'w').write(f'{{found}} {{seen}}')
print('{{"type":"result","exitCode":0}}')
"""
)


@pytest.fixture
def caches() -> Iterator[ProgramCaches]:
    with ProgramCaches.open() as found:
        yield found


def fill(caches: ProgramCaches, tmp_path: Path, body: str, preset: Preset = COPILOT) -> None:
    found = find_program(str(program(tmp_path / "bin" / "unpacking", body)), "")
    assert found is not None
    caches.fill(preset, found, {"PATH": "/usr/bin:/bin"})


def list_files(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_of_a_home_only_what_the_preset_names_is_kept(
    caches: ProgramCaches, tmp_path: Path
) -> None:
    fill(caches, tmp_path, UNPACKS)

    kept = caches.find(COPILOT)
    assert kept is not None
    assert list_files(kept) == [f"{UNPACKED}/index.js"]


@pytest.mark.skipif(probe().level is not Level.BUBBLEWRAP, reason="needs bubblewrap")
def test_a_job_finds_what_was_unpacked_and_cannot_change_it(
    caches: ProgramCaches, tmp_path: Path, agent: Make, bench: Bench
) -> None:
    fill(caches, tmp_path, UNPACKS)
    kept = caches.find(COPILOT)
    assert kept is not None

    proposed(agent(WORKS, COPILOT, cache=kept), bench)

    assert bench.read("seen.txt") == "True code"
    assert list_files(kept) == [f"{UNPACKED}/index.js"]


def test_a_program_that_was_upgraded_meanwhile_unpacks_itself_for_each_job(
    caches: ProgramCaches, tmp_path: Path, agent: Make, bench: Bench
) -> None:
    fill(caches, tmp_path, UNPACKS.replace("1.0", "0.9"))

    proposed(agent(WORKS, COPILOT, cache=caches.find(COPILOT)), bench)

    assert bench.read("seen.txt").startswith("False")


def test_a_link_is_never_kept(caches: ProgramCaches, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    body = (
        "os.makedirs(os.environ['HOME'] + '/.cache/copilot/pkg/linux')\n"
        f"os.symlink({str(secret)!r}, os.environ['HOME'] + '/{UNPACKED}')\n"
    )

    fill(caches, tmp_path, body)

    kept = caches.find(COPILOT)
    assert kept is None or not (kept / UNPACKED).exists()
    assert secret.exists()


def test_a_program_that_unpacks_nothing_has_no_cache(caches: ProgramCaches, tmp_path: Path) -> None:
    fill(caches, tmp_path, UNPACKS, replace(COPILOT, cache=()))

    assert caches.find(COPILOT) is None
    assert list(caches.folder.iterdir()) == []


def test_the_caches_are_gone_with_their_worker(tmp_path: Path) -> None:
    with ProgramCaches.open() as caches:
        fill(caches, tmp_path, UNPACKS)

    assert not caches.folder.exists()


@pytest.mark.parametrize("has_home", [False, True])
def test_a_worker_fills_the_cache_when_it_asks_for_the_version(
    has_home: bool, caches: ProgramCaches, tmp_path: Path
) -> None:
    program(tmp_path / "bin" / "copilot", f"{UNPACKS}\nprint('1.0', {' '.join(COPILOT.flags)!r})")
    environ = {"PATH": str(tmp_path / "bin"), "GH_TOKEN": "key"}
    home = str(tmp_path) if has_home else None
    settings = Settings(worker_agent=["copilot", "again=copilot"], worker_agent_home=home)
    alone = settings.model_copy(update={"worker_agent": ["again=copilot"]})

    assemble_agents(settings, probe(), environ, caches)
    found = assemble_agents(alone, probe(), environ, caches)

    assert isinstance(found, CommandAgent)
    # A HOME of the operator's own keeps what it is given anyway.
    assert found.process.options.cache == (None if has_home else caches.folder / "copilot")
