//! The tables, how they came to be, and how a connection is set up.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Each step of the schema, in order; `user_version` says how many were taken. A step is never edited once it landed.
const MIGRATIONS: [&str; 4] = [
    "
    CREATE TABLE sessions (
        id      TEXT PRIMARY KEY,
        created INTEGER NOT NULL,
        title   TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_age ON sessions (created);

    CREATE TABLE entries (
        session TEXT NOT NULL REFERENCES sessions (id),
        id      INTEGER NOT NULL,
        at      INTEGER NOT NULL,
        kind    TEXT NOT NULL,
        json    TEXT NOT NULL,
        PRIMARY KEY (session, id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE runs (
        id        TEXT PRIMARY KEY,
        target    TEXT NOT NULL,
        verb      TEXT NOT NULL,
        by        TEXT NOT NULL,
        session   TEXT,
        started   INTEGER NOT NULL,
        ended     INTEGER,
        outcome   TEXT,
        exit_code INTEGER,
        stdout    TEXT NOT NULL DEFAULT '',
        stderr    TEXT NOT NULL DEFAULT '',
        rejected  INTEGER NOT NULL DEFAULT 0,
        truncated INTEGER NOT NULL DEFAULT 0,
        detail    TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX runs_by_age ON runs (started);

    CREATE TABLE idempotency_keys (
        operator TEXT NOT NULL,
        path     TEXT NOT NULL,
        key      TEXT NOT NULL,
        body     TEXT NOT NULL,
        at       INTEGER NOT NULL,
        status   INTEGER NOT NULL,
        answer   TEXT NOT NULL,
        PRIMARY KEY (operator, path, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX idempotency_keys_by_age ON idempotency_keys (at);

    CREATE TABLE sign_in_codes (
        digest  TEXT PRIMARY KEY,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE sign_ins (
        digest   TEXT PRIMARY KEY,
        operator TEXT NOT NULL,
        expires  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    -- The agent's conversation of a session, and what it had cost in US dollars when its last turn ended.
    ALTER TABLE sessions ADD COLUMN conversation TEXT;
    ALTER TABLE sessions ADD COLUMN conversation_cost REAL NOT NULL DEFAULT 0;
",
    "
    -- Put away: not in the list unless it is asked for, and back with its next prompt.
    ALTER TABLE sessions ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
",
    "
    -- The lock that forbids mutations of a target until it is lifted.
    CREATE TABLE locks (
        target TEXT PRIMARY KEY,
        by     TEXT NOT NULL,
        since  INTEGER NOT NULL,
        why    TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

/// Opens a connection. What an operator asked for is flushed to disk before it acts, so every commit is.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Takes the steps that this database has not taken yet.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let taken: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (step, sql) in (1i64..).zip(MIGRATIONS).filter(|(step, _)| *step > taken) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step)?;
    }
    transaction.commit()
}

/// Bounds the database's size in bytes; 0 leaves it to the disk.
pub(super) fn bound(connection: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    if max_bytes > 0 {
        let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = (i64::try_from(max_bytes).unwrap_or(i64::MAX) / page.max(1)).max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(())
}
