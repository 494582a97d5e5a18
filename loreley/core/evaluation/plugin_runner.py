"""The evaluator's child process: calls the user's plugin and writes its answer to a file.

Standard library only, and next to nothing of it: every import is paid once per candidate, and
`json` with `pathlib` would cost as much as starting Python.
"""

import faulthandler
import importlib
import marshal
import os
import sys

TYPE_CHECKING = False  # `typing` costs as well
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

_REASON_LENGTH = 1000
_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {ord('"'): '\\"', ord("\\"): "\\\\"}
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class Context:
    """What a plugin is called with."""

    def __init__(self, worktree: str, scratch: str, commit: str, timeout_seconds: float) -> None:
        self._worktree = worktree
        self._scratch = scratch
        self.commit = commit  # full id of the candidate
        self.timeout_seconds = timeout_seconds  # time until this process is killed

    @property
    def worktree(self) -> "Path":
        """The folder in which the candidate is checked out."""
        return _make_path(self._worktree)

    @property
    def scratch(self) -> "Path":
        """A folder of the plugin's own; artifacts are named relative to it."""
        return _make_path(self._scratch)


def main() -> int:
    """Read a request from stdin, answer it in the file it names; 0 when the plugin answered."""
    faulthandler.enable()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    request = marshal.load(sys.stdin.buffer)  # noqa: S302 - the worker wrote it
    _forget_request()
    try:
        content = encode_json({"token": request["token"], "answer": _call_plugin(request)})
        if len(content) > request["limit_bytes"]:
            raise ValueError(f"the answer has {len(content)} bytes as JSON")
    except BaseException as error:  # noqa: BLE001 - whatever a plugin does is an answer
        _print_traceback(error)
        _write_result(
            request["result"],
            encode_json({"token": request["token"], "error": _describe_error(error)}),
        )
        return 1
    _write_result(request["result"], content)
    return 0


def _call_plugin(request: "dict[str, Any]") -> object:
    sys.path[:0] = request["python_paths"]
    plugin = _find_plugin(request["plugin"])
    if request["only_check"]:
        _check_plugin(plugin)
        return None
    context = Context(
        request["worktree"], request["scratch"], request["commit"], request["timeout_seconds"]
    )
    answer = plugin(context)
    if hasattr(answer, "__await__"):
        raise TypeError("the plugin is asynchronous; make it a plain function")
    if hasattr(answer, "to_mapping"):
        answer = answer.to_mapping()
    _check_size(answer, request["max_metrics"])
    _check_values(answer)
    return answer


def _find_plugin(name: str) -> "Callable[..., Any]":
    module_name, _, path = name.partition(":")
    found: object = importlib.import_module(module_name)
    for part in path.split("."):
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{name} is {type(found).__name__}, expected something to call")
    return found


def _check_plugin(plugin: "Callable[..., Any]") -> None:
    import inspect  # as expensive as all the others together

    if inspect.iscoroutinefunction(plugin) or inspect.isasyncgenfunction(plugin):
        raise TypeError("the plugin is asynchronous; make it a plain function")
    try:
        signature = inspect.signature(plugin)
    except ValueError:  # some callables written in C have none
        return
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(f"the plugin cannot be called with a context alone: {error}") from None


def _check_size(answer: object, max_metrics: int) -> None:
    metrics = answer.get("metrics") if isinstance(answer, dict) else None
    if isinstance(metrics, list | tuple) and len(metrics) > max_metrics:
        raise ValueError(f"{len(metrics)} metrics reported, at most {max_metrics} allowed")


def _check_values(answer: object) -> None:
    """Name the metric whose value no number can be made of."""
    metrics = answer.get("metrics") if isinstance(answer, dict) else None
    for metric in metrics if isinstance(metrics, list | tuple) else ():
        if isinstance(metric, dict) and "value" in metric:
            try:
                _write_json(metric["value"])
            except TypeError as error:
                raise TypeError(f"metric {metric.get('name')!r}: {error}") from None


def encode_json(value: object) -> bytes:
    """The value as JSON; numbers and mappings of other libraries are taken for what they are."""
    # A half character becomes its escape, which is what JSON has for it.
    return _write_json(value).encode(errors="backslashreplace")


def _write_json(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{str.translate(value, _ESCAPES)}"'
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        digits = float.__repr__(value)
        return _NOT_FINITE.get(digits, digits)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_write_json, value))}]"
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{_write_json(str(key))}:{_write_json(value[key])}" for key in value)
            + "}"
        )
    return _write_json(_make_plain(value))


def _make_plain(value: object) -> object:
    """What JSON can express for numbers and mappings of other libraries."""
    from collections.abc import Mapping
    from decimal import Decimal
    from numbers import Integral, Real

    is_span = type(value).__name__ == "timedelta64"  # which numpy counts among whole numbers
    if isinstance(value, Integral) and not is_span:
        return int(value)
    if isinstance(value, Real | Decimal) and not is_span:
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    shape, item = getattr(value, "shape", None), getattr(value, "item", None)
    is_missing = shape == () and bool(getattr(value, "mask", False))  # reads as 0
    if shape == () and callable(item) and not is_missing and not is_span:
        plain = item()  # of an array without dimensions, as numpy and torch have them
        if isinstance(plain, bool | int | float | str):
            return plain
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    shaped = f" of shape {shape}" if shape else ""
    raise TypeError(f"the answer holds {kind}{shaped}, which is no number, text, list or mapping")


def _forget_request() -> None:
    """Keep what the request says from the programs that the plugin starts."""
    try:  # noqa: SIM105 - `contextlib` costs a tenth of starting Python
        os.ftruncate(0, 0)  # the sandbox's own process has the same file open
    except OSError:  # a pipe, and read to its end
        pass
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _describe_error(error: BaseException) -> str:
    try:
        said = str(error)
    except BaseException:  # noqa: BLE001 - a hostile __str__
        said = "(it cannot be printed)"
    return f"{type(error).__name__}: {said}"[:_REASON_LENGTH]


def _print_traceback(error: BaseException) -> None:
    import traceback

    try:  # noqa: SIM105 - `contextlib` costs a tenth of starting Python
        traceback.print_exception(error)
    except BaseException:  # noqa: BLE001, S110 - the log is full, or the error is hostile
        pass


def _make_path(path: str) -> "Path":
    from pathlib import Path

    return Path(path)


def _write_result(path: str, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, whatever a candidate has put there."""
    new = f"{path}.{os.getpid()}"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(new, path)  # noqa: PTH105


if __name__ == "__main__":
    code = main()
    try:
        sys.stdout.flush()
    except OSError:
        code = 1
    # Not `sys.exit`: threads and exit handlers of the plugin have no more say.
    os._exit(code)
