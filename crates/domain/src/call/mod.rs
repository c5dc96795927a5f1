//! The inputs and answers of every call, one type for both sides. DESIGN's HTTP contract says which route takes what.

mod error;
mod form;
mod power;
mod target;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    event::Entry,
    ids::{Millis, SessionId},
    log::Head,
    permission::Choice,
    preset::PresetSummary,
};

pub use error::{Code, ErrorBody, Told};
pub use form::FormAnswer;
pub use power::{OutputStream, Run, RunChunk, RunSummary, Runs, VerbAnswer, VerbInput, Verbs};
pub use target::{AcceptKey, LockInput, Locked};

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

/// `GET /api/presets`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PresetList {
    /// In the order in which they are offered.
    pub presets: Vec<PresetSummary>,
}
