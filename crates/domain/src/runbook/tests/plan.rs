//! Which step comes next.

use super::*;
use crate::preset::Action;

/// What is done, step by step, if every step comes out as `outcome` says.
pub(super) fn course(steps: &[Step], outcome: impl Fn(usize, Reading) -> StepOutcome) -> Vec<Reading> {
    let mut observed = Vec::new();
    loop {
        let reading = match next(steps, &observed) {
            Next::Run { step, command } => {
                assert_eq!(step.action(), &Action::Command(command.to_owned()));
                step.reads()
            }
            Next::Verb { verb, reading, .. } => {
                assert!(!verb.mutates());
                reading
            }
            Next::Verdict => return observed.iter().map(|it: &Observation| it.reading).collect(),
        };
        observed.push(seen(reading, outcome(observed.len(), reading)));
        assert!(observed.len() <= steps.len() + 1, "a runbook ends");
    }
}

#[test]
fn steps_run_in_their_order() {
    for id in ["triage", "memory", "disk", "services", "qemu"] {
        let steps = preset(id);
        assert_eq!(course(&steps, |_, _| fine()), steps.iter().map(Step::reads).collect::<Vec<_>>());
    }
}

#[test]
fn after_an_unreachable_target_only_the_hypervisor_is_asked() {
    assert_eq!(course(&preset("triage"), |_, _| silent()), [Reading::Load, Reading::HypervisorStatus]);
    let lost_later = |at, reading: Reading| {
        if at == 2 && !reading.of_hypervisor() { silent() } else { fine() }
    };
    assert_eq!(
        course(&preset("memory"), lost_later),
        [Reading::Memory, Reading::Pressure, Reading::TopMemory, Reading::HypervisorStatus]
    );
    let target_only = |_, reading: Reading| if reading.of_hypervisor() { fine() } else { silent() };
    assert_eq!(course(&preset("qemu"), target_only), [Reading::Answers, Reading::HypervisorStatus, Reading::Forensics]);
}

#[test]
fn a_silent_hypervisor_is_not_asked_twice() {
    assert_eq!(course(&preset("qemu"), |_, _| silent()), [Reading::Answers, Reading::HypervisorStatus]);
}

#[test]
fn one_time_out_does_not_end_the_run_and_three_do() {
    let once = |at, _| if at == 1 { late() } else { fine() };
    assert_eq!(course(&preset("disk"), once).len(), 4);
    let host_only = |_, reading: Reading| if reading.of_hypervisor() { fine() } else { late() };
    assert_eq!(
        course(&preset("triage"), host_only),
        [Reading::Load, Reading::Memory, Reading::Pressure, Reading::HypervisorStatus]
    );
}
