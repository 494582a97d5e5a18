"""An MCP server that a coding agent starts in its sandbox; each of its tools asks the worker.

JSON-RPC 2.0 over stdio, one message a line, as the Model Context Protocol has it. Started alone, by
its path, beside `client.py`; docs/adr/0017 says why it is not made with the `mcp` package.
"""

import json
import os
import sys
from typing import Any

if __name__ == "__main__":  # where it lies beside the client, and apart from the package
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    import client  # type: ignore[import-not-found]
else:
    from loreley.core.agents.measuring import client

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")  # of the protocol, the newest first
LONGEST_LINE = 1024 * 1024
TOOLS = {
    "evaluate": "Have the evaluator judge the worktree as it is now, with all its files. Gives the "
    "metrics, the gain on where you started and on the best so far (above 0 is better), the noise "
    "and the end of the evaluator's log, or why the candidate fails. What was judged before costs "
    "no evaluation. Where you were not given the time to wait, ask again: it goes on meanwhile.",
    "best": "The best state of the worktree that was judged so far, as evaluate has told it.",
    "lineage": "The commits that led to where you started, with their figures; the latest is last.",
    "inspirations": "Other good commits, with their figures and what they do otherwise.",
    "notes": "What the people who run this want to be known, and what earlier agents have found "
    "out, with its figures.",
}


class NotUnderstood(ValueError):
    """A message that is none, with its code."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


def answer(line: bytes) -> dict[str, Any] | None:
    """The answer to a line, or None where there is to be none."""
    request_id = None
    try:
        message = _parse(line)
        request_id = message.get("id")
        if request_id is None:  # a notification
            return None
        result = _handle(message.get("method"), message.get("params"))
    except NotUnderstood as error:
        said = {"code": error.code, "message": str(error)}
        return {"jsonrpc": "2.0", "id": request_id, "error": said}
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def _parse(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise NotUnderstood(-32600, "the message is too long")
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise NotUnderstood(-32700, "this is no JSON") from None
    if not isinstance(message, dict):
        raise NotUnderstood(-32600, "a message is an object")
    return message


def _handle(method: object, params: Any) -> dict[str, Any]:
    params = params if isinstance(params, dict) else {}
    if method == "initialize":
        wanted = params.get("protocolVersion")
        return {
            "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "loreley", "version": "1"},
        }
    if method == "ping":
        return {}
    if method == "tools/list":
        schema = {"type": "object", "properties": {}}
        return {
            "tools": [
                {"name": name, "description": words, "inputSchema": schema}
                for name, words in TOOLS.items()
            ]
        }
    if method == "tools/call":
        return _call(params.get("name"))
    raise NotUnderstood(-32601, f"there is no method {str(method)[:100]!r}")


def _call(name: object) -> dict[str, Any]:
    if not isinstance(name, str) or name not in TOOLS:
        raise NotUnderstood(-32602, f"there is no tool {str(name)[:100]!r}: {', '.join(TOOLS)}")
    try:
        code, text = client.ask(name)
    except OSError as error:
        code, text = client.UNAVAILABLE, f"the worker does not answer: {error.strerror or error}"
    return {"content": [{"type": "text", "text": text}], "isError": code != 0}


def main() -> None:
    """Answer until stdin ends."""
    while line := sys.stdin.buffer.readline(LONGEST_LINE + 2):
        if line.strip() and (said := answer(line)) is not None:
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
