//! The power operations: which there are, which of them mutate, when one may run, and what became of it.
//!
//! **Invariant:** at most one mutation per target at a time, and none after one whose outcome nobody knows, until
//! somebody looked (`status`) or said so (`override`). [`admit`] decides; `server/power` acts.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::ids::{Millis, RunId};

/// One whitelisted power operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Asks the hypervisor what state the VM is in.
    Status,
    /// Captures the evidence.
    Forensics,
    /// Starts a VM that is down.
    Start,
    /// Stops it, hard.
    Stop,
    /// Warm: the QEMU process stays.
    Reset,
    /// Stop, then start: a fresh QEMU process, which applies staged configuration and cures a wedged QEMU.
    Cycle,
}

impl Verb {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Verb; 6] = [Verb::Status, Verb::Forensics, Verb::Start, Verb::Stop, Verb::Reset, Verb::Cycle];

    /// True for those that change the VM's state.
    pub fn mutates(self) -> bool {
        matches!(self, Verb::Start | Verb::Stop | Verb::Reset | Verb::Cycle)
    }

    /// True for those that the host runs under an id and keeps; a status is asked for too often, and repeats nothing.
    pub fn is_kept(self) -> bool {
        self != Verb::Status
    }

    /// Its one spelling: in URLs, in JSON and on the wire to the hypervisor.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Status => "status",
            Verb::Forensics => "forensics",
            Verb::Start => "start",
            Verb::Stop => "stop",
            Verb::Reset => "reset",
            Verb::Cycle => "cycle",
        }
    }

    /// What it does, in a line for its button.
    pub fn explains(self) -> &'static str {
        match self {
            Verb::Status => "Asks the hypervisor what state the VM is in. Changes nothing.",
            Verb::Forensics => "Captures the evidence: VM state, configuration, host load. Changes nothing.",
            Verb::Start => "Starts the VM when it is down.",
            Verb::Stop => "Pulls the plug. The VM stays down until it is started.",
            Verb::Reset => "Presses the reset button: the guest reboots. Does not cure a wedged QEMU.",
            Verb::Cycle => "Turns the VM off and on again. Cures a wedged QEMU, which a reset does not.",
        }
    }

    /// What is asked before it runs, for those that mutate: what will happen and what will be lost.
    pub fn warning(self, target: &str) -> Option<String> {
        match self {
            Verb::Status | Verb::Forensics => None,
            Verb::Start => Some(format!("This starts {target}. Staged configuration is applied.")),
            Verb::Stop => {
                Some(format!("This stops {target} at once, and it stays down. What is in its memory is lost."))
            }
            Verb::Reset => Some(format!("This reboots {target} at once. What is in its memory is lost.")),
            Verb::Cycle => Some(format!(
                "This stops {target} and starts it again. What is in its memory is lost; staged configuration is applied."
            )),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is none of the six.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVerb;

impl fmt::Display for UnknownVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown verb: the verbs are status, forensics, start, stop, reset and cycle")
    }
}

impl std::error::Error for UnknownVerb {}

impl FromStr for Verb {
    type Err = UnknownVerb;
    fn from_str(text: &str) -> Result<Self, UnknownVerb> {
        Verb::ALL.into_iter().find(|verb| verb.as_str() == text).ok_or(UnknownVerb)
    }
}

/// What became of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was carried through to its end; the exit code says with what result.
    Done,
    /// Nothing was done.
    Refused,
    /// Nobody knows: it was sent, and no answer came back.
    Unknown,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
            Outcome::Unknown => "unknown",
        })
    }
}

impl Outcome {
    /// An outcome as a person reads it, and under which look.
    pub fn told(self, exit_code: Option<i32>) -> (&'static str, String) {
        match (self, exit_code) {
            (Outcome::Done, Some(0) | None) => ("ended", "done".into()),
            (Outcome::Done, Some(code)) => ("failed", format!("failed, exit code {code}")),
            (Outcome::Refused, _) => ("failed", "refused, nothing was done".into()),
            (Outcome::Unknown, _) => ("unknown", "outcome unknown: check with status".into()),
        }
    }
}

/// How the attempt to run a verb on the hypervisor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostEnd {
    /// The host answered with this exit code.
    Exited(i32),
    /// The verb did not leave this machine.
    NotSent,
    /// It was sent, and the connection was lost or the time was up before an answer came.
    Lost,
}

/// The host script's exit codes for "carried through": well, or with a failure that it names.
pub const EXIT_DONE: i32 = 0;
/// See [`EXIT_DONE`].
pub const EXIT_FAILED: i32 = 1;
/// The host script's exit code for "I will not": a bad verb, a bad configuration.
pub const EXIT_REFUSED: i32 = 64;
/// The host script's exit code for "another mutation is under way".
pub const EXIT_BUSY: i32 = 75;

/// The outcome that follows from how it ended.
pub fn outcome_of(end: &HostEnd) -> Outcome {
    match end {
        HostEnd::Exited(EXIT_DONE | EXIT_FAILED) => Outcome::Done,
        HostEnd::Exited(EXIT_REFUSED | EXIT_BUSY) | HostEnd::NotSent => Outcome::Refused,
        // The script gives no other code: it, or what should have run it, was killed or is not there.
        HostEnd::Exited(_) | HostEnd::Lost => Outcome::Unknown,
    }
}

/// A mutation that stands in the way of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutation {
    /// Its run.
    pub run_id: RunId,
    /// Which verb.
    pub verb: Verb,
    /// Who asked for it.
    pub by: String,
    /// Since when.
    pub started: Millis,
}

/// A lock that forbids mutations until an operator lifts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Who set it.
    pub by: String,
    /// Since when.
    pub since: Millis,
    /// Why, in the words of who set it; may be empty.
    pub why: String,
}

/// What is known about a target's mutations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mutations {
    /// The one that runs.
    pub running: Option<Mutation>,
    /// The last one, if nobody knows what became of it and nobody has looked since.
    pub unknown: Option<Mutation>,
    /// Since when that is so: a look that began earlier may have seen what was before.
    pub unknown_since: Millis,
    /// An unknown one that the running one was begun in spite of: unknown again, should that come to nothing.
    pub overridden: Option<Mutation>,
    /// The lock that an operator set.
    pub lock: Option<Lock>,
}

/// How a run ended, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What became of it.
    pub outcome: Outcome,
    /// The host's exit code, where it gave one.
    pub exit_code: Option<i32>,
    /// When it began.
    pub started: Millis,
    /// When it ended.
    pub ended: Millis,
}

/// Why a verb was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another mutation runs.
    MutationRunning(Mutation),
    /// The outcome of the last one is unknown.
    OutcomeUnknown(Mutation),
    /// An operator locked the target.
    Locked(Lock),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::MutationRunning(Mutation { verb, by, started, .. }) => {
                write!(f, "{verb} is already running for {by} since {} UTC: wait for its end", started.utc_clock())
            }
            Refused::OutcomeUnknown(Mutation { verb, by, started, .. }) => write!(
                f,
                "nobody knows what became of the {verb} that {by} began at {} UTC: check with status first, or override",
                started.utc_clock()
            ),
            Refused::Locked(Lock { by, since, why }) => {
                write!(f, "{by} locked the target at {} UTC", since.utc_clock())?;
                if !why.is_empty() {
                    write!(f, " ({why})")?;
                }
                f.write_str(": lift the lock first")
            }
        }
    }
}

/// Decides whether a verb may run now. What does not mutate always may.
pub fn admit(verb: Verb, override_unknown: bool, mutations: &Mutations) -> Result<(), Refused> {
    if !verb.mutates() {
        return Ok(());
    }
    if let Some(running) = &mutations.running {
        return Err(Refused::MutationRunning(running.clone()));
    }
    if let Some(lock) = &mutations.lock {
        return Err(Refused::Locked(lock.clone()));
    }
    match &mutations.unknown {
        Some(unknown) if !override_unknown => Err(Refused::OutcomeUnknown(unknown.clone())),
        _ => Ok(()),
    }
}

impl Mutations {
    /// A verb that was let in begins.
    pub fn begin(&mut self, mutation: Mutation) {
        if mutation.verb.mutates() {
            self.overridden = self.unknown.take();
            self.running = Some(mutation);
        }
    }

    /// A run ends. A `status` that was answered counts as having looked.
    pub fn end(&mut self, run_id: &RunId, verb: Verb, ending: Ending) {
        let Ending { outcome, exit_code, started, ended } = ending;
        let looked = verb == Verb::Status && outcome == Outcome::Done && exit_code == Some(0);
        if verb.mutates() {
            if let Some(mutation) = self.running.take_if(|running| running.run_id == *run_id) {
                let overridden = self.overridden.take();
                self.unknown = match outcome {
                    Outcome::Done => None,
                    Outcome::Refused => overridden,
                    Outcome::Unknown => {
                        self.unknown_since = ended;
                        Some(mutation)
                    }
                };
            }
        } else if looked && started >= self.unknown_since {
            (self.unknown, self.overridden) = (None, None);
        }
    }

    /// What became of a mutation whose outcome was unknown has come to be known.
    pub fn resolve(&mut self, run_id: &RunId) {
        for known in [&mut self.unknown, &mut self.overridden] {
            known.take_if(|mutation| mutation.run_id == *run_id);
        }
    }
}

#[cfg(test)]
mod tests;
