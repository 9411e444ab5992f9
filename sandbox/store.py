"""The sandbox's memory: one SQLite file, committed and on disk before any answer goes out."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS things (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  account_id TEXT NOT NULL, parent TEXT, created_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS things_of_account ON things (kind, account_id, seq);
CREATE INDEX IF NOT EXISTS things_of_parent ON things (kind, parent, seq);
CREATE TABLE IF NOT EXISTS accounts (
  party TEXT NOT NULL, account_id TEXT NOT NULL, key_id TEXT NOT NULL,
  url TEXT, disabled_at INTEGER, balance INTEGER, body BLOB NOT NULL,
  PRIMARY KEY (party, account_id), UNIQUE (party, key_id));
CREATE TABLE IF NOT EXISTS claims (
  party TEXT NOT NULL, account_id TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
  thing_id TEXT NOT NULL, PRIMARY KEY (party, account_id, key));
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, party TEXT NOT NULL, account_id TEXT NOT NULL,
  event_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, reference TEXT NOT NULL,
  headers BLOB NOT NULL, body BLOB NOT NULL, created_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_of_reference ON events (reference, seq);
CREATE TABLE IF NOT EXISTS event_urls (
  event_seq INTEGER PRIMARY KEY REFERENCES events, url TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT, event_seq INTEGER NOT NULL REFERENCES events,
  kind TEXT NOT NULL, state TEXT NOT NULL, due_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, last_status INTEGER, last_error TEXT);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_ms) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS chores (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, thing_id TEXT NOT NULL,
  due_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS chores_due ON chores (due_ms);
CREATE TABLE IF NOT EXISTS leaves (
  database TEXT NOT NULL, path TEXT NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (database, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dice (stream TEXT PRIMARY KEY, thrown INTEGER NOT NULL);
"""


class Change:
    """One open transaction; the news told in it are published only when it is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.news: list[str] = []

    def run(self, sql: str, args: Sequence[object] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, args)

    def one(self, sql: str, args: Sequence[object] = ()) -> Any:
        """The first row, or None."""
        return self._connection.execute(sql, args).fetchone()

    def all(self, sql: str, args: Sequence[object] = ()) -> list[Any]:
        return self._connection.execute(sql, args).fetchall()

    def tell(self, line: str) -> None:
        """Add a line for people who watch the control page."""
        self.news.append(line)


class Store:
    """One connection, used by the event loop's thread alone, so that changes never interleave."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "sandbox.db"
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._connection.row_factory = sqlite3.Row
        # FULL: an answer that was given must survive kill -9 and a power cut of the host.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(SCHEMA)
        self.on_commit: list[Callable[[Change], None]] = []

    @contextmanager
    def change(self) -> Iterator[Change]:
        """Everything inside is committed, or nothing is."""
        change = Change(self._connection)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield change
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        for listener in self.on_commit:
            listener(change)

    @contextmanager
    def read(self) -> Iterator[Change]:
        """A look without a write; nobody is told."""
        yield Change(self._connection)

    def close(self) -> None:
        self._connection.close()
