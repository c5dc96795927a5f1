//! What a line of the CLI's standard output says. Decoding never fails and never panics: what is not known is
//! [`Said::Other`], what is not JSON is [`Said::Malformed`], and whatever else is odd about a line, a text in it comes
//! out.
//!
//! The CLI documents none of this. The shapes are those of version 2.1.328 as recorded in `tests/fixtures`, which the
//! comments name; the binary names some 70 kinds of `system` lines more.

mod decode;
mod fields;
mod json;
mod tool_result;

use serde_json::Value;

pub use self::{decode::decode, tool_result::ToolResult, tool_result::Whole};

/// One thing that the CLI said. `parent` is the tool call on whose behalf a sub-agent says it; `None` is the main
/// conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A turn begins. It may be missing (`resume_unknown`), and it comes again with every turn of a process and when a
    /// background task has ended (`subagent`).
    Init {
        /// The conversation's UUID.
        session_id: String,
        /// The model's full name.
        model: String,
        /// The tools that are offered.
        tools: Vec<String>,
        /// `default`, `bypassPermissions`, …
        permission_mode: String,
        /// The CLI's, such as `2.1.328`.
        version: Option<String>,
    },
    /// A text block, whole.
    Text {
        /// The message that it is part of; several texts can be of one message (`three_texts`).
        message_id: String,
        /// Light Markdown.
        text: String,
        /// See [`Said`].
        parent: Option<String>,
    },
    /// A tool is called. That is not yet leave to run it: see [`Said::Asks`].
    Tool {
        /// The call; its result names it.
        tool_id: String,
        /// `Bash`, `Read`, …
        name: String,
        /// As the tool takes it.
        input: Value,
        /// See [`Said`].
        parent: Option<String>,
    },
    /// What came of a call.
    ToolResult(ToolResult),
    /// The API could not be used. It comes as an assistant's message of a model called `<synthetic>`, and the turn's
    /// [`Finished`] says the same again (`api_400`). A sub-agent's comes as the result of its call (`subagent_fails`).
    ApiError {
        /// For a person to read.
        text: String,
        /// `authentication_failed`, `rate_limit`, `server_error`, `invalid_request`, `model_not_found`,
        /// `billing_error`, `unknown`, …
        kind: String,
        /// The HTTP status, where there was a response.
        status: Option<u16>,
    },
    /// A piece of a message that is being written; only with `--include-partial-messages`.
    Partial {
        /// See [`Said`].
        parent: Option<String>,
        /// Which.
        partial: Partial,
    },
    /// The API failed and will be asked again, for the main conversation or for a sub-agent (`subagent_retries`).
    Retry {
        /// The first is 1.
        attempt: u32,
        /// How many there will be.
        max: u32,
        /// The pause before it, in milliseconds.
        delay_ms: u64,
        /// The HTTP status; `None` when there was no response (`stream_dropped`).
        status: Option<u16>,
        /// `overloaded`, `unknown`, …
        error: String,
    },
    /// A tool is still at work; about every 30 s. A sub-agent's first says 0 s when it retried and the API is back.
    Progress {
        /// The call. It is the line's `parent_tool_use_id`: its `tool_use_id` names the heartbeat (`bash_35s`).
        tool_id: String,
        /// For how long, in seconds.
        seconds: u64,
    },
    /// What the process does now: `requesting`, `compacting`; `None` says that it no longer does.
    Status {
        /// See [`Said::Status`].
        status: Option<String>,
    },
    /// The CLI tells the operator something: that it uses another model now, that an answer was stopped (`refusal`), …
    /// The binary has some ten kinds of it.
    Note {
        /// `type/subtype`, as in [`Said::Other`].
        kind: String,
        /// For a person to read.
        text: String,
    },
    /// A tool was not allowed, by rule or because nobody could be asked. The call's result says so too.
    Denied {
        /// The tool's name.
        tool: String,
        /// The call.
        tool_id: Option<String>,
        /// Why, as the model is told.
        text: String,
    },
    /// How far a message of ours has come that carried a `uuid` (`queued_message`).
    Lifecycle {
        /// The message's `uuid`, which is the line's `command_uuid`: its `uuid` is the line's own.
        uuid: String,
        /// How far.
        state: Lifecycle,
    },
    /// A message of ours, given back because of `--replay-user-messages`.
    Replay {
        /// The message's own.
        uuid: Option<String>,
        /// Its texts, joined by LF.
        text: String,
    },
    /// A turn is over. It need not be the last line (`subagent_background`).
    Finished(Finished),
    /// May this tool run? Nothing goes on in the turn until this is answered.
    Asks {
        /// What the answer must name.
        request_id: String,
        /// The tool's name. `AskUserQuestion` asks the operator something, and its answer goes into the input.
        tool: String,
        /// As the tool takes it.
        input: Value,
        /// What the model says it is for.
        description: Option<String>,
        /// The call.
        tool_id: Option<String>,
    },
    /// A request that is not known here. Whoever drives must answer it with an error, or the CLI waits.
    OtherRequest {
        /// What the answer must name.
        request_id: String,
        /// What was wanted.
        subtype: String,
    },
    /// A request need not be answered any more (`interrupt_while_asking`).
    Withdraws {
        /// Which.
        request_id: String,
    },
    /// The answer to a request of ours.
    Answers {
        /// Which.
        request_id: String,
        /// Why it was refused; `None` is success.
        error: Option<String>,
    },
    /// A kind that is not known here, or that says nothing to anybody.
    Other {
        /// `type/subtype`, for a log.
        kind: String,
    },
    /// No JSON object.
    Malformed,
}

/// A piece of a message that is being written. Blocks are counted from 0 within a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partial {
    /// A message begins.
    MessageStart {
        /// It is the same in the message's [`Said::Text`]s.
        message_id: String,
    },
    /// A text block begins, empty.
    TextStart {
        /// Which block.
        index: u64,
    },
    /// More of a text block.
    Text {
        /// Which block.
        index: u64,
        /// What to append.
        text: String,
    },
    /// A block of any sort ends.
    BlockStop {
        /// Which block.
        index: u64,
    },
    /// The message has come to its end as it should. Without it, [`Partial::MessageStop`] means that the message is
    /// void.
    MessageDelta,
    /// No more comes of the message.
    MessageStop,
    /// What is no text: thinking, a tool's input, a ping.
    Other,
}

/// How far a message of ours has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// It waits.
    Queued,
    /// The model has it.
    Started,
    /// Its turn is over and did not fail.
    Completed,
    /// A state not known here, or `cancelled`: its turn failed, for whatever reason (`api_400`).
    Other,
}

/// The end of a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finished {
    /// `success`, `error_max_turns`, `error_max_budget_usd`, `error_during_execution`. `success` is no sign of success:
    /// see `is_error`.
    pub subtype: String,
    /// Whether the turn failed. With `success` too: every API error ends that way (`api_400`).
    pub is_error: bool,
    /// The last text block alone, or the API's error; absent when the subtype is an error.
    pub result: Option<String>,
    /// What went wrong when the subtype is an error.
    pub errors: Vec<String>,
    /// `completed`, `api_error`, `max_turns`, `aborted_tools`, …
    pub terminal_reason: Option<String>,
    /// Messages of the model plus results, as the CLI counts.
    pub num_turns: u64,
    /// How long the turn took, in milliseconds.
    pub duration_ms: u64,
    /// In US dollars, for the conversation so far: it accumulates over turns and resumes.
    pub total_cost_usd: Option<f64>,
    /// What the model read in this turn, cached or not, in tokens.
    pub input_tokens: Option<u64>,
    /// The conversation's UUID.
    pub session_id: String,
    /// The tools that were not allowed, one name for each call.
    pub denials: Vec<String>,
}
