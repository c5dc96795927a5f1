//! The way back up after a mutation: heard from the words of the host's script while it runs, and then seen.
//!
//! The words are those of `deploy/pve/breakglass-pve`; `tests/host/words.rs` holds the script to them.

use super::{Reached, WayStep, WayUp};
use crate::{
    ids::{Millis, RunId, duration_text},
    verb::Verb,
};

/// Hears from a run's standard output how far it has come.
#[derive(Clone, Debug)]
pub struct Listener {
    verb: Verb,
    /// The beginning of a line whose end has not come yet.
    rest: String,
    /// In the capture stand other people's words.
    in_capture: bool,
}

/// The longest line that is listened to; the script's own are far shorter.
const LONGEST_LINE: usize = 4096;

impl Listener {
    /// Listens to a run of this verb.
    pub fn new(verb: Verb) -> Self {
        Self { verb, rest: String::new(), in_capture: false }
    }

    /// Takes the next piece, which need not end at a line's end, and says what was reached in it.
    pub fn hear(&mut self, piece: &str) -> Vec<Reached> {
        let mut reached = Vec::new();
        for part in piece.split_inclusive('\n') {
            if self.rest.len() < LONGEST_LINE {
                self.rest.push_str(part);
            }
            if part.ends_with('\n') {
                let line = std::mem::take(&mut self.rest);
                reached.extend(self.line(line.trim_end()));
            }
        }
        reached
    }

    fn line(&mut self, line: &str) -> Option<Reached> {
        if line == "== end of forensics ==" {
            self.in_capture = false;
            return Some(Reached::Captured);
        }
        self.in_capture |= line.starts_with("== ") && line.ends_with(" ==");
        if self.in_capture {
            return None;
        }
        let said = line.strip_prefix(self.verb.as_str())?.strip_prefix(": ")?;
        let done = said.strip_prefix("done: ");
        let of_vm = done.unwrap_or(said).strip_prefix("VM ").and_then(|rest| rest.split_once(' '));
        match (said.split_once(" VM "), of_vm, done.is_some()) {
            (Some(("starting" | "resetting", _)), _, _) => Some(Reached::Starting),
            (_, Some((_, "is stopped" | "was stopped already")), _) => Some(Reached::Stopped),
            (_, Some((_, "is running" | "was reset and is running")), true) => Some(Reached::Running),
            (_, Some((_, rest)), true) if rest.starts_with("was running already") => Some(Reached::Running),
            _ => None,
        }
    }
}

impl WayUp {
    /// A run that begins now.
    pub fn begun(run_id: RunId, verb: Verb, began: Millis) -> Self {
        Self { run_id, verb, began, steps: Vec::new(), over: false, failed: false }
    }

    /// Takes note that something was reached, unless it, or what comes after it, was reached before.
    pub fn reach(&mut self, reached: Reached, at: Millis) {
        if self.steps.last().is_none_or(|last| last.reached < reached) {
            self.steps.push(WayStep { reached, at });
        }
    }

    /// True when this was reached.
    pub fn has(&self, reached: Reached) -> bool {
        self.steps.iter().any(|step| step.reached == reached)
    }

    /// The times in one line, each counted from the beginning of the run; nothing where nothing was reached.
    pub fn times(&self) -> Option<String> {
        let word = |reached| match reached {
            Reached::Captured => "evidence taken",
            Reached::Stopped => "stopped",
            Reached::Starting if self.verb == Verb::Reset => "reset",
            Reached::Starting => "starting",
            Reached::Running => "running",
            Reached::Ssh => "SSH answering",
        };
        let steps: Vec<_> = self
            .steps
            .iter()
            .map(|step| format!("{} after {}", word(step.reached), duration_text(step.at.since(self.began))))
            .collect();
        (!steps.is_empty()).then(|| format!("the {}: {}", self.verb, steps.join(", ")))
    }
}
