//! Records that are on disk before a console starts: sessions of many entries, written by the store itself, so that
//! nothing of them is in the memory of the program that is measured.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use breakglass::server::store::{Appended, Store};
use domain::{
    event::{Entry, Event},
    ids::{EntryId, Millis, SessionId},
    log::Head,
    sse,
};
use tempfile::TempDir;

/// The length of an entry's JSON, in bytes.
pub const ENTRY: usize = 200;

/// A folder on the disk that is measured: below the target directory, because `/tmp` may be in memory.
pub fn folder() -> std::io::Result<TempDir> {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))
}

/// A session on record, and the stream that a client gets of it.
pub struct Recorded {
    pub session: SessionId,
    /// All frames of its replay, to the last byte.
    pub replay: String,
}

/// Writes one session per count, each of so many entries of [`ENTRY`] bytes, one turn from its prompt to its end.
pub async fn write(folder: &Path, counts: &[u64]) -> Result<Vec<Recorded>, crate::Broken> {
    let store = Store::open(folder, 0)?;
    let mut recorded = Vec::new();
    for count in counts {
        let session: SessionId = uuid::Uuid::new_v4().to_string().parse().map_err(|_| "a uuid is a session's id")?;
        let at = Millis(1_700_000_000_000);
        store.create_session(session.clone(), at, None).await?;
        let frames = Arc::new(Mutex::new(sse::retry_frame(1000)));
        for first in (0..*count).step_by(1024) {
            let events = (first..(first + 1024).min(*count)).map(|id| event(id, *count, at)).collect();
            let frames = Arc::clone(&frames);
            let publish = move |appended: &[Appended]| {
                frames.lock().unwrap().extend(appended.iter().map(|appended| appended.frame.as_str()));
            };
            store.append(session.clone(), events, at, None, publish).await?;
        }
        let mut replay = std::mem::take(&mut *frames.lock().unwrap());
        replay.push_str(&sse::caught_up_frame(Head::of_len(*count)));
        recorded.push(Recorded { session, replay });
    }
    drop(store);
    // The store's thread folds its journal into the database when it ends: that is not to happen while we measure.
    let journal = folder.join("breakglass.sqlite3-wal");
    while journal.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(recorded)
}

fn event(id: u64, count: u64, at: Millis) -> Event {
    match id {
        0 => Event::User { text: "what is wrong?".into(), by: "bench".into(), steered: false },
        _ if id + 1 == count => Event::TurnEnd,
        _ => {
            let bare = Entry { id: EntryId(id), at, event: Event::Text { text: String::new() } };
            let bare = serde_json::to_string(&bare).map_or(0, |json| json.len());
            Event::Text { text: "x".repeat(ENTRY.saturating_sub(bare)) }
        }
    }
}
