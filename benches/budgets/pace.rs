//! Lines at a pace: this program in the place of the Claude Code CLI. It says `stream-json` texts with the time at which
//! each was written, as many, as fast and as long as the prompt asks. It knows as much of the protocol as a turn needs.

use std::{
    io::{BufRead, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::samples::now_ns;

/// The name under which this program is the CLI.
pub const NAME: &str = "claude";

/// How many lines, how many of them a second, and how long the text of each is, in bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Pace {
    pub count: u64,
    pub per_second: u64,
    pub bytes: usize,
}

/// What stands in a text: the line's number and when it was written, in nanoseconds since 1970.
#[derive(Clone, Copy)]
pub struct Mark {
    pub number: u64,
    pub written_ns: u64,
}

const NUMBER: &[u8] = b"\"mark ";

impl Pace {
    /// The prompt that asks for it.
    pub fn prompt(self) -> String {
        format!("PACE {}", json!(self))
    }

    /// The line on standard input that asks for it.
    pub fn message(self) -> String {
        claude_cli::control::message(&self.prompt(), "bench")
    }

    fn asked_in(message: &str) -> Option<Pace> {
        serde_json::from_str(message.strip_prefix("PACE ")?).ok()
    }
}

impl Mark {
    fn text(self, bytes: usize) -> String {
        format!("{:<bytes$}", format!("mark {} {} ", self.number, self.written_ns))
    }

    /// The mark in a line of JSON that holds such a text.
    pub fn find(line: &[u8]) -> Option<Mark> {
        let at = line.windows(NUMBER.len()).position(|window| window == NUMBER)?;
        let mut words = line[at + NUMBER.len()..].split(|byte| *byte == b' ');
        let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
        Some(Mark { number: number()?, written_ns: number()? })
    }
}

/// The path of a program that is this one under the CLI's name.
pub fn program(folder: &Path) -> std::io::Result<PathBuf> {
    let link = folder.join(NAME);
    if !link.exists() {
        symlink(std::env::current_exe()?, &link)?;
    }
    Ok(link)
}

/// Is the CLI, until its standard input ends.
pub fn run() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let conversation = args.iter().skip_while(|arg| !matches!(&***arg, "--session-id" | "--resume")).nth(1);
    let conversation = conversation.cloned().unwrap_or_default();
    for line in std::io::stdin().lock().lines() {
        let Ok(message) = line.map_err(drop).and_then(|line| serde_json::from_str::<Value>(&line).map_err(drop)) else {
            return ExitCode::FAILURE;
        };
        let asked = message["message"]["content"].as_str().and_then(Pace::asked_in);
        // Whoever does not listen any more has ended this.
        if asked.is_some_and(|pace| turn(&conversation, pace).is_err()) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn turn(conversation: &str, pace: Pace) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut say = |line: &str| writeln!(out, "{line}").and_then(|()| out.flush());
    let init = json!({
        "type": "system", "subtype": "init", "session_id": conversation, "model": "pace", "tools": [],
        "permissionMode": "bypassPermissions",
    });
    say(&init.to_string())?;
    let begun = Instant::now();
    for number in 0..pace.count {
        let due = Duration::from_nanos(1_000_000_000 / pace.per_second * number);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        let text = Mark { number, written_ns: now_ns() }.text(pace.bytes);
        // By hand, so that the time in it is that of writing it.
        say(&format!(
            r#"{{"type":"assistant","message":{{"id":"m{number}","role":"assistant","model":"pace","content":[{{"type":"text","text":"{text}"}}]}},"parent_tool_use_id":null,"session_id":"{conversation}"}}"#
        ))?;
    }
    let result = json!({
        "type": "result", "subtype": "success", "is_error": false, "result": "done", "session_id": conversation,
        "total_cost_usd": 0,
    });
    say(&result.to_string())
}
