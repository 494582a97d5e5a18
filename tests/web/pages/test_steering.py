"""What can be changed, and by whom."""

from pathlib import Path
from urllib.parse import quote

import pytest

from loreley.db.briefs.notebook import read_standing_notes
from loreley.db.engine import Database
from tests.db.support import job_row
from tests.evolved import Evolved
from tests.web.support import Dashboard, dashboard

TOKEN = "a token that nobody guesses"


def notes(database: Database) -> list[str]:
    with database.read() as connection:
        return [note.text for note in read_standing_notes(connection)]


def cookie(shown: Dashboard, token: str = TOKEN) -> dict[str, str]:
    answer = shown.post("/steering/unlock", f"token={quote(token)}")
    assert answer.status == 303
    set_cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=strict" in set_cookie
    assert TOKEN not in set_cookie
    return {"Cookie": set_cookie.partition(";")[0]}


def test_without_a_token_nothing_can_be_changed(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    job_id = run.waiting()
    with dashboard(database, tmp_path) as shown:
        assert shown.get("/steering").status == 404
        assert "/steering" not in shown.get("/").text
        for headers in ({}, {"Authorization": "Bearer "}, {"Cookie": "loreley_entry="}):
            assert shown.post("/steering/notes", "text=x", headers).status == 403
            assert shown.post(f"/jobs/{job_id}/cancel", "", headers).status == 403
        assert shown.post("/steering/unlock", "token=").status == 403
    assert notes(database) == []
    assert job_row(database, job_id)["state"] == "queued"


def test_whoever_shows_the_token_steers(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    waits, runs = run.waiting(), run.waiting(running=True)
    with dashboard(database, tmp_path, token=TOKEN) as shown:
        entry = cookie(shown)
        assert shown.post("/steering/notes", "text=keep+it%0D%0A%3Cb%3Eshort", entry).status == 303
        assert notes(database) == ["keep it <b>short"]
        assert "keep it &lt;b&gt;short" in shown.get("/steering", entry).text
        assert "Cancel this job" in shown.get(f"/jobs/{waits}", entry).text
        assert shown.post(f"/jobs/{waits}/cancel", "", entry).status == 303
        assert shown.post(f"/jobs/{waits}/cancel", "", entry).status == 409
        assert shown.post(f"/jobs/{runs}/cancel", "", entry).status == 303
        assert shown.post("/steering/notes/1/withdraw", "", entry).status in (303, 404)
        shown.post("/steering/lock", "", entry)
        assert shown.post("/steering/notes", "text=x", entry).status == 403
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert shown.post("/steering/notes", "text=by+script", bearer).status == 303
    assert "by script" in notes(database)
    assert job_row(database, waits)["state"] == "cancelled"
    assert job_row(database, runs)["state"] == "cancelled"


@pytest.mark.parametrize("token", ["", "wrong", TOKEN.upper(), TOKEN + " ", "\u00e9\udc80"])
def test_another_token_opens_nothing(
    database: Database, tmp_path: Path, token: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with dashboard(database, tmp_path, token=TOKEN) as shown:
        form = f"token={quote(token, errors='surrogateescape')}"
        answer = shown.post("/steering/unlock", form)
        assert (answer.status, "set-cookie" in answer.headers) == (403, False)
        assert shown.post("/steering/notes", "text=x").status == 403
    assert TOKEN not in "".join(capfd.readouterr())


@pytest.mark.parametrize("form", ["", "text=", "text=%00", "text=" + "x" * 2_001, "a&" * 50])
def test_notes_that_say_nothing_or_too_much_are_refused(
    database: Database, tmp_path: Path, form: str
) -> None:
    with dashboard(database, tmp_path, token=TOKEN) as shown:
        answer = shown.post("/steering/notes", form, {"Authorization": f"Bearer {TOKEN}"})
        assert answer.status == 400
        huge = shown.post("/steering/notes", "x" * 70_000, {"Authorization": f"Bearer {TOKEN}"})
        assert huge.status == 413
    assert notes(database) == []
