//! What the program and the keeper say to each other: one JSON object per line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the program tells the keeper.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Start the CLI. It is the first order and comes once.
    Launch(Box<Launch>),
    /// Write a line to its standard input.
    Say(String),
    /// Close its standard input: a CLI that was told all ends by itself.
    CloseInput,
    /// End what it has started and left behind; the CLI itself stays.
    Sweep,
    /// End all of it. The end of the orders means the same.
    End,
}

/// A CLI to start. It has no `Debug` that shows its key.
#[derive(Serialize, Deserialize)]
pub struct Launch {
    /// The CLI's program.
    pub program: PathBuf,
    /// Its arguments. Never the prompt: an argv can be read by everybody on the machine.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, String)>,
    /// Its working directory.
    pub dir: PathBuf,
    /// The API key, which reaches it through a pipe and stands in no environment.
    pub key: Option<String>,
    /// The largest file that it and whatever it starts may write, in bytes.
    pub file_bytes: Option<u64>,
}

impl std::fmt::Debug for Launch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launch").field("program", &self.program).field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What the keeper tells the program.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// A piece of the CLI's standard error.
    Stderr(String),
    /// The answer to [`Order::Sweep`].
    Swept(Swept),
    /// All is over. It is the last report.
    Ended(Ended),
    /// The CLI could not be started.
    Failed {
        /// Why.
        error: String,
    },
}

/// What a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// What was ended.
    pub ended: Vec<Process>,
    /// What could not be ended: of another user, stuck in the kernel, or faster at forking than it can be found.
    pub left: Vec<Process>,
    /// How many more there were than are named.
    pub more: usize,
}

/// A process as a person knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its command line, cut.
    pub command: String,
}

/// How it all ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The CLI's exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What had to be ended beside the CLI.
    pub swept: Swept,
    /// True when the keeper itself says so. Else it was killed, and what it would have ended may run on.
    pub told: bool,
}
