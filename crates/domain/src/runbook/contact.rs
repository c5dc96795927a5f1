//! Who answered: the target over SSH, and the hypervisor. Judges nothing.

use super::{Observation, StepOutcome, figures, hypervisor::Machine, plan::TIMEOUTS_IN_A_ROW, sections::Sections};

/// Whether the target answers over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Contact {
    /// No command was tried.
    Untried,
    /// Commands ended, some perhaps too late.
    Answers { late: usize, of: usize },
    /// The connection comes about, but no command ends.
    Stuck { seconds: u32 },
    /// It answered, and then did not.
    Lost { why: String },
    /// Nobody answers.
    Silent { why: String },
    /// It answers and will not let the console in, or there is nothing to ask.
    Refused { why: String },
}

impl Contact {
    /// What the outcomes on the target say together; it is lost with the first that is.
    pub(super) fn of(target: &[&Observation]) -> Self {
        let mut ended = 0;
        let mut late = 0;
        let mut limit = 0;
        let mut in_a_row = 0;
        for observation in target {
            match &observation.outcome {
                StepOutcome::Exited { .. } => {
                    ended += 1;
                    in_a_row = 0;
                }
                StepOutcome::TimedOut { seconds } => {
                    late += 1;
                    in_a_row += 1;
                    limit = *seconds;
                }
                StepOutcome::Unreachable { why } if ended > 0 => {
                    return Contact::Lost { why: figures::plain(why, 160) };
                }
                StepOutcome::Unreachable { why } => {
                    return Contact::Silent { why: figures::plain(why, 160) };
                }
                StepOutcome::Refused { why } => {
                    return Contact::Refused { why: figures::plain(why, 160) };
                }
            }
        }
        match (ended, late) {
            (0, 0) => Contact::Untried,
            (0, _) => Contact::Stuck { seconds: limit },
            _ if in_a_row >= TIMEOUTS_IN_A_ROW => Contact::Stuck { seconds: limit },
            _ => Contact::Answers { late, of: target.len() },
        }
    }
}

/// Whether the hypervisor answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Unasked,
    Says(Machine),
    /// It answered, but gave no status.
    Unclear {
        why: String,
    },
    Silent {
        why: String,
    },
    Refused {
        why: String,
    },
}

impl Host {
    /// The status, or the forensics where that gave none; else why there is neither.
    pub(super) fn of(host: &[&Observation]) -> Self {
        let mut why = Host::Unasked;
        for observation in host {
            match &observation.outcome {
                StepOutcome::Exited { output, .. } => {
                    let output = Sections::of(output);
                    match Machine::of(&output) {
                        Some(machine) => return Host::Says(machine),
                        None => why = Host::Unclear { why: output.unreadable() },
                    }
                }
                StepOutcome::TimedOut { seconds } => {
                    why = Host::Unclear { why: format!("no answer within {seconds} s") }
                }
                StepOutcome::Unreachable { why: text } => why = Host::Silent { why: figures::plain(text, 160) },
                StepOutcome::Refused { why: text } => why = Host::Refused { why: figures::plain(text, 160) },
            }
        }
        why
    }
}
