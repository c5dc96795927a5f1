//! Idempotency keys on disk: the answer that a key gave, and to which body.

use domain::ids::Millis;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Also, Store, StoreError};

/// One call that must happen at most once: who, where, by which key, with which body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Intent {
    pub operator: String,
    pub path: String,
    pub key: String,
    /// The body's digest.
    pub body: String,
}

/// An answer as it is given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub status: u16,
    /// JSON.
    pub body: String,
}

/// Makes an answer of what a call came to. The JSON API and the page's forms each have their own.
pub type Form<T> = fn(&T) -> StoredAnswer;

/// How long a key is kept, in milliseconds: 24 h.
pub const KEPT: u64 = 24 * 60 * 60 * 1000;

impl Intent {
    /// [`Intent::record`] as a write that goes with another.
    pub(in crate::server) fn recording(self, now: Millis, answer: StoredAnswer) -> Also {
        Box::new(move |db| self.record(db, now, &answer))
    }

    /// Records the answer, or the one that would be true if nothing more came: in the transaction of the first thing
    /// that the call does, so that a key is known exactly when its call was carried out. A later answer replaces it.
    pub(in crate::server) fn record(
        &self,
        db: &Connection,
        now: Millis,
        answer: &StoredAnswer,
    ) -> rusqlite::Result<()> {
        db.prepare_cached("DELETE FROM idempotency_keys WHERE at < ?")?.execute([now.0.saturating_sub(KEPT) as i64])?;
        db.prepare_cached(
            "INSERT INTO idempotency_keys (operator, path, key, body, at, status, answer) VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET status = excluded.status, answer = excluded.answer",
        )?
        .execute(params![
            self.operator,
            self.path,
            self.key,
            self.body,
            now.0 as i64,
            answer.status,
            answer.body
        ])?;
        Ok(())
    }
}

impl Intent {
    /// Forgets what was recorded: the call did nothing.
    pub(in crate::server) fn forget(&self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("DELETE FROM idempotency_keys WHERE operator = ? AND path = ? AND key = ?")?
            .execute(params![self.operator, self.path, self.key])
            .map(drop)
    }
}

impl Store {
    /// The digest of the body that a key was used with, and the answer it gave, if it is known and not too old.
    pub async fn key(&self, intent: Intent, now: Millis) -> Result<Option<(String, StoredAnswer)>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(
                "SELECT body, status, answer FROM idempotency_keys
                 WHERE operator = ? AND path = ? AND key = ? AND at >= ?",
            )?
            .query_row(params![intent.operator, intent.path, intent.key, now.0.saturating_sub(KEPT) as i64], |row| {
                Ok((row.get(0)?, StoredAnswer { status: row.get(1)?, body: row.get(2)? }))
            })
            .optional()
        })
        .await
    }

    /// Records the final answer of a key.
    pub async fn record_answer(&self, intent: Intent, now: Millis, answer: StoredAnswer) -> Result<(), StoreError> {
        self.write(move |db| intent.record(db, now, &answer)).await
    }
}
