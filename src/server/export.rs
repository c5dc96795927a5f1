//! A session on its way out: every entry as it stands in the log, one JSON object per line, or the report that a person
//! would send. It reads the record and nothing else, so it works beside a server and without one.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use domain::{
    call::SessionSummary,
    event::Entry,
    ids::{EntryId, SessionId},
    probe::TargetStatus,
    report::{self, Incident},
};
use futures_util::{Stream, stream};
use redact::Redactor;

use super::{
    config::Config,
    fresh,
    store::{Store, StoreError},
};

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
/// How many of its runs.
const REPORTED_RUNS: u64 = 50;

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

/// What stands around a session and not in it.
pub struct Around {
    pub target: String,
    pub practice: bool,
    /// What was last seen of the target, where somebody looks at it.
    pub status: Option<TargetStatus>,
    pub redactor: Redactor,
}

/// What knows the console's own secrets by their value.
pub fn redactor(config: &Config) -> Redactor {
    /// What is shorter may be a word of everyday.
    const SHORTEST: usize = 12;
    let mut redactor = Redactor::default();
    if let Some(token) = &config.auth.bearer {
        redactor = redactor.knowing("the console's token", token.expose());
    }
    if let Some(key) = &config.agent.api_key {
        redactor = redactor.knowing("the provider's key", key.expose());
    }
    for value in config.agent.added_env().filter(|value| value.len() >= SHORTEST) {
        redactor = redactor.knowing("a value of the agent's environment", value);
    }
    redactor
}

/// The report on a session, without secrets.
pub async fn report(store: &Store, summary: SessionSummary, around: Around) -> Result<String, StoreError> {
    let end = EntryId(summary.last_event_id.len());
    let entries: Vec<Entry> = store.entries_before(summary.id.clone(), end, u64::from(u32::MAX), REPORTED).await?;
    let runs = store.runs_of(summary.id.clone(), REPORTED_RUNS).await?;
    let written = tokio::task::spawn_blocking(move || {
        let Around { target, practice, status, redactor } = around;
        let report = report::markdown(&Incident {
            summary: &summary,
            target: &target,
            practice,
            entries: &entries,
            runs: &runs,
            status: status.as_ref(),
            now: fresh::now(),
            clean: &|text| redactor.clean(text),
        });
        // Whatever it is made of has gone through here once.
        redactor.clean(&report)
    });
    written.await.map_err(|_| StoreError::Closed)
}
