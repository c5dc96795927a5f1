//! The inputs and answers of the calls of power: verbs, and runs of them.

use serde::{Deserialize, Serialize};

use super::Code;
use crate::{
    ids::{Millis, RunId, SessionId},
    verb::{Outcome, Verb},
};

/// `GET /api/pve/verbs`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verbs {
    /// All of them, sorted.
    pub verbs: Vec<String>,
    /// Those that change the VM's state, sorted.
    pub mutating: Vec<String>,
}

/// `POST /api/pve/{verb}`; the body may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerbInput {
    /// The session that the run is to be recorded in.
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// Run although the outcome of the last mutation is unknown.
    #[serde(default, rename = "override")]
    pub override_unknown: bool,
}

/// The answer to `POST /api/pve/{verb}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerbAnswer {
    /// The run; null when none was made.
    pub run_id: Option<RunId>,
    /// The verb.
    pub verb: Verb,
    /// What became of it.
    pub outcome: Outcome,
    /// The host's exit code, where one came back.
    pub exit_code: Option<i32>,
    /// The host's standard output, capped.
    pub stdout: String,
    /// The host's standard error, capped.
    pub stderr: String,
    /// True when nothing was sent.
    pub rejected: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// True when the output was longer than what is kept.
    pub truncated: bool,
    /// Why it was refused, or what the operator should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The fixed word, where it was refused before it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// One run in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub run_id: RunId,
    /// The verb.
    pub verb: Verb,
    /// Who asked for it.
    pub by: String,
    /// The session that it is recorded in.
    pub session_id: Option<SessionId>,
    /// When it began.
    pub started: Millis,
    /// When it ended; null while it runs.
    pub ended: Option<Millis>,
    /// What became of it; null while it runs.
    pub outcome: Option<Outcome>,
    /// The host's exit code.
    pub exit_code: Option<i32>,
}

/// One run with its output, as far as it has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// The verb.
    pub verb: Verb,
    /// Who asked for it.
    pub by: String,
    /// The session that it is recorded in.
    pub session_id: Option<SessionId>,
    /// When it began.
    pub started: Millis,
    /// When it ended; null while it runs.
    pub ended: Option<Millis>,
    /// What became of it; null while it runs.
    pub outcome: Option<Outcome>,
    /// The host's exit code.
    pub exit_code: Option<i32>,
    /// Standard output so far, capped.
    pub stdout: String,
    /// Standard error so far, capped.
    pub stderr: String,
    /// True when nothing was sent.
    pub rejected: bool,
    /// True when there was more output than is kept.
    pub truncated: bool,
    /// What the operator should know about how it ended.
    pub detail: Option<String>,
}

impl Run {
    /// A run that begins now and has no output yet.
    pub fn begun(run_id: RunId, verb: Verb, by: String, session_id: Option<SessionId>, started: Millis) -> Self {
        Run {
            run_id,
            verb,
            by,
            session_id,
            started,
            ended: None,
            outcome: None,
            exit_code: None,
            stdout: String::new(),
            stderr: String::new(),
            rejected: false,
            truncated: false,
            detail: None,
        }
    }

    /// The run as lists show it.
    pub fn summary(&self) -> RunSummary {
        RunSummary {
            run_id: self.run_id.clone(),
            verb: self.verb,
            by: self.by.clone(),
            session_id: self.session_id.clone(),
            started: self.started,
            ended: self.ended,
            outcome: self.outcome,
            exit_code: self.exit_code,
        }
    }

    /// How long it took, in milliseconds; 0 while it runs.
    pub fn duration_ms(&self) -> u64 {
        self.ended.map_or(0, |ended| ended.since(self.started))
    }

    /// What a caller of the verb is told of a run that ended.
    pub fn answer(&self) -> VerbAnswer {
        VerbAnswer {
            run_id: Some(self.run_id.clone()),
            verb: self.verb,
            outcome: self.outcome.unwrap_or(Outcome::Unknown),
            exit_code: self.exit_code,
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            rejected: self.rejected,
            duration_ms: self.duration_ms(),
            truncated: self.truncated,
            detail: self.detail.clone(),
            code: None,
        }
    }
}

/// `GET /api/pve/runs`, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    /// The runs.
    pub runs: Vec<RunSummary>,
}

/// A piece of a run's output, as streamed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunChunk {
    /// Which of the two it came on.
    pub stream: OutputStream,
    /// The text; it need not end at a line's end.
    pub text: String,
}

/// Standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
