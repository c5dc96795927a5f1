//! Runs of verbs on disk: the intent first, then what became of it.

use domain::{
    call::{Run, RunSummary},
    ids::{Millis, RunId, SessionId},
    verb::{Mutation, Outcome, Verb},
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::{Also, Intent, Store, StoreError, StoredAnswer};

const SUMMARY: &str = "SELECT id, verb, by, session, started, ended, outcome, exit_code";

/// Reads a column as a type with a textual form.
fn parsed<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error: T::Err| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn outcome_of(text: &str) -> Outcome {
    match text {
        "done" => Outcome::Done,
        "refused" => Outcome::Refused,
        _ => Outcome::Unknown,
    }
}

fn summary_of(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        run_id: parsed(row, 0)?,
        verb: parsed(row, 1)?,
        by: row.get(2)?,
        session_id: row.get::<_, Option<String>>(3)?.and_then(|text| text.parse().ok()),
        started: Millis(row.get::<_, i64>(4)? as u64),
        ended: row.get::<_, Option<i64>>(5)?.map(|at| Millis(at as u64)),
        outcome: row.get::<_, Option<String>>(6)?.as_deref().map(outcome_of),
        exit_code: row.get(7)?,
    })
}

/// What follows in a query for a run with its output.
const OUTPUTS: &str = ", stdout, stderr, rejected, truncated, detail";

fn run_of(row: &Row<'_>) -> rusqlite::Result<Run> {
    let RunSummary { run_id, verb, by, session_id, started, ended, outcome, exit_code } = summary_of(row)?;
    Ok(Run {
        run_id,
        verb,
        by,
        session_id,
        started,
        ended,
        outcome,
        exit_code,
        stdout: row.get(8)?,
        stderr: row.get(9)?,
        rejected: row.get(10)?,
        truncated: row.get(11)?,
        detail: row.get(12)?,
    })
}

/// Writes that a run began. One that is written already stays as it is.
fn insert(db: &Connection, target: &str, run: &RunSummary) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO runs (id, target, verb, by, session, started) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        run.run_id.as_str(),
        target,
        run.verb.as_str(),
        run.by,
        run.session_id.as_ref().map(SessionId::as_str),
        run.started.0 as i64
    ])
    .map(drop)
}

/// Records that a run is about to begin. With an intent, the answer that would be true if the server died now goes with it.
pub fn begin_run(target: String, run: RunSummary, intent: Option<(Intent, StoredAnswer)>) -> Also {
    Box::new(move |db| {
        insert(db, &target, &run)?;
        intent.map_or(Ok(()), |(intent, answer)| intent.record(db, run.started, &answer))
    })
}

/// Records what became of a run, whether or not its beginning could be recorded. With it goes what its call's key is
/// answered from now on; nothing is kept for the key of a call that did nothing after all.
pub fn end_run(target: String, run: Run, key: Option<(Intent, Option<StoredAnswer>)>) -> Also {
    Box::new(move |db| {
        match key {
            Some((intent, Some(answer))) => intent.record(db, run.ended.unwrap_or(run.started), &answer)?,
            Some((intent, None)) => intent.forget(db)?,
            None => {}
        }
        insert(db, &target, &run.summary())?;
        resolve_run(run)(db)
    })
}

/// Records what has come to be known of a run whose outcome was unknown. What its key was answered stays: it was answered.
pub fn resolve_run(run: Run) -> Also {
    Box::new(move |db| {
        db.prepare_cached(
            "UPDATE runs SET ended = ?, outcome = ?, exit_code = ?, stdout = ?, stderr = ?, rejected = ?, truncated = ?,
                             detail = ? WHERE id = ?",
        )?
        .execute(params![
            run.ended.map(|at| at.0 as i64),
            run.outcome.map(|outcome| outcome.to_string()),
            run.exit_code,
            run.stdout,
            run.stderr,
            run.rejected,
            run.truncated,
            run.detail,
            run.run_id.as_str()
        ])
        .map(drop)
    })
}

/// The same of a run under which the server died. Nobody was given the provisional answer of its key, so that becomes
/// what it should have been: `answer`, or nothing of a call that did nothing.
pub fn end_abandoned(run: Run, answer: Option<StoredAnswer>) -> Also {
    Box::new(move |db| {
        // A form's answer only names its run, which stays true.
        let of_run = "WHERE json_valid(answer) AND json_extract(answer, '$.run_id') = ? AND json_extract(answer, '$.outcome') = 'unknown'";
        let id = run.run_id.clone();
        match answer {
            Some(StoredAnswer { status, body }) => db
                .prepare_cached(&format!("UPDATE idempotency_keys SET status = ?, answer = ? {of_run}"))?
                .execute(params![status, body, id.as_str()])?,
            None => db.prepare_cached(&format!("DELETE FROM idempotency_keys {of_run}"))?.execute([id.as_str()])?,
        };
        resolve_run(run)(db)
    })
}

impl Store {
    /// Writes what goes with no entry.
    pub async fn write_alone(&self, write: Also) -> Result<(), StoreError> {
        self.write(write).await
    }

    /// One run with its output, or nothing.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(&format!("{SUMMARY}{OUTPUTS} FROM runs WHERE id = ?"))?
                .query_row([id.as_str()], run_of)
                .optional()
        })
        .await
    }

    /// The newest runs of a session with their outputs, oldest first.
    pub async fn runs_of(&self, session: SessionId, limit: u64) -> Result<Vec<Run>, StoreError> {
        self.read(move |db| {
            let mut runs: Vec<Run> = db
                .prepare_cached(&format!(
                    "{SUMMARY}{OUTPUTS} FROM runs WHERE session = ? ORDER BY started DESC, id LIMIT ?"
                ))?
                .query_map(params![session.as_str(), limit as i64], run_of)?
                .collect::<Result<_, _>>()?;
            runs.reverse();
            Ok(runs)
        })
        .await
    }

    /// The newest runs, newest first.
    pub async fn runs(&self, limit: u64) -> Result<Vec<RunSummary>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(&format!("{SUMMARY} FROM runs ORDER BY started DESC, id LIMIT ?"))?
                .query_map([limit as i64], summary_of)?
                .collect()
        })
        .await
    }

    /// Runs that began before `opened` and have no end: the last server died under them. With each, whether it is of this
    /// target.
    pub async fn open_runs(&self, target: String, opened: Millis) -> Result<Vec<(RunSummary, bool)>, StoreError> {
        self.read(move |db| {
            db.prepare_cached(&format!(
                "{SUMMARY}, target = ? FROM runs WHERE ended IS NULL AND started < ? ORDER BY started"
            ))?
            .query_map(params![target, opened.0 as i64], |row| Ok((summary_of(row)?, row.get(8)?)))?
            .collect()
        })
        .await
    }

    /// The last mutation of a target, if its outcome is unknown and no `status` was answered since.
    pub async fn unknown_mutation(&self, target: String) -> Result<Option<Mutation>, StoreError> {
        self.read(move |db| {
            let newest = db
                .prepare_cached(&format!(
                    "{SUMMARY} FROM runs WHERE target = ?1 AND verb IN ('start', 'stop', 'reset', 'cycle')
                       AND coalesce(outcome, 'unknown') <> 'refused'
                     ORDER BY started DESC LIMIT 1"
                ))?
                .query_row([&target], summary_of)
                .optional()?;
            // One without an outcome is one under which the server died.
            let open_or_unknown = |run: &RunSummary| matches!(run.outcome, None | Some(Outcome::Unknown));
            let Some(newest) = newest.filter(open_or_unknown) else {
                return Ok(None);
            };
            let looked: bool = db
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM runs WHERE target = ? AND verb = 'status' AND outcome = 'done'
                                      AND exit_code = 0 AND started >= ?)",
                )?
                .query_row(params![target, newest.ended.unwrap_or(newest.started).0 as i64], |row| row.get(0))?;
            let RunSummary { run_id, verb, by, started, .. } = newest;
            debug_assert!(Verb::mutates(verb));
            Ok((!looked).then_some(Mutation { run_id, verb, by, started }))
        })
        .await
    }
}
