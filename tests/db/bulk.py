"""Very many jobs at once, made by the database itself: for what must stay quick."""

from sqlalchemy import text

from loreley.db.engine import Database

_BEGAN = 1_790_000_000
_HEX = {
    "sqlite": "printf('%0{width}x', {number})",
    "postgresql": "lpad(to_hex({number}), {width}, '0')",
}


def seed_jobs(database: Database, count: int) -> None:
    """So many ended jobs, a second apart; one in ten failed, each other has a scored commit."""
    dialect = database.engine.dialect.name

    def in_hex(number: str, width: int) -> str:
        return _HEX[dialect].format(number=number, width=width)

    numbers = (
        "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers "
        f"WHERE n < {count - 1}) "
    )
    scattered = in_hex("(CAST(n AS bigint) * 48271) % 2147483647", 8)
    job_id = f"{scattered} || '-0000-4000-8000-' || {in_hex('n', 12)}"
    commit = in_hex("n", 40)
    statements = f"""
        INSERT INTO jobs (id, ordinal, kind, state, island, seed, base_commit, inspirations, agent,
            attempt, worker, created_at, claimed_at, finished_at, ingested_at, archive_outcome,
            failure_kind, failure, "commit", subject)
        {numbers} SELECT {job_id}, n, 'evolution',
            CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'succeeded' END,
            n % 2, n, {in_hex("n / 2", 40)}, '[]', 'genetic', 1, 'host:1', {_BEGAN} + n,
            {_BEGAN} + n, {_BEGAN} + n + 1, {_BEGAN} + n + 1.5,
            CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'rejected' END,
            CASE WHEN n % 10 = 0 THEN 'evaluation' END, CASE WHEN n % 10 = 0 THEN 'it broke' END,
            CASE WHEN n % 10 = 0 THEN NULL ELSE {commit} END, 'change number ' || n FROM numbers;
        INSERT INTO commits ("commit", tree, parent, job_id, branch, subject, traits, island, score,
            edit_distance, code_size, created_at)
        {numbers} SELECT {commit}, 'f' || {in_hex("n", 39)},
            CASE WHEN n > 1 THEN {in_hex("n / 2", 40)} END, {job_id}, 'evolution/job/' || n,
            'change number ' || n, '{{}}', n % 2, (n % 977) / 977.0, n % 100, 100, {_BEGAN} + n + 1
        FROM numbers WHERE n % 10 <> 0
    """
    with database.begin() as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement.replace(":", r"\:")))
        if dialect == "postgresql":
            connection.execute(text("ANALYZE"))
