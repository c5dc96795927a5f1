//! What the hypervisor says, out of what came of asking it for a status. The status itself is read by the runbook's rule.

use super::HostSays;
use crate::runbook::{StepOutcome, contact::Host, figures, hypervisor::Machine, sections::Sections};

/// How much of somebody else's words is kept.
const WHY: usize = 160;

impl HostSays {
    /// Reads what came of `status`.
    pub fn of(outcome: &StepOutcome) -> Self {
        match outcome {
            StepOutcome::Exited { output, .. } => {
                let output = Sections::of(output);
                match Machine::of(&output) {
                    Some(machine) => Self::answers(machine),
                    None => HostSays::Unclear { why: output.unreadable() },
                }
            }
            StepOutcome::TimedOut { seconds } => HostSays::Silent { why: format!("no answer within {seconds} s") },
            StepOutcome::Unreachable { why } => HostSays::Silent { why: figures::plain(why, WHY) },
            StepOutcome::Refused { why } => HostSays::Refused { why: figures::plain(why, WHY) },
        }
    }

    fn answers(machine: Machine) -> Self {
        let Machine { status, qmpstatus, lock, uptime, monitor, agent } = machine;
        let runs = status == "running";
        HostSays::Answers {
            vm: qmpstatus.filter(|_| runs).unwrap_or(status),
            uptime: uptime.filter(|_| runs),
            monitor: monitor.filter(|_| runs),
            agent: agent.filter(|_| runs),
            vm_lock: lock,
        }
    }

    /// The VM as the rules take it, where there was a status.
    pub(super) fn machine(&self) -> Option<Machine> {
        let HostSays::Answers { vm, uptime, monitor, agent, vm_lock } = self else {
            return None;
        };
        // QEMU's word for why the guest does not run is said of a VM that is there.
        let held = !matches!(vm.as_str(), "running" | "stopped");
        Some(Machine {
            status: if held { "running".to_owned() } else { vm.clone() },
            qmpstatus: Some(vm.clone()),
            lock: vm_lock.clone(),
            uptime: *uptime,
            monitor: *monitor,
            agent: *agent,
        })
    }

    /// The same as the rules take it.
    pub(super) fn contact(&self) -> Host {
        match self {
            HostSays::Answers { .. } => self.machine().map_or(Host::Unasked, Host::Says),
            HostSays::Unclear { why } => Host::Unclear { why: why.clone() },
            HostSays::Refused { why } => Host::Refused { why: why.clone() },
            HostSays::Silent { why } => Host::Silent { why: why.clone() },
        }
    }
}
