//! All that the console's page needs for its first paint. The server renders from it and embeds it as JSON; the
//! browser hydrates from the same value, so that the two cannot differ.

use serde::{Deserialize, Serialize};

use crate::{
    call::{Run, SessionSummary},
    event::Entry,
    preset::PresetSummary,
};

/// The console's page, as data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The session shown; none until the first prompt opens one.
    pub session: Option<SessionSummary>,
    /// Its newest entries, ascending.
    pub entries: Vec<Entry>,
    /// The presets, in the order in which they are offered.
    pub presets: Vec<PresetSummary>,
    /// What is being rescued, and through what.
    pub surroundings: Surroundings,
    /// The operator who looks at it.
    pub operator: String,
    /// The idempotency key of the forms on this page, until a script makes one per intent.
    pub key: String,
    /// What the form that led here has to say.
    pub flash: Option<Flash>,
    /// True while nobody knows what became of the last mutation, so that the next one must be an override.
    pub unknown: bool,
    /// What there is to say of the console's disk, while it is nearly full.
    #[serde(default)]
    pub disk: Option<String>,
    /// The run to show in the VM sheet, with its output so far.
    pub run: Option<Run>,
}

/// What the console is pointed at. The same for every page of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// The target's name, as people call it.
    pub target: String,
    /// False when no target is configured.
    pub target_configured: bool,
    /// False when no hypervisor is configured.
    pub hypervisor_configured: bool,
    /// True in practice mode.
    pub practice: bool,
    /// True when a backend with AI does the turns, so that *Run without AI* is a choice.
    pub has_ai: bool,
    /// The longest silence of a stream that is well, in milliseconds: then comes a heartbeat.
    pub keepalive_ms: u64,
}

/// What a form without script left for the page that follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// Under which id it was left, so that a page which looks again by itself finds it again.
    pub id: String,
    /// What happened and what to do next.
    pub detail: String,
    /// The text that was typed, so that it is not lost.
    pub draft: String,
}

/// How many of the newest entries a page embeds.
pub const EMBEDDED_ENTRIES: u64 = 200;
/// About how many bytes of them, whichever is met first.
pub const EMBEDDED_BYTES: usize = 64 << 10;

/// Under which names a page finds the app's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetNames {
    /// The style sheet.
    pub css: String,
    /// The glue.
    pub js: String,
    /// The program.
    pub wasm: String,
}

/// The list of sessions, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionList {
    /// Those that were found, newest first.
    pub sessions: Vec<SessionSummary>,
    /// What was searched for; empty for nothing.
    pub q: String,
    /// True where those are listed that were put away.
    pub archived: bool,
    /// At most so many are listed.
    pub most: u64,
    /// With what the keys of the page's forms begin.
    pub key: String,
    /// True in practice mode.
    pub practice: bool,
}

/// The sign-in page, as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// True where people sign in by a code; else a proxy does it.
    pub by_code: bool,
    /// The code of the link that was opened.
    pub code: String,
    /// What went wrong.
    pub words: String,
    /// True in practice mode.
    pub practice: bool,
}
