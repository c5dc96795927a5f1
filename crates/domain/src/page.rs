//! All that the console's page needs for its first paint. The server renders from it and embeds it as JSON; the
//! browser hydrates from the same value, so that the two cannot differ.

use serde::{Deserialize, Serialize};

use crate::{
    call::{Run, RunSummary, SessionSummary},
    event::Entry,
    ids::{Millis, RunId},
    preset::PresetSummary,
    probe::TargetStatus,
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
    /// What there is to say of the console's disk, while it is nearly full.
    #[serde(default)]
    pub disk: Option<String>,
    /// What the server rendered of it by itself. It is in the page already, so it is not embedded a second time.
    #[serde(skip)]
    pub parts: PageParts,
}

/// The parts of the page that are the server's alone, as HTML: nothing of them is in what a phone has to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageParts {
    /// The verdict in a line, under the header.
    pub glance: String,
    /// The VM sheet.
    pub sheet: String,
    /// The run that is under way, for which a page without script looks again by itself.
    pub under_way: Option<RunId>,
}

/// A part of the VM sheet that can be had by itself: `GET /part/…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The status strip, and the verdict in a line that stands for it where there is no room.
    Strip,
    /// The run that is looked at.
    Run,
    /// The history of runs.
    Runs,
    /// The verbs with their confirmations, and the lock.
    Verbs,
}

/// All that the parts show.
#[derive(Clone, Debug, PartialEq)]
pub struct Controls {
    /// What is being rescued, and through what.
    pub surroundings: Surroundings,
    /// What is known of the target.
    pub status: TargetStatus,
    /// The run that is looked at, with its output so far.
    pub run: Option<Run>,
    /// The newest runs, newest first.
    pub runs: Vec<RunSummary>,
    /// The session that the forms belong to; empty where there is none yet.
    pub session: String,
    /// The idempotency key of the forms, until a script makes one per intent.
    pub key: String,
    /// True while a look is under way that began before this was rendered.
    pub looking: bool,
    /// When this is rendered, so that all ages are counted from one moment.
    pub now: Millis,
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
    /// The small script beside it: what is only a call to the browser.
    pub comfort: String,
}

/// On which ground a person wants to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As their device asks for it.
    #[default]
    Auto,
    /// On dark ground, whatever their device asks for.
    Dark,
    /// On light ground.
    Light,
}

impl Theme {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Theme; 3] = [Theme::Auto, Theme::Dark, Theme::Light];

    /// Its name, in a form, a cookie and the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Dark => "dark",
            Theme::Light => "light",
        }
    }

    /// The one of this name; what is none is as the device asks for it.
    pub fn named(name: &str) -> Self {
        Theme::ALL.into_iter().find(|theme| theme.as_str() == name).unwrap_or_default()
    }
}

/// What stands around every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The app's files.
    pub names: AssetNames,
    /// The ground.
    pub theme: Theme,
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
