//! The record as it is in the end, over which everybody else's word is judged: the log by a plain attach from the
//! start, the runs from the database itself.

use std::path::Path;

use domain::sse::Decoder;

use super::{
    check::Log,
    check_power::Runs,
    wire::{Answer, Request, Wire},
};

/// A session's whole log.
pub async fn log(address: &str, session: &str) -> Log {
    let request = Request::plain(address, format!("/api/session/{session}/stream"));
    let Answer::Stream(mut wire) = Wire::ask(&request).await.unwrap() else { panic!("a stream") };
    let mut log = Log { session: session.to_owned(), frames: Vec::new() };
    let mut decoder = Decoder::default();
    loop {
        let piece = wire.piece(16 << 10).await.unwrap();
        for frame in decoder.push(&piece) {
            if frame.event.as_deref() == Some("caught-up") {
                return log;
            }
            if let Some(id) = frame.id {
                log.frames.push((id.parse().unwrap(), frame.data));
            }
        }
    }
}

/// All runs.
pub fn runs(data: &Path) -> Runs {
    let database = rusqlite::Connection::open(data.join("breakglass.sqlite3")).unwrap();
    let mut statement = database.prepare("SELECT id, verb, outcome FROM runs").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    rows.map(Result::unwrap).collect()
}
