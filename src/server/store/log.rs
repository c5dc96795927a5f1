//! Sessions and their entries on disk. An entry's id is given here, inside the transaction, so that it can neither
//! have a gap nor be given twice: what is rolled back was never given.

use std::sync::Arc;

use domain::{
    event::{Entry, Event},
    ids::{EntryId, Millis, SessionId},
    log::{Head, Summary},
    sse,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Also, Intent, Store, StoreError, StoredAnswer};

/// A session as it stands on disk.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSession {
    pub id: SessionId,
    pub created: Millis,
    pub title: Option<String>,
    pub head: Head,
    /// True when its last turn has no end, which happens when the server was killed under it.
    pub turn_open: bool,
    pub archived: bool,
}

/// Which sessions are listed.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Those that were put away, or those that were not.
    pub archived: bool,
    /// Only those in which this stands, in a prompt, an answer, a command or an output; letters of either case.
    pub text: Option<String>,
    /// At most so many.
    pub limit: u64,
}

/// An entry that is on disk now.
#[derive(Clone, Debug)]
pub struct Appended {
    pub id: EntryId,
    /// The frame that every reader gets.
    pub frame: String,
    /// The session's title, when this entry gave it one.
    pub title: Option<String>,
}

impl Store {
    /// Records a new session.
    pub async fn create_session(
        &self,
        id: SessionId,
        created: Millis,
        intent: Option<(Intent, StoredAnswer)>,
    ) -> Result<(), StoreError> {
        self.write(move |db| {
            db.prepare_cached("INSERT INTO sessions (id, created) VALUES (?, ?)")?
                .execute(params![id.as_str(), created.0 as i64])?;
            intent.map_or(Ok(()), |(intent, answer)| intent.record(db, created, &answer))
        })
        .await
    }

    /// Appends events, one after the other. They are queued when this is called, so that calls keep their order whether or
    /// not the first is waited for. `publish` runs once they are on disk, before that of any later entry; it is not
    /// called when they could not be written. What `also` writes goes into the same transaction: either all of it stands or
    /// nothing.
    pub fn append<P: FnOnce(&[Appended]) + Send + 'static>(
        &self,
        session: SessionId,
        events: Vec<Event>,
        at: Millis,
        also: Option<Also>,
        publish: P,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<P> {
        let appended = self.submit(
            move |db| {
                let appended: Vec<_> =
                    events.into_iter().map(|event| insert(db, &session, event, at)).collect::<Result<_, _>>()?;
                if let Some(also) = also {
                    also(db)?;
                }
                Ok(appended)
            },
            move |result| result.map(|appended| publish(&appended)),
        );
        async move { appended.await.unwrap_or(Err(StoreError::Closed)) }
    }

    /// One session, or nothing.
    pub async fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(&format!("{SESSION} WHERE s.id = ?"))?.query_row([id.as_str()], session_of).optional()
        })
        .await
    }

    /// All sessions whose last turn has no end.
    pub async fn unclosed_sessions(&self) -> Result<Vec<StoredSession>, StoreError> {
        self.read(|db| {
            let all: rusqlite::Result<Vec<_>> = db.prepare_cached(SESSION)?.query_map([], session_of)?.collect();
            Ok(all?.into_iter().filter(|session| session.turn_open).collect())
        })
        .await
    }

    /// Sessions, newest first.
    pub async fn sessions(&self, wanted: Wanted) -> Result<Vec<StoredSession>, StoreError> {
        let searching = match &wanted.text {
            Some(_) => Some(Arc::clone(&self.searching).acquire_owned().await.map_err(|_| StoreError::Closed)?),
            None => None,
        };
        self.read(move |db| {
            let _searching = searching;
            let pattern = wanted.text.as_deref().map(like);
            let mut statement = db.prepare_cached(&format!(
                "{SESSION} WHERE s.archived = ?1 AND (?2 IS NULL OR s.title LIKE ?2 ESCAPE '\\' OR EXISTS (
                     SELECT 1 FROM entries WHERE session = s.id AND kind NOT IN ('session', 'turn_end')
                     AND json LIKE ?2 ESCAPE '\\'))
                 ORDER BY s.created DESC, s.id LIMIT ?3"
            ))?;
            statement.query_map(params![wanted.archived, pattern, wanted.limit as i64], session_of)?.collect()
        })
        .await
    }

    /// Puts a session away, or back.
    pub async fn archive(&self, session: SessionId, archived: bool) -> Result<(), StoreError> {
        self.write(move |db| {
            db.prepare_cached("UPDATE sessions SET archived = ? WHERE id = ?")?
                .execute(params![archived, session.as_str()])
                .map(drop)
        })
        .await
    }

    /// The JSON of entries `from..` of a session, ascending, at most `limit` of them and about `bytes` bytes (always
    /// at least one when there is one).
    pub async fn entries_json(
        &self,
        session: SessionId,
        from: EntryId,
        limit: u64,
        bytes: usize,
    ) -> Result<Vec<(EntryId, String)>, StoreError> {
        self.read(move |db| {
            let mut statement =
                db.prepare_cached("SELECT id, json FROM entries WHERE session = ? AND id >= ? ORDER BY id LIMIT ?")?;
            let mut rows = statement.query(params![session.as_str(), from.0 as i64, limit as i64])?;
            let mut entries = Vec::new();
            let mut taken = 0;
            while let Some(row) = rows.next()? {
                let json: String = row.get(1)?;
                taken += json.len();
                entries.push((EntryId(row.get::<_, i64>(0)? as u64), json));
                if taken >= bytes {
                    break;
                }
            }
            Ok(entries)
        })
        .await
    }

    /// The newest entries before `before`, decoded, ascending: at most `limit` of them and about `bytes` bytes, but one
    /// where there is one. One that cannot be decoded is left out.
    pub async fn entries_before(
        &self,
        session: SessionId,
        before: EntryId,
        limit: u64,
        bytes: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(move |db| {
            let mut statement =
                db.prepare_cached("SELECT json FROM entries WHERE session = ? AND id < ? ORDER BY id DESC LIMIT ?")?;
            let mut rows = statement.query(params![session.as_str(), before.0 as i64, limit as i64])?;
            let mut entries = Vec::new();
            let mut left = bytes;
            while let Some(row) = rows.next()? {
                let json: String = row.get(0)?;
                if json.len() > left && !entries.is_empty() {
                    break;
                }
                left = left.saturating_sub(json.len());
                entries.extend(serde_json::from_str::<Entry>(&json).ok());
            }
            entries.reverse();
            Ok(entries)
        })
        .await
    }
}

/// A session with its head and whether its last turn is open: the newest of the two kinds that open and close one says.
const SESSION: &str = "
    SELECT s.id, s.created, s.title,
           (SELECT max(id) FROM entries WHERE session = s.id),
           (SELECT kind = 'user' FROM entries WHERE session = s.id AND kind IN ('user', 'turn_end')
             ORDER BY id DESC LIMIT 1),
           s.archived
    FROM sessions s";

/// The pattern of what holds `text`, as it stands in JSON.
fn like(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let inner = json.trim_start_matches('"').strip_suffix('"').unwrap_or_default();
    let escaped: String =
        inner.chars().flat_map(|c| matches!(c, '%' | '_' | '\\').then_some('\\').into_iter().chain([c])).collect();
    format!("%{escaped}%")
}

fn session_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredSession> {
    let id: String = row.get(0)?;
    let head: Option<i64> = row.get(3)?;
    Ok(StoredSession {
        id: id.parse().map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
        })?,
        created: Millis(row.get::<_, i64>(1)? as u64),
        title: row.get(2)?,
        head: Head(head.map(|id| EntryId(id as u64))),
        turn_open: row.get::<_, Option<bool>>(4)?.unwrap_or(false),
        archived: row.get(5)?,
    })
}

fn insert(db: &Connection, session: &SessionId, event: Event, at: Millis) -> rusqlite::Result<Appended> {
    let head: Option<i64> = db
        .prepare_cached("SELECT max(id) FROM entries WHERE session = ?")?
        .query_row([session.as_str()], |row| row.get(0))?;
    let mut summary = Summary { head: Head(head.map(|id| EntryId(id as u64))), ..Summary::default() };
    let id = summary.append(&event);
    let entry = Entry { id, at, event };
    let json = serde_json::to_string(&entry).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    db.prepare_cached("INSERT INTO entries (session, id, at, kind, json) VALUES (?, ?, ?, ?, ?)")?.execute(params![
        session.as_str(),
        id.0 as i64,
        at.0 as i64,
        entry.event.kind(),
        json
    ])?;
    if matches!(entry.event, Event::User { .. }) {
        db.prepare_cached("UPDATE sessions SET archived = 0 WHERE id = ? AND archived")?.execute([session.as_str()])?;
    }
    let mut title = None;
    if let Some(first_prompt) = summary.title {
        let titled = db
            .prepare_cached("UPDATE sessions SET title = ? WHERE id = ? AND title IS NULL")?
            .execute(params![first_prompt, session.as_str()])?;
        title = (titled > 0).then_some(first_prompt);
    }
    Ok(Appended { id, frame: sse::entry_frame(id, &json), title })
}
