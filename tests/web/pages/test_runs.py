"""The page of all runs."""

from pathlib import Path

from loreley.config import Settings
from loreley.db.engine import open_database
from tests.evolved import Evolved
from tests.web.support import dashboard


def test_runs_stand_beside_each_other_and_the_shown_one_is_marked(tmp_path: Path) -> None:
    def of(name: str | None) -> Settings:
        return Settings(_env_file=None, loreley_state_dir=tmp_path / "state", loreley_run=name)

    for name, best in ((None, 2.0), ("fast", 4.0)):
        database = open_database(of(name).sqlalchemy_url)
        run = Evolved(database)
        run.root(1.0)
        run.child(best)
        database.close()

    database = open_database(of("fast").sqlalchemy_url)
    with dashboard(database, tmp_path, loreley_run="fast") as shown:
        text = shown.get("/runs").text
    database.close()

    assert "(unnamed)" in text
    assert text.index('fast</b> <span class="badge">shown here') > text.index("(unnamed)")
    assert "4 <span" in text
