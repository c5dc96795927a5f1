//! The inputs and answers of every call, one type for both sides. DESIGN's HTTP contract says which route takes what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    event::Entry,
    ids::{Millis, RunId, SessionId},
    log::Head,
    permission::Choice,
    preset::PresetSummary,
    probe::{KeyHost, Lock},
    verb::{Outcome, Verb},
};

/// The fixed words by which a script tells errors apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// 401: no valid credentials.
    Unauthenticated,
    /// 403: the request comes from another site.
    CrossSite,
    /// 404: there is nothing at this address.
    NotFound,
    /// 405: not with this method.
    MethodNotAllowed,
    /// 404: no such session.
    UnknownSession,
    /// 404: no such run.
    UnknownRun,
    /// 400: none of the six verbs.
    UnknownVerb,
    /// 422: no such preset.
    UnknownPreset,
    /// 422: the body or a parameter is not of the call's form.
    BadInput,
    /// 422: nothing but white space.
    PromptEmpty,
    /// 422: longer than the configuration allows.
    PromptTooLong,
    /// 413: the body is longer than the configuration allows.
    BodyTooLong,
    /// 409: a turn runs in this session.
    TurnRunning,
    /// 429: as many turns run as may.
    TooManyTurns,
    /// 409: another mutation runs on the target.
    MutationRunning,
    /// 409: nobody knows what became of the last mutation.
    OutcomeUnknown,
    /// 409: an operator locked the target.
    TargetLocked,
    /// 404: no such capture, or no such part of it.
    UnknownCapture,
    /// 502: the hypervisor gave no answer.
    HypervisorSilent,
    /// 404: the agent asked for no such permission.
    UnknownPermission,
    /// 404: this output is not kept.
    UnknownOutput,
    /// 409: the permission was decided, by somebody else or by time.
    AlreadyDecided,
    /// 409: this is not the host key that was seen.
    HostKeyNotSeen,
    /// 403: an agent may not make this call.
    NotForAgents,
    /// 422: the idempotency key was used with another body.
    KeyReused,
    /// 409: the call of this idempotency key is still running.
    KeyInProgress,
    /// 422: the idempotency key is not of the allowed form.
    KeyBad,
    /// 401: the sign-in code is wrong, spent or too old.
    CodeWrong,
    /// 503: the console is about to end.
    Ending,
    /// 507: the record cannot be written.
    StoreUnwritable,
    /// 500: a fault of ours; the log has the cause.
    Internal,
}

/// The body of every error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// What happened and what to do next, in lower case.
    pub detail: String,
    /// The fixed word.
    pub code: Code,
}

/// What a person is told of an error: of [`ErrorBody`] the part that the page shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Told {
    /// What happened and what to do next.
    pub detail: String,
}

/// `GET /health`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// Always `breakglass`.
    pub service: String,
    /// The program's version.
    pub version: String,
}

/// `POST /api/session`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionOpened {
    /// The new session.
    pub session_id: SessionId,
}

/// One session in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionSummary {
    /// Its id.
    pub id: SessionId,
    /// When it was opened.
    pub created: Millis,
    /// From its first prompt; null before there is one.
    pub title: Option<String>,
    /// True while a turn runs.
    pub turn_active: bool,
    /// The newest entry's id, or null.
    pub last_event_id: Head,
    /// True when it was put away; its next prompt brings it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
}

/// `POST /api/session/{id}/archive`, and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archived {
    /// Whether it is put away.
    pub archived: bool,
}

/// `GET /api/session`, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Vec<SessionSummary>,
}

/// `GET /api/session/{id}/entries`, ascending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entries {
    /// The entries.
    pub entries: Vec<Entry>,
}

/// `POST /api/session/{id}/prompt`: either `prompt` or `preset`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptInput {
    /// What to do, in words; a line that begins with `!` is a command for the target.
    #[serde(default)]
    pub prompt: Option<String>,
    /// The model, where the backend has one.
    #[serde(default)]
    pub model: Option<String>,
    /// Deliver it into the running turn.
    #[serde(default)]
    pub steer: bool,
    /// The id of a preset, in place of words.
    #[serde(default)]
    pub preset: Option<String>,
    /// Run the preset's runbook, whichever backend there is.
    #[serde(default)]
    pub without_ai: bool,
}

/// The answer to a prompt that was let in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Always `started`.
    pub status: String,
}

/// `POST /api/session/{id}/cancel`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancelled {
    /// False when no turn was running.
    pub cancelled: bool,
}

/// `POST /api/session/{id}/permission`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionInput {
    /// Which permission.
    pub request_id: String,
    /// What is decided.
    pub decision: Choice,
    /// A word to the agent; it is told why not.
    #[serde(default)]
    pub message: Option<String>,
    /// The answers to the agent's questions, by the question's text.
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
}

/// The answer to a decision that stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// What was decided.
    pub decision: Choice,
}

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

/// `POST /api/target/lock`, and what the page's form sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockInput {
    /// Whether mutations are to be forbidden.
    pub locked: bool,
    /// Why, for those who meet it; at most 200 characters.
    #[serde(default)]
    pub why: String,
}

/// The answer to [`LockInput`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Locked {
    /// The lock that stands now.
    pub lock: Option<Lock>,
}

/// `POST /api/target/host-key`: accepts a host key that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptKey {
    /// Whose.
    pub host: KeyHost,
    /// The fingerprint that is accepted, as it was shown: `SHA256:…`.
    pub fingerprint: String,
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

/// `GET /api/presets`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresetList {
    /// In the order in which they are offered.
    pub presets: Vec<PresetSummary>,
}

/// What a form's endpoint answers to the page's own script. Without script the same endpoint answers with a redirect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormAnswer {
    /// A turn has begun in this session.
    Started {
        /// The session.
        session_id: SessionId,
    },
    /// A session was opened.
    Opened {
        /// The session.
        session_id: SessionId,
    },
    /// The turn was told to stop, or there was none.
    Cancelled {
        /// False when no turn was running.
        cancelled: bool,
    },
    /// A session was put away, or back.
    Archived {
        /// Whether it is put away.
        archived: bool,
    },
    /// A permission was decided.
    Decided {
        /// What was decided.
        decision: Choice,
    },
    /// A verb has begun; its output is at `/api/pve/runs/{run_id}/stream`.
    Running {
        /// The run.
        run_id: RunId,
    },
    /// What was said of the target stands: its lock, or a key of it.
    Noted {},
    /// It did not work.
    Failed {
        /// The HTTP status that the JSON API would have given.
        status: u16,
        /// What happened and what to do next.
        detail: String,
        /// True when it would work as an override: nobody knows what became of the last mutation.
        overridable: bool,
    },
}
