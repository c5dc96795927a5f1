//! The runbook: what a preset runs when there is no AI, which step comes next, and the verdict by rules.
//!
//! A walk: [`next`] looks at the steps and at what was observed and says what to do; the server does it, shows it and
//! adds an [`Observation`]; when nothing is left, [`verdict`] reads them all. Both are pure: the time is the target's own,
//! taken from its output. Each rule is a file named after what it reads ([`Reading`]).
//!
//! **Invariant:** output is other people's text. No text makes a rule panic; what a rule does not understand is reported
//! as not checked, never as sound.

mod finding;
mod plan;
mod verdict;

pub(crate) mod figures;
pub(crate) mod sections;

pub(crate) mod contact;
pub(crate) mod filesystems;
pub(crate) mod hypervisor;
mod kernel_log;
pub(crate) mod load;
pub(crate) mod memory;
mod oom;
mod services;
pub(crate) mod situation;
mod space;
mod swap;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::verb::Verb;

pub use finding::{Finding, Severity};
pub use plan::{Next, next};
pub use verdict::{Recommendation, Verdict, verdict};

/// Which rule reads a step's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Load for the number of CPUs, uptime, clock, process and file limits, blocked processes, zombies.
    Load,
    /// `/proc/meminfo`.
    Memory,
    /// `/proc/pressure/*`.
    Pressure,
    /// The largest processes.
    TopMemory,
    /// What the OOM killer took, and when.
    OomKills,
    /// Swap areas, swap traffic, who is swapped out.
    Swaps,
    /// Space, inodes and read-only mounts.
    Filesystems,
    /// The biggest things under the fullest filesystem.
    BiggestFiles,
    /// What can be cleared without losing data.
    Clearable,
    /// Deleted files that are still held open.
    DeletedOpen,
    /// systemd's state and failed units.
    FailedUnits,
    /// Jobs that do not finish and units that keep changing.
    StuckUnits,
    /// What the units in trouble last said.
    UnitJournal,
    /// What the kernel complained about.
    KernelLog,
    /// Whether the target answers at all.
    Answers,
    /// The hypervisor's `status`.
    HypervisorStatus,
    /// The hypervisor's `forensics`.
    Forensics,
    /// No rule: the output is only shown.
    #[serde(rename = "none")]
    Nothing,
}

impl Reading {
    /// The rule for what a verb answers; none for those that mutate.
    pub fn of_verb(verb: Verb) -> Option<Self> {
        match verb {
            Verb::Status => Some(Self::HypervisorStatus),
            Verb::Forensics => Some(Self::Forensics),
            Verb::Start | Verb::Stop | Verb::Reset | Verb::Cycle => None,
        }
    }

    /// True for what the hypervisor says, false for what the target says.
    pub fn of_hypervisor(self) -> bool {
        matches!(self, Self::HypervisorStatus | Self::Forensics)
    }
}

/// One step that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The rule that reads it.
    pub reading: Reading,
    /// The step's title.
    pub title: String,
    /// What came of it.
    pub outcome: StepOutcome,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It ended by itself.
    Exited {
        /// The command's own exit code.
        code: i32,
        /// What it printed, stderr included or not.
        output: String,
        /// True if the output was longer than is kept.
        truncated: bool,
    },
    /// It was ended after its time limit: somebody answered, but too slowly.
    TimedOut {
        /// The limit.
        seconds: u32,
    },
    /// Nobody answered: no connection came about, or it was lost.
    Unreachable {
        /// What the connection's program said.
        why: String,
    },
    /// Somebody answered and would not: no permission, another host key, or nothing is configured.
    Refused {
        /// What to change.
        why: String,
    },
}
