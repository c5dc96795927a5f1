//! What this disk takes, without us: rows like those of the store, committed by a bare loop over SQLite with the store's
//! settings. It must not use the store.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};

/// What committing came to.
pub struct Commits {
    /// How long each commit took, in milliseconds.
    pub ms: Vec<f64>,
    pub rows_per_second: f64,
}

/// Commits `rows` rows of this JSON, `batch` in a transaction, one transaction each `every`.
pub fn commits(folder: &Path, json: &str, rows: u64, batch: u64, every: Duration) -> rusqlite::Result<Commits> {
    let database = Connection::open(folder.join("bare.sqlite3"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS entries (
            session TEXT NOT NULL, id INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, json TEXT NOT NULL,
            PRIMARY KEY (session, id)
        ) STRICT, WITHOUT ROWID;
        DELETE FROM entries;",
    )?;
    let mut ms = Vec::new();
    let begun = Instant::now();
    for (turn, first) in (0..rows).step_by(usize::try_from(batch).unwrap_or(1)).enumerate() {
        std::thread::sleep((every * u32::try_from(turn).unwrap_or(0)).saturating_sub(begun.elapsed()));
        let commit = Instant::now();
        database.execute_batch("BEGIN IMMEDIATE")?;
        for id in first..(first + batch).min(rows) {
            database
                .prepare_cached("INSERT INTO entries (session, id, at, kind, json) VALUES (?, ?, ?, ?, ?)")?
                .execute(params!["3f2b8c1e-0000-4000-8000-000000000000", id as i64, 0, "text", json])?;
        }
        database.execute_batch("COMMIT")?;
        ms.push(commit.elapsed().as_secs_f64() * 1e3);
    }
    let rows_per_second = rows as f64 / begun.elapsed().as_secs_f64();
    Ok(Commits { ms, rows_per_second })
}
