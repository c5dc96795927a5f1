//! What can happen in a session. An **event** is the happening; an **entry** is the event with its id and time, as it
//! stands in the log. This is the wire format too: one JSON object per entry, tagged by `kind`.
//!
//! Kinds that this build does not know decode to [`Event::Unknown`], so that an old page survives a new server.

use serde::{Deserialize, Serialize};

use crate::{
    figure::Figure,
    ids::{EntryId, Millis, RunId},
    permission::Decision,
    verb::{Outcome, Verb},
};

/// One thing that happened in a session. Logged once, never changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// An operator asked for something. It opens a turn, unless it was steered into one that runs.
    User {
        /// What was asked; for a preset its label.
        text: String,
        /// The operator's name.
        by: String,
        /// True when it was delivered into the turn that ran.
        #[serde(default, skip_serializing_if = "is_false")]
        steered: bool,
    },
    /// The agent's own conversation, in which this session's turns stand from here on.
    Session {
        /// Its id: this session's, unless it had to begin anew.
        session_id: String,
        /// The model that answers.
        model: String,
    },
    /// The backend said something, whole.
    Text {
        /// Plain text with light Markdown; never markup.
        text: String,
    },
    /// The backend began to do something.
    Tool {
        /// Unique within the session; its result names it.
        tool_id: String,
        /// What kind of doing: `command`, `Bash`, …
        name: String,
        /// What exactly, as the tool takes it. For commands `{"command": …, "title": …}`.
        input: serde_json::Value,
        /// The tool on whose behalf a sub-agent does it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<String>,
    },
    /// What came of a tool.
    ToolResult {
        /// The tool that this ends.
        tool_id: String,
        /// Its output, standard output and standard error in the order in which they came.
        output: String,
        /// True when the tool failed.
        is_error: bool,
        /// The exit code, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// True when more was written than is kept here.
        truncated: bool,
        /// The size in bytes of the whole output, where it is kept at `/api/session/{id}/output/{tool_id}`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole: Option<u64>,
    },
    /// The backend may not go on before an operator has decided.
    Permission {
        /// Unique within the session; its decision names it.
        request_id: String,
        /// What kind of doing: `Bash`, or `AskUserQuestion` for a question of the agent's own.
        tool: String,
        /// What exactly would be done, as the tool takes it.
        input: serde_json::Value,
    },
    /// What became of a permission.
    Decision {
        /// Which.
        request_id: String,
        /// What was decided.
        decision: Decision,
        /// The operator's name, or the console's where nobody decided.
        by: String,
        /// A word to the agent, or the answers to its questions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// The backend is through with the turn.
    Result {
        /// True when it failed.
        is_error: bool,
        /// The last word, one line.
        result: String,
        /// How long the turn took, in milliseconds.
        duration_ms: u64,
        /// What it cost in US dollars, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_usd: Option<f64>,
    },
    /// The turn could not go on.
    Error {
        /// What failed and what to do next.
        error: String,
    },
    /// An operator stopped the turn.
    Cancelled {
        /// The operator's name.
        by: String,
    },
    /// The turn is over. Every turn ends with exactly one of these.
    TurnEnd,
    /// Something the operator should know that ends nothing.
    Notice {
        /// How much it matters.
        level: Level,
        /// The text.
        text: String,
    },
    /// A verb was run through the hypervisor on behalf of this session.
    Verb {
        /// The run, whose output is at `/api/pve/runs/{run_id}`.
        run_id: RunId,
        /// Which.
        verb: Verb,
        /// The operator's name.
        by: String,
        /// What became of it; absent when it has only begun.
        outcome: Option<Outcome>,
        /// The host's exit code, where it came back.
        exit_code: Option<i32>,
    },
    /// What the console itself saw of the target and its hypervisor, after something was changed.
    Check {
        /// True when nothing wrong was found.
        ok: bool,
        /// What was found, one line.
        text: String,
        /// What it rests on and what to do next, a line each.
        facts: Vec<String>,
    },
    /// How the target is, in figures that one would rather look at, as far as a runbook has read them.
    Figures {
        /// In the order in which they are shown.
        figures: Vec<Figure>,
    },
    /// A kind that this build does not know. It is kept in the log and skipped in the transcript.
    Unknown,
}

impl Event {
    /// The word that stands for it in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Event::User { .. } => "user",
            Event::Session { .. } => "session",
            Event::Permission { .. } => "permission",
            Event::Decision { .. } => "decision",
            Event::Text { .. } => "text",
            Event::Tool { .. } => "tool",
            Event::ToolResult { .. } => "tool_result",
            Event::Result { .. } => "result",
            Event::Error { .. } => "error",
            Event::Cancelled { .. } => "cancelled",
            Event::TurnEnd => "turn_end",
            Event::Notice { .. } => "notice",
            Event::Verb { .. } => "verb",
            Event::Check { .. } => "check",
            Event::Figures { .. } => "figures",
            Event::Unknown => "unknown",
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the record.
    Info,
    /// Look at it.
    Warning,
}

/// An event as logged. In JSON flat: `{"id":3,"at":1763618700000,"kind":"text","text":"…"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Flat")]
pub struct Entry {
    /// Its place in the log.
    pub id: EntryId,
    /// When it was logged.
    pub at: Millis,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What is shown while it happens and never logged: it has no id, and a client that misses it has lost nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Live {
    /// All that the backend has written so far of a text to come. A later draft replaces it; so does the `text`.
    Draft {
        /// The whole draft, not a piece of it.
        text: String,
    },
    /// A tool is still at work.
    Progress {
        /// Which.
        tool_id: String,
        /// For how long, in seconds.
        seconds: u64,
    },
}

/// What the data of a session's frame says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Flat")]
pub enum Streamed {
    /// It is on record.
    Entry(Entry),
    /// It is shown and passes.
    Live(Live),
}

/// The JSON object of any entry, its fields as they come. What serde makes of a tagged and flattened enum does the same
/// in three times as much code, and a phone has to load it. A kind of the future must not give one of these names to a
/// field of another type: its entries would not be read by pages of today.
#[derive(Deserialize)]
struct Flat {
    id: Option<EntryId>,
    at: Option<Millis>,
    kind: String,
    text: Option<String>,
    by: Option<String>,
    tool_id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    input: serde_json::Value,
    parent: Option<String>,
    output: Option<String>,
    is_error: Option<bool>,
    exit_code: Option<i32>,
    truncated: Option<bool>,
    result: Option<String>,
    duration_ms: Option<u64>,
    cost_usd: Option<f64>,
    error: Option<String>,
    level: Option<Level>,
    run_id: Option<RunId>,
    verb: Option<Verb>,
    outcome: Option<Outcome>,
    seconds: Option<u64>,
    #[serde(default)]
    steered: bool,
    whole: Option<u64>,
    session_id: Option<String>,
    model: Option<String>,
    request_id: Option<String>,
    tool: Option<String>,
    decision: Option<Decision>,
    message: Option<String>,
    ok: Option<bool>,
    facts: Option<Vec<String>>,
    figures: Option<Vec<Figure>>,
}

impl Flat {
    /// The event, or nothing when a field of its kind is missing.
    fn event(self) -> Option<Event> {
        Some(match self.kind.as_str() {
            "user" => Event::User { text: self.text?, by: self.by?, steered: self.steered },
            "session" => Event::Session { session_id: self.session_id?, model: self.model? },
            "text" => Event::Text { text: self.text? },
            "tool" => Event::Tool { tool_id: self.tool_id?, name: self.name?, input: self.input, parent: self.parent },
            "tool_result" => Event::ToolResult {
                tool_id: self.tool_id?,
                output: self.output?,
                is_error: self.is_error?,
                exit_code: self.exit_code,
                truncated: self.truncated?,
                whole: self.whole,
            },
            "permission" => Event::Permission { request_id: self.request_id?, tool: self.tool?, input: self.input },
            "decision" => Event::Decision {
                request_id: self.request_id?,
                decision: self.decision?,
                by: self.by?,
                message: self.message,
            },
            "result" => Event::Result {
                is_error: self.is_error?,
                result: self.result?,
                duration_ms: self.duration_ms?,
                cost_usd: self.cost_usd,
            },
            "error" => Event::Error { error: self.error? },
            "cancelled" => Event::Cancelled { by: self.by? },
            "turn_end" => Event::TurnEnd,
            "notice" => Event::Notice { level: self.level?, text: self.text? },
            "verb" => Event::Verb {
                run_id: self.run_id?,
                verb: self.verb?,
                by: self.by?,
                outcome: self.outcome,
                exit_code: self.exit_code,
            },
            "check" => Event::Check { ok: self.ok?, text: self.text?, facts: self.facts? },
            "figures" => Event::Figures { figures: self.figures? },
            _ => Event::Unknown,
        })
    }
}

/// A field that an entry of its kind must have is missing.
const INCOMPLETE: &str = "a field of this kind is missing";

impl TryFrom<Flat> for Entry {
    type Error = &'static str;

    fn try_from(flat: Flat) -> Result<Self, &'static str> {
        let (id, at) = (flat.id.ok_or(INCOMPLETE)?, flat.at.ok_or(INCOMPLETE)?);
        Ok(Entry { id, at, event: flat.event().ok_or(INCOMPLETE)? })
    }
}

impl TryFrom<Flat> for Streamed {
    type Error = &'static str;

    fn try_from(flat: Flat) -> Result<Self, &'static str> {
        if flat.id.is_some() {
            return Entry::try_from(flat).map(Streamed::Entry);
        }
        let live = match flat.kind.as_str() {
            "draft" => flat.text.map(|text| Live::Draft { text }),
            "progress" => flat.tool_id.zip(flat.seconds).map(|(tool_id, seconds)| Live::Progress { tool_id, seconds }),
            _ => None,
        };
        live.map(Streamed::Live).ok_or(INCOMPLETE)
    }
}

#[cfg(test)]
mod tests;
