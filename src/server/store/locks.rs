//! The lock of a target on disk.

use domain::{ids::Millis, verb::Lock};
use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

impl Store {
    /// The lock of a target, while there is one.
    pub async fn lock(&self, target: String) -> Result<Option<Lock>, StoreError> {
        self.read(move |db| {
            db.prepare_cached("SELECT by, since, why FROM locks WHERE target = ?")?
                .query_row([target], |row| {
                    Ok(Lock { by: row.get(0)?, since: Millis(row.get::<_, i64>(1)? as u64), why: row.get(2)? })
                })
                .optional()
        })
        .await
    }

    /// Sets the lock of a target, or lifts it.
    pub async fn set_lock(&self, target: String, lock: Option<Lock>) -> Result<(), StoreError> {
        self.write(move |db| {
            match lock {
                Some(Lock { by, since, why }) => db
                    .prepare_cached("INSERT OR REPLACE INTO locks (target, by, since, why) VALUES (?, ?, ?, ?)")?
                    .execute(params![target, by, since.0 as i64, why])?,
                None => db.prepare_cached("DELETE FROM locks WHERE target = ?")?.execute([target])?,
            };
            Ok(())
        })
        .await
    }
}
