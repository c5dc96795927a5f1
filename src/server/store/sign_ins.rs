//! One-time sign-in codes and the sign-ins that they bought, both by digest: what is on disk lets nobody in.

use domain::ids::Millis;
use rusqlite::{OptionalExtension, params};

use super::{Store, StoreError};

impl Store {
    /// Records a code that may be spent once until `expires`.
    pub async fn add_code(&self, digest: String, now: Millis, expires: Millis) -> Result<(), StoreError> {
        self.write(move |db| {
            db.execute("DELETE FROM sign_in_codes WHERE expires < ?", [now.0 as i64])?;
            db.execute("INSERT INTO sign_in_codes (digest, expires) VALUES (?, ?)", params![digest, expires.0 as i64])?;
            Ok(())
        })
        .await
    }

    /// Spends a code and records the sign-in that it buys, in one transaction. False when the code is wrong, spent or
    /// too old.
    pub async fn spend_code(
        &self,
        code: String,
        sign_in: String,
        operator: String,
        now: Millis,
        expires: Millis,
    ) -> Result<bool, StoreError> {
        self.write(move |db| {
            let spent =
                db.execute("DELETE FROM sign_in_codes WHERE digest = ? AND expires >= ?", params![code, now.0 as i64])?;
            if spent == 1 {
                db.execute("DELETE FROM sign_ins WHERE expires < ?", [now.0 as i64])?;
                db.execute(
                    "INSERT INTO sign_ins (digest, operator, expires) VALUES (?, ?, ?)",
                    params![sign_in, operator, expires.0 as i64],
                )?;
            }
            Ok(spent == 1)
        })
        .await
    }

    /// True when this code could be spent now.
    pub async fn has_code(&self, digest: String, now: Millis) -> Result<bool, StoreError> {
        self.read(move |db| {
            db.prepare_cached("SELECT EXISTS (SELECT 1 FROM sign_in_codes WHERE digest = ? AND expires >= ?)")?
                .query_row(params![digest, now.0 as i64], |row| row.get(0))
        })
        .await
    }

    /// Whose sign-in this is, if it is one and not too old.
    pub async fn sign_in(&self, digest: String, now: Millis) -> Result<Option<String>, StoreError> {
        self.read(move |db| {
            db.prepare_cached("SELECT operator FROM sign_ins WHERE digest = ? AND expires >= ?")?
                .query_row(params![digest, now.0 as i64], |row| row.get(0))
                .optional()
        })
        .await
    }
}
