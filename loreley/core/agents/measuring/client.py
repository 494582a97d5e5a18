"""The program that an agent runs in its sandbox: it asks the worker, and prints what it is told.

Started alone, by its path, it needs nothing but Python. `_socket` is a third of what `socket`
costs: 10 ms of 20.
"""

import _socket
import os
import sys

UNAVAILABLE = 2
_FOLDER = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120


def ask(what: str) -> tuple[int, str]:
    """The exit code and the text of the worker's answer; raises `OSError` where there is nobody."""
    os.chdir(_FOLDER)  # the path of a socket is short
    connection = _socket.socket(_socket.AF_UNIX)
    try:
        connection.connect("socket")
        connection.sendall(b'{"ask": "%s"}\n' % what.encode())
        connection.shutdown(_socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    finally:
        connection.close()
    code, _, text = said.decode(errors="replace").partition("\n")
    return (int(code), text) if code.isdigit() else (UNAVAILABLE, "the worker gave no answer\n")


def main() -> int:
    """Ask for a judgement of the worktree; the exit code says what became of it."""
    try:
        code, text = ask("evaluate")
    except OSError as error:
        sys.stderr.write(f"the worker does not answer: {error.strerror or error}\n")
        return UNAVAILABLE
    sys.stdout.write(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
