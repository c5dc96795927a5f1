//! What a row of the transcript shows: the fold's result, without its rules.

use crate::{
    figure::Figure,
    ids::{EntryId, Millis, RunId},
    permission::{Decision, Question},
    verb::{Outcome, Verb},
};

/// One row of the transcript.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The entry that made it; rows stand in this order.
    pub id: EntryId,
    /// When.
    pub at: Millis,
    /// What is shown.
    pub item: Item,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// An operator's prompt.
    Prompt {
        /// What was asked.
        text: String,
        /// Who asked.
        by: String,
        /// True when it was delivered into the turn that ran.
        steered: bool,
    },
    /// The backend's words.
    Text {
        /// Light Markdown.
        text: String,
    },
    /// A tool, with its result once there is one.
    Tool {
        /// Its name.
        name: String,
        /// One line that says what it does: the command, where it is one.
        line: String,
        /// A short title, where the backend gave one.
        title: Option<String>,
        /// The result.
        end: Option<ToolEnd>,
        /// True when its turn ended without a result of it: the server was killed, or it was stopped.
        abandoned: bool,
        /// True when a sub-agent does it.
        nested: bool,
    },
    /// Something that an operator is to decide.
    Permission {
        /// By which its decision names it.
        request_id: String,
        /// The tool.
        tool: String,
        /// What exactly would be done: the command, where it is one.
        line: String,
        /// The agent's own questions, where it asks some.
        questions: Vec<Question>,
        /// What was decided. One whose turn ended undecided is withdrawn.
        end: Option<PermissionEnd>,
    },
    /// A run of a verb.
    Run {
        /// Its id.
        run_id: RunId,
        /// Which verb.
        verb: Verb,
        /// Who asked.
        by: String,
        /// What became of it.
        end: Option<RunEnd>,
    },
    /// How the target is, as bars.
    Figures {
        /// In the order in which they are shown.
        figures: Vec<Figure>,
    },
    /// A note between the bubbles.
    Note {
        /// Of which kind.
        tone: Tone,
        /// Its text.
        text: String,
    },
    /// The turn is through; shown as a line with its duration.
    Finished {
        /// The last word.
        result: String,
        /// How long the turn took, in milliseconds.
        duration_ms: u64,
        /// Its cost in US dollars.
        cost_usd: Option<f64>,
    },
}

/// How a tool ended.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolEnd {
    /// Its output.
    pub output: String,
    /// True when it failed.
    pub is_error: bool,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// True when there was more.
    pub truncated: bool,
    /// The size of the whole output in bytes, where the console has it.
    pub whole: Option<(String, u64)>,
    /// How long it took, in milliseconds, as far as both ends are known.
    pub duration_ms: Option<u64>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// Its outcome.
    pub outcome: Outcome,
    /// The host's exit code.
    pub exit_code: Option<i32>,
}

/// What was decided of a permission.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionEnd {
    /// The decision.
    pub decision: Decision,
    /// Who decided.
    pub by: String,
    /// A word to the agent, or the answers to its questions.
    pub message: Option<String>,
}

/// The kinds of note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// For the record.
    Info,
    /// Look at it.
    Warning,
    /// The turn failed.
    Error,
    /// The turn was stopped.
    Stopped,
}
