"""Vectors of contents by their blob id, so that each is embedded once for all workers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from sqlalchemy import Connection, select

from loreley.db.engine import Database
from loreley.db.models import embeddings
from loreley.errors import ConfigError
from loreley.map_elites.descriptor import Vector, pack, unpack

_ASKED_AT_ONCE = 500  # of what a statement can name


class Embeddings:
    """The `EmbeddingStore` of one model."""

    def __init__(self, database: Database, model: str) -> None:
        self._database = database
        self._model = model

    def known(self, blobs: Sequence[str]) -> Mapping[str, Vector]:
        """The vectors of those blobs that there are vectors of."""
        with self._database.read() as connection:
            return dict(self._read(connection, blobs))

    def keep(self, vectors: Mapping[str, Vector], length: int) -> None:
        """Keep vectors made of embeddings of ``length`` numbers; what is there stays.

        Raises `ConfigError` when earlier ones were of another length.
        """
        with self._database.begin() as connection:
            self._require_length(connection, length)
            for blob, vector in vectors.items():
                connection.execute(
                    self._database.insert(embeddings)
                    .values(model=self._model, blob=blob, length=length, vector=pack(vector))
                    .on_conflict_do_nothing()
                )

    def require_length(self, length: int) -> None:
        """Raise `ConfigError` when embeddings that are kept are of another length."""
        with self._database.read() as connection:
            self._require_length(connection, length)

    def _require_length(self, connection: Connection, length: int) -> None:
        query = select(embeddings.c.length).where(embeddings.c.model == self._model).limit(1)
        known = connection.execute(query).scalar()
        if known is not None and known != length:
            raise ConfigError(
                "the embeddings have changed, so candidates can no longer be compared",
                setting="MAPELITES_EMBEDDING_URL, MAPELITES_EMBEDDING_MODEL",
                target=self._model,
                reason=f"they have {length} numbers, earlier ones had {known}",
                fix="let the endpoint serve the model that the experiment began with, or begin "
                "anew with another DATABASE_URL or LORELEY_STATE_DIR",
            )

    def _read(self, connection: Connection, blobs: Sequence[str]) -> Iterator[tuple[str, Vector]]:
        waiting = iter(blobs)
        while some := list(islice(waiting, _ASKED_AT_ONCE)):
            query = select(embeddings.c.blob, embeddings.c.vector).where(
                embeddings.c.model == self._model, embeddings.c.blob.in_(some)
            )
            for row in connection.execute(query):
                if (vector := unpack(row.vector)) is not None:
                    yield row.blob, vector
