"""What a candidate may change."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from loreley.config.values import Names

# What instructs or configures agents, what runs when a branch is pushed, what git fetches.
_PROTECTED = [
    *("AGENTS.md", "CLAUDE.md", "GEMINI.md", "QWEN.md", "CONVENTIONS.md", ".goosehints"),
    *(".agents", ".claude", ".cline", ".clinerules", ".codex", ".continue", ".copilot", ".cursor"),
    *(".cursorrules", ".factory", ".gemini", ".goose", ".kimi-code", ".opencode", ".pi", ".qwen"),
    *(".aider*", "opencode.json", "opencode.jsonc", ".mcp.json", ".github", ".gitlab-ci.yml"),
    ".gitmodules",
]


def _require_marks(value: list[str]) -> list[str]:
    if len(value) not in (0, 2):
        raise ValueError("expected two marks, the one before and the one after")
    return value


class GateSettings(BaseModel):
    """What a candidate may change; what it may not is refused before it is evaluated."""

    worker_gate_editable_paths: Names = Field(
        [],
        description="Globs of the paths that may be changed, with `**` for any folders. Unset: all "
        "that are not protected.",
    )
    worker_gate_protected_paths: Names = Field(
        _PROTECTED,
        description="Globs of the paths that may not be changed, editable or not.",
    )
    worker_gate_region: Annotated[Names, AfterValidator(_require_marks)] = Field(
        [],
        description="Two marks, such as `EVOLVE-BLOCK-START, EVOLVE-BLOCK-END`: only lines between "
        "a line with the first and a line with the second may be changed.",
    )
    worker_gate_max_files: int = Field(
        100, ge=0, description="Most files that a candidate may change; 0: any number."
    )
    worker_gate_max_lines: int = Field(
        5000, ge=0, description="Most lines that it may add and remove together; 0: any number."
    )
    worker_gate_max_kb: int = Field(1024, ge=0, description="Longest diff in KiB; 0: any length.")
    worker_gate_secrets: bool = Field(
        True, description="Refuse a candidate that adds a key, a token or a password."
    )
    worker_gate_meaning: bool = Field(
        True,
        description="Refuse a candidate that differs from a judged one in blanks, comments and, in "
        "Python, names of local variables only.",
    )
