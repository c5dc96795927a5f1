//! The agent's conversations on disk: which one a session stands in, and what it has cost so far. And which permissions
//! were ever asked for, so that a late decision is told from a wrong one.

use domain::ids::SessionId;
use rusqlite::{OptionalExtension, params};

use super::{Also, Store, StoreError};

/// The conversation that a session stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// By which the CLI knows it.
    pub id: String,
    /// What it has cost in all, in US dollars, as the CLI counts it.
    pub cost_usd: f64,
}

/// The write by which a session stands in a conversation from here on.
pub fn stands_in(session: SessionId, conversation: String) -> Also {
    Box::new(move |db| {
        db.prepare_cached("UPDATE sessions SET conversation = ?, conversation_cost = 0 WHERE id = ?")?
            .execute(params![conversation, session.as_str()])
            .map(drop)
    })
}

impl Store {
    /// The conversation of a session, once it has one.
    pub async fn conversation(&self, session: SessionId) -> Result<Option<Conversation>, StoreError> {
        self.read(move |db| {
            let mut statement =
                db.prepare_cached("SELECT conversation, conversation_cost FROM sessions WHERE id = ?")?;
            let found = statement
                .query_row([session.as_str()], |row| Ok((row.get::<_, Option<String>>(0)?, row.get(1)?)))
                .optional()?;
            Ok(found.and_then(|(id, cost_usd)| Some(Conversation { id: id?, cost_usd })))
        })
        .await
    }

    /// Remembers what a session's conversation has cost in all.
    pub async fn conversation_cost(&self, session: SessionId, cost_usd: f64) -> Result<(), StoreError> {
        self.write(move |db| {
            db.prepare_cached("UPDATE sessions SET conversation_cost = ? WHERE id = ?")?
                .execute(params![cost_usd, session.as_str()])
                .map(drop)
        })
        .await
    }

    /// True when this session's log has a permission of that id.
    pub async fn was_permission(&self, session: SessionId, request_id: String) -> Result<bool, StoreError> {
        self.read(move |db| {
            db.prepare_cached(
                "SELECT 1 FROM entries
                 WHERE session = ? AND kind = 'permission' AND json_extract(json, '$.request_id') = ?",
            )?
            .exists(params![session.as_str(), request_id])
        })
        .await
    }
}
