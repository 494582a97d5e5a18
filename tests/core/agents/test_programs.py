"""Where a program is, what it needs to see, and what it says of itself."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.presets import presets
from loreley.core.agents.probing import probe
from loreley.core.agents.programs import Program, find_program
from tests.core.agents.support import program


def found(name: str, search_path: str) -> Program:
    program = find_program(name, search_path)
    assert program is not None
    return program


def test_a_program_that_is_nowhere_is_none(tmp_path: Path) -> None:
    assert find_program("codex", str(tmp_path)) is None
    assert find_program(str(tmp_path / "codex"), "") is None


def test_a_file_that_cannot_be_run_is_none(tmp_path: Path) -> None:
    (tmp_path / "codex").write_text("#!/bin/sh\n")

    assert find_program("codex", str(tmp_path)) is None


def test_a_package_of_npm_is_seen_whole(tmp_path: Path) -> None:
    script = tmp_path / "lib" / "node_modules" / "@x" / "cli" / "bin" / "cli.js"
    program(script, "")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "cli").symlink_to(script)

    answer = found("cli", str(tmp_path / "bin"))

    assert answer.path == script
    assert tmp_path / "lib" / "node_modules" in answer.folders


def test_a_virtual_environment_is_seen_with_its_python(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    program(tmp_path / "bin" / "tool", "")

    answer = found("tool", str(tmp_path / "bin"))

    assert tmp_path in answer.folders
    assert Path(sys.executable).resolve().parents[1] in answer.folders


def test_what_the_first_line_names_is_seen_and_its_home_is_not(tmp_path: Path) -> None:
    runtime = tmp_path / "home" / "runtime" / "bin" / "node"
    program(runtime, "")
    script = tmp_path / "cli"
    script.write_text("#!/usr/bin/env -S node --x\n")
    script.chmod(0o755)

    answer = found("cli", f"{tmp_path}:{runtime.parent}")

    assert tmp_path / "home" / "runtime" in answer.folders
    assert tmp_path / "home" not in answer.folders


CLAUDE = presets()["claude"]


def probed(tmp_path: Path, body: str) -> tuple[str, tuple[str, ...]]:
    answer = probe(
        CLAUDE,
        found(str(program(tmp_path / "claude", body)), ""),
        {"PATH": "/usr/bin", "ANTHROPIC_API_KEY": "never-handed-on"},
    )
    return answer.version, answer.missing_flags


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("2.1.197 (Claude Code)", "2.1.197"),
        ("codex-cli 0.169.0", "0.169.0"),
        ("v1.0.102\nmore", "1.0.102"),
        ("aider 0.86.2", "0.86.2"),
        ("no idea", ""),
    ],
)
def test_the_version_is_read_from_what_it_says(says: str, version: str, tmp_path: Path) -> None:
    flags = " ".join(CLAUDE.flags)
    body = f"print({says!r} if sys.argv[1:] == ['--version'] else {flags!r})"

    assert probed(tmp_path, body) == (version, ())


def test_flags_that_the_help_does_not_show_are_named(tmp_path: Path) -> None:
    flags = " ".join(flag for flag in CLAUDE.flags if flag != "--model")

    assert probed(tmp_path, f"print('1.0', {flags!r})") == ("1.0", ("--model",))


def test_a_program_that_cannot_be_started_is_reported_as_that(tmp_path: Path) -> None:
    broken = tmp_path / "claude"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o755)

    answer = probe(CLAUDE, Program(broken, ()), {})

    assert "Exec format error" in answer.obstacle


def test_a_program_that_only_hides_its_version_is_no_obstacle(tmp_path: Path) -> None:
    answer = probe(CLAUDE, found(str(program(tmp_path / "claude", "")), ""), {})

    assert not answer.obstacle
    assert not answer.is_as_expected


def test_a_probe_hands_on_no_key_and_has_a_home_of_its_own(tmp_path: Path) -> None:
    body = f"open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))"

    probed(tmp_path, body)

    seen = (tmp_path / "seen").read_text()
    assert "never-handed-on" not in seen
    assert str(Path.home()) not in seen


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_is_whole(name: str) -> None:
    preset = presets()[name]

    assert preset.install
    assert preset.keys
    assert preset.flags
    assert "{arguments}" in preset.arguments
    chosen = [*preset.model, *preset.model_environment.values()]
    assert any("{name}" in word for word in chosen)
    assert ("{model}" in preset.arguments) == bool(preset.model)
    assert ("{dollar_cap}" in preset.arguments) == bool(preset.dollar_cap)
    assert replace(preset, name="x").variables == (*preset.keys, *preset.hand_on)
