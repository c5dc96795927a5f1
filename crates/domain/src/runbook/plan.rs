//! Which step comes next. Knows nothing of what the output says.
//!
//! Steps go in order. **Unreachable** (nobody answers) and **refused** mean the same for every further command, and each
//! would cost a connection's 10 s, so the rest is passed over. **Timed out** means that somebody answers, slowly: the next,
//! smaller question may be answered, so the run goes on, until [`TIMEOUTS_IN_A_ROW`] say that it will not. A target that
//! is given up for lost is a question for the hypervisor, whose steps are kept; a runbook that has none gets `status`.

use super::{Observation, Reading, StepOutcome};
use crate::{
    preset::{Action, Step},
    verb::Verb,
};

/// After so many time-outs in a row no further command is tried: one of 20 s each is what a person can be asked to wait.
pub(super) const TIMEOUTS_IN_A_ROW: usize = 3;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// Run a command on the target.
    Run {
        /// The step.
        step: &'a Step,
        /// Its command.
        command: &'a str,
    },
    /// Ask the hypervisor.
    Verb {
        /// What to ask; never a verb that mutates.
        verb: Verb,
        /// What to call it in the transcript.
        title: &'a str,
        /// The rule that reads the answer.
        reading: Reading,
    },
    /// All is observed that will be: conclude.
    Verdict,
}

/// What comes after the observations, which are those of this runbook in the order in which they were made.
pub fn next<'a>(steps: &'a [Step], observed: &[Observation]) -> Next<'a> {
    let mut observed = observed.iter();
    let mut course = Course::default();
    for step in steps {
        if course.passes_over(step.action()) {
            continue;
        }
        let Some(observation) = observed.next() else {
            return match step.action() {
                Action::Command(command) => Next::Run { step, command },
                Action::Verb(verb) => Next::Verb { verb: *verb, title: step.title(), reading: step.reads() },
            };
        };
        course.take(step, &observation.outcome);
    }
    if course.target_lost && !course.hypervisor_asked && observed.next().is_none() {
        return Next::Verb { verb: Verb::Status, title: "Hypervisor status", reading: Reading::HypervisorStatus };
    }
    Next::Verdict
}

/// What the observations so far mean for the steps to come.
#[derive(Default)]
struct Course {
    target_lost: bool,
    timeouts: usize,
    hypervisor_asked: bool,
    hypervisor_lost: bool,
}

impl Course {
    fn passes_over(&self, action: &Action) -> bool {
        match action {
            Action::Command(_) => self.target_lost,
            Action::Verb(_) => self.hypervisor_lost,
        }
    }

    fn take(&mut self, step: &Step, outcome: &StepOutcome) {
        let lost = matches!(outcome, StepOutcome::Unreachable { .. } | StepOutcome::Refused { .. });
        match step.action() {
            Action::Verb(_) => {
                self.hypervisor_asked = true;
                self.hypervisor_lost |= lost;
            }
            Action::Command(_) => {
                let timed_out = matches!(outcome, StepOutcome::TimedOut { .. });
                self.timeouts = if timed_out { self.timeouts + 1 } else { 0 };
                self.target_lost |= lost || self.timeouts >= TIMEOUTS_IN_A_ROW;
            }
        }
    }
}
