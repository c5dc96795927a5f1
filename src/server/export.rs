//! A session on its way out: every entry as it stands in the log, one JSON object per line, or the report that a person
//! would send. It reads the record and nothing else, so it works beside a server and without one.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use domain::{
    call::SessionSummary,
    event::Entry,
    ids::{EntryId, SessionId},
    report,
};
use futures_util::{Stream, stream};

use super::store::{Store, StoreError};

/// In which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A report for people.
    #[default]
    Markdown,
    /// The log itself.
    Jsonl,
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "markdown" => Ok(Form::Markdown),
            "jsonl" => Ok(Form::Jsonl),
            other => Err(format!("format is {other:?}: markdown and jsonl are there")),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Markdown => "markdown",
            Form::Jsonl => "jsonl",
        })
    }
}

/// How much is read at once: entries, and about how many bytes.
const CHUNK: (u64, usize) = (1024, 256 << 10);
/// How much of a session a report tells, in bytes of its entries: its end. The log has all of it.
const REPORTED: usize = 16 << 20;

/// All entries of a session as they stand in the log, one per line, in pieces.
pub fn lines(store: Store, session: SessionId) -> impl Stream<Item = Result<Bytes, StoreError>> {
    stream::try_unfold(EntryId(0), move |from| {
        let (store, session) = (store.clone(), session.clone());
        async move {
            let (limit, bytes) = CHUNK;
            let entries = store.entries_json(session, from, limit, bytes).await?;
            let Some((last, _)) = entries.last() else { return Ok(None) };
            let next = EntryId(last.0 + 1);
            let lines: String = entries.iter().flat_map(|(_, json)| [json.as_str(), "\n"]).collect();
            Ok(Some((Bytes::from(lines), next)))
        }
    })
}

/// The report on a session.
pub async fn report(store: &Store, summary: &SessionSummary, target: &str) -> Result<String, StoreError> {
    let end = EntryId(summary.last_event_id.len());
    let entries: Vec<Entry> = store.entries_before(summary.id.clone(), end, u64::from(u32::MAX), REPORTED).await?;
    Ok(report::markdown(summary, target, &entries))
}
