//! What is old, and its deletion.

use domain::ids::{Millis, SessionId};
use rusqlite::params;

use super::{Store, StoreError};

/// When something last happened in a session: its newest entry's time, else when it was opened.
const NEWEST: &str = "coalesce((SELECT at FROM entries WHERE session = s.id ORDER BY id DESC LIMIT 1), s.created)";

impl Store {
    /// The sessions in which nothing happened since `before`.
    pub async fn older_sessions(&self, before: Millis) -> Result<Vec<SessionId>, StoreError> {
        self.read(move |db| {
            let mut statement = db.prepare_cached(&format!("SELECT s.id FROM sessions s WHERE {NEWEST} < ?"))?;
            let ids = statement.query_map([before.0 as i64], |row| row.get::<_, String>(0))?;
            Ok(ids.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter_map(|id| id.parse().ok()).collect())
        })
        .await
    }

    /// Deletes a session with its entries, unless something has happened in it since `before`. True when it is gone.
    pub async fn delete_session(&self, id: SessionId, before: Millis) -> Result<bool, StoreError> {
        self.write(move |db| {
            let old = db
                .prepare_cached(&format!("SELECT 1 FROM sessions s WHERE s.id = ? AND {NEWEST} < ?"))?
                .exists(params![id.as_str(), before.0 as i64])?;
            if old {
                db.prepare_cached("DELETE FROM entries WHERE session = ?")?.execute([id.as_str()])?;
                db.prepare_cached("DELETE FROM sessions WHERE id = ?")?.execute([id.as_str()])?;
            }
            Ok(old)
        })
        .await
    }

    /// Deletes the runs that ended before `before`. One whose outcome nobody knows stays: it blocks the next mutation.
    pub async fn delete_runs(&self, before: Millis) -> Result<(), StoreError> {
        self.write(move |db| {
            // With what made up for it gone, an unknown outcome would stand in the way again.
            db.prepare_cached(
                "DELETE FROM runs WHERE ended < ? AND outcome = 'unknown' AND EXISTS (
                   SELECT 1 FROM runs AS later WHERE later.target = runs.target AND later.outcome = 'done'
                     AND (later.verb = 'status' AND later.exit_code = 0 AND later.started >= runs.ended
                          OR later.verb IN ('start', 'stop', 'reset', 'cycle') AND later.started > runs.started))",
            )?
            .execute([before.0 as i64])?;
            db.prepare_cached("DELETE FROM runs WHERE ended < ? AND outcome <> 'unknown'")?
                .execute([before.0 as i64])
                .map(drop)
        })
        .await
    }
}
