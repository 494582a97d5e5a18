"""What the server tells open pages by itself."""

import http.client
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from loreley.db.engine import Database, open_database
from tests.evolved import Evolved
from tests.services import own_postgresql, postgresql_database
from tests.web.support import Dashboard, dashboard


def opened(shown: Dashboard, path: str, stack: ExitStack) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", shown.port, timeout=20)
    stack.enter_context(closing(connection))
    connection.request("GET", path)
    return connection.getresponse()


def next_event(answer: http.client.HTTPResponse) -> str:
    """The next event's lines; comments and the advice on retrying are no events."""
    lines: list[str] = []
    while True:
        raw = answer.readline()
        assert raw, "the stream has ended"
        line = raw.decode().rstrip("\n")
        if line.startswith(("event:", "data:")):
            lines.append(line)
        elif not line and lines:
            return "\n".join(lines)


@pytest.mark.slow
def test_a_page_hears_of_every_change(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    with dashboard(database, tmp_path) as shown, ExitStack() as stack:
        answer = opened(shown, "/events", stack)
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert next_event(answer) == "event: changed\ndata: null"
        run.waiting()
        assert next_event(answer) == "event: changed\ndata: null"


@pytest.mark.slow
def test_a_page_hears_that_the_database_is_away_and_that_it_is_back(tmp_path: Path) -> None:
    with own_postgresql() as server, postgresql_database(server.url, "run") as url:
        database = open_database(url)
        with dashboard(database, tmp_path) as shown, ExitStack() as stack:
            answer = opened(shown, "/events", stack)
            assert next_event(answer) == "event: changed\ndata: null"
            with database.begin() as connection:  # else the crash takes the tables with it
                connection.execute(text("CHECKPOINT"))
            server.stop()
            assert next_event(answer).startswith("event: away")
            server.start()
            assert next_event(answer) == "event: changed\ndata: null"
        database.close()


@pytest.mark.slow
def test_log_lines_come_as_they_are_written(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "worker"
    folder.mkdir(parents=True)
    path = folder / "worker-20261123-120000.log"
    head = "2026-11-23 12:00:00.000 | {} | 1/MainThread job=- | m:f:1 - "
    info, warning = head.format("INFO    "), head.format("WARNING ")
    path.write_text(f"{info}early\n")
    with dashboard(database, tmp_path) as shown, ExitStack() as stack:
        everything = opened(shown, "/logs/stream", stack)
        serious = opened(shown, "/logs/stream?level=warning&role=worker", stack)
        begin = next_event(everything)
        assert begin.startswith("event: begin")
        assert "early" in begin
        assert next_event(serious) == "event: begin\ndata: []"
        with path.open("a") as log:
            log.write(f"{info}late\n{warning}\u2028\u001b[31mred\n")
        assert "late" in next_event(everything)
        assert '["worker-120000", "WARNING"' in next_event(serious)


def test_no_more_pages_may_listen_than_there_is_room_for(
    database: Database, tmp_path: Path
) -> None:
    with dashboard(database, tmp_path) as shown, ExitStack() as stack:
        answers = [opened(shown, "/events", stack) for _ in range(64)]
        for answer in answers:
            assert answer.status == 200
            assert answer.readline() == b"retry: 2000\n"
        assert opened(shown, "/events", stack).status == 503
        assert shown.get("/").status == 200
