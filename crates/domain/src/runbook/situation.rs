//! Weighs whether the target answers over SSH against what the hypervisor says, and decides whether a verb is recommended.
//!
//! **Invariant:** a verb is recommended only from what was seen: never while SSH answers, never while the fault may lie
//! before the target (a name that does not resolve, a key, this machine's own network).

use super::{
    Finding, Observation, Recommendation, Severity,
    contact::{Contact, Host},
    figures,
    hypervisor::{Machine, State},
};
use crate::verb::Verb;

/// A guest that started so recently may still be booting.
pub(crate) const BOOTING: u64 = 120;

/// Whether the target answers, and what the hypervisor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Situation {
    contact: Contact,
    host: Host,
    /// A preset that asks the hypervisor by itself wants to know whether a cycle is needed, also if it is not.
    asked: bool,
}

/// True when `ssh` says that it did not get as far as the target.
pub(crate) fn lies_before_the_target(why: &str) -> bool {
    let why = why.to_lowercase();
    ["resolve hostname", "name or service not known", "name resolution", "network is unreachable"]
        .iter()
        .any(|sign| why.contains(sign))
}

impl Situation {
    pub(super) fn of(observed: &[Observation]) -> Self {
        let (host, target): (Vec<_>, Vec<_>) =
            observed.iter().partition(|observation| observation.reading.of_hypervisor());
        let asked = !host.is_empty();
        Self { contact: Contact::of(&target), host: Host::of(&host), asked }
    }

    /// The same of what the console saw at one look, unasked.
    pub(crate) fn at_a_look(contact: Contact, host: Host) -> Self {
        Self { contact, host, asked: false }
    }

    /// What the situation is, and the verb that is recommended in it.
    pub(crate) fn findings(&self, target: &str) -> (Vec<Finding>, Option<Recommendation>) {
        let target = figures::plain(target, 64);
        let mut findings = Vec::new();
        let mut find = |severity, text: String, advice: Option<&str>| {
            findings.push(Finding { severity, text, advice: advice.map(str::to_owned) });
        };
        let ssh = match &self.contact {
            Contact::Untried => None,
            Contact::Answers { late, of } => {
                if *late >= 2 {
                    find(
                        Severity::Warning,
                        format!(
                            "{late} of {of} commands did not end in time: {target} answers, but slowly (disk, memory or CPU)"
                        ),
                        None,
                    );
                }
                None
            }
            Contact::Stuck { seconds } => Some(format!("SSH connects, but no command ends within {seconds} s")),
            Contact::Lost { why } => Some(format!("SSH answered and then stopped answering ({why})")),
            Contact::Silent { why } => Some(format!("SSH does not answer ({why})")),
            Contact::Refused { why } => {
                find(
                    Severity::Critical,
                    format!("SSH would not let the console in: {why}"),
                    Some(
                        "this says nothing about the target's health: set right the key, the host key or the configuration that is named, then try again",
                    ),
                );
                None
            }
        };
        match &self.host {
            Host::Says(machine) => {
                let (state, recommendation) = self.judge(&target, machine, ssh.as_deref());
                findings.extend(state);
                return (findings, recommendation);
            }
            Host::Silent { why } if ssh.is_some() => find(
                Severity::Critical,
                format!("neither SSH ({}) nor the hypervisor ({why}) answers", self.why()),
                Some(
                    "this is not this tool's case: the fault lies outside the VM. Check this machine's own network first, then the hypervisor at its own console (IPMI, iKVM or on site)",
                ),
            ),
            Host::Silent { why } => find(
                Severity::Warning,
                format!("the hypervisor does not answer ({why}): power operations will not work"),
                None,
            ),
            Host::Unclear { why } | Host::Refused { why } => {
                let text = format!("the hypervisor could not be asked: {why}");
                match ssh {
                    Some(ssh) => find(
                        Severity::Critical,
                        format!("{ssh}, and {text}"),
                        Some("look at the VM in the hypervisor's own interface"),
                    ),
                    None => find(Severity::Warning, text, None),
                }
            }
            Host::Unasked => {
                if let Some(ssh) = ssh {
                    find(Severity::Critical, ssh, Some("ask the hypervisor: status, in the VM controls"));
                }
            }
        }
        (findings, None)
    }

    fn why(&self) -> &str {
        match &self.contact {
            Contact::Lost { why } | Contact::Silent { why } | Contact::Refused { why } => why,
            Contact::Stuck { .. } => "no command ends",
            Contact::Untried | Contact::Answers { .. } => "",
        }
    }

    /// The hypervisor gave a status. `ssh` says what is wrong with SSH, if it was tried and does not work.
    fn judge(&self, target: &str, machine: &Machine, ssh: Option<&str>) -> (Vec<Finding>, Option<Recommendation>) {
        let answers = matches!(self.contact, Contact::Answers { .. });
        let untested = matches!(self.contact, Contact::Untried | Contact::Refused { .. });
        let finding = |severity, text: String, advice: Option<&str>| Finding {
            severity,
            text,
            advice: advice.map(str::to_owned),
        };
        let says = {
            let qmp = machine
                .qmpstatus
                .as_ref()
                .filter(|qmp| **qmp != machine.status)
                .map(|qmp| format!(" (QEMU: {qmp})"))
                .unwrap_or_default();
            let up = machine
                .uptime
                .filter(|_| machine.status == "running")
                .map(|up| format!(", up {}", figures::span(up)))
                .unwrap_or_default();
            format!("the hypervisor says {}{qmp}{up}", machine.status)
        };
        let mut findings = Vec::new();
        if let Some(lock) = &machine.lock {
            findings.push(finding(
                Severity::Warning,
                format!("the VM is locked by the hypervisor ({lock}): power operations are refused meanwhile"),
                Some("wait until the lock's task ends; if no such task runs any more, remove the lock on the hypervisor (qm unlock)"),
            ));
        }
        let state = State::of(machine);
        if answers {
            let severity = if state == State::Running { Severity::Note } else { Severity::Warning };
            let end = if state == State::Running {
                "so no cycle is needed"
            } else {
                "which does not fit together: ask once more"
            };
            if self.asked {
                findings.push(finding(severity, format!("SSH answers and {says}, {end}"), None));
            }
            return (findings, None);
        }
        let cycle = |because: String| Some(Recommendation { verb: Verb::Cycle, because });
        let with_ssh = ssh.map_or_else(|| says.clone(), |ssh| format!("{ssh} and {says}"));
        let (text, advice, recommendation) = match state {
            State::Stopped => (
                "the VM is stopped: start it".to_owned(),
                None,
                Some(Recommendation { verb: Verb::Start, because: format!("{says}; staged configuration is applied") }),
            ),
            State::Busy(what) => (
                format!("{with_ssh}: {what} is under way"),
                Some("wait until the hypervisor's task has ended, then run this again"),
                None,
            ),
            State::StorageError => (
                format!("{with_ssh}: QEMU paused the VM after an error of its storage, which is often full"),
                Some(
                    "look at the storage on the hypervisor first: until it has space and works, the VM will stop again",
                ),
                cycle(
                    "only a fresh QEMU process takes a VM out of io-error for certain; what it holds in memory is lost"
                        .to_owned(),
                ),
            ),
            State::Paused => (
                format!("{with_ssh}: its CPUs are held, by a person, a snapshot or a backup"),
                Some(
                    "if nothing was lost in it yet, qm resume on the hypervisor goes on where it stopped and loses nothing",
                ),
                cycle(
                    "no verb here resumes a paused VM, and a cycle gets it running; what it holds in memory is lost"
                        .to_owned(),
                ),
            ),
            State::Broken(what) => (
                format!("{with_ssh}: {what}"),
                None,
                cycle(format!("{what}, which only a fresh QEMU process cures; what the VM holds in memory is lost")),
            ),
            State::MonitorSilent => (
                format!("{with_ssh}, but QEMU's monitor does not answer: the QEMU process is wedged"),
                None,
                cycle("a wedged QEMU is cured only by a fresh process; what the VM holds in memory is lost".to_owned()),
            ),
            State::Unknown => (
                format!("{with_ssh}, which these rules do not know"),
                Some("look at the VM in the hypervisor's own interface"),
                None,
            ),
            State::Running if untested => (says, None, None),
            State::Running => return self.judge_running(target, machine, &with_ssh, findings),
        };
        findings.push(finding(
            if recommendation.is_some() || ssh.is_some() { Severity::Critical } else { Severity::Note },
            text,
            advice,
        ));
        // A lock makes the hypervisor refuse: a recommendation that cannot be followed is none. And a target that refuses
        // the console's key may be well for everybody else; so may one that the console's own network does not reach, as
        // long as no more is seen than a monitor that does not answer.
        let unseen = state == State::MonitorSilent && lies_before_the_target(self.why());
        let recommendation = recommendation.filter(|_| {
            machine.lock.is_none()
                && !unseen
                && (state == State::Stopped || !matches!(self.contact, Contact::Refused { .. }))
        });
        (findings, recommendation)
    }

    /// QEMU runs, and SSH does not work.
    fn judge_running(
        &self,
        target: &str,
        machine: &Machine,
        with_ssh: &str,
        mut findings: Vec<Finding>,
    ) -> (Vec<Finding>, Option<Recommendation>) {
        let why = self.why().to_lowercase();
        let (advice, because) = if lies_before_the_target(&why) {
            (
                Some(
                    "the connection did not get as far as the target: check this machine's network and the target's name; no cycle cures that",
                ),
                None,
            )
        } else if machine.uptime.is_some_and(|up| up < BOOTING) {
            (
                Some(
                    "the VM started moments ago and may still be booting: wait two minutes and run this again before any power operation",
                ),
                None,
            )
        } else {
            match &self.contact {
                Contact::Lost { .. } => (Some("run this once more; if SSH then does not answer at all, cycle"), None),
                // Its guest works, perhaps for everybody but us; a cycle would end that.
                Contact::Silent { .. } if machine.agent == Some(true) => (
                    Some(
                        "the guest agent answers, so the guest lives: look at sshd and the network at the VM's own console in the hypervisor; if nobody can, a cycle restarts all of it and loses what is in its memory",
                    ),
                    None,
                ),
                Contact::Stuck { .. } => (
                    Some("if it may only be overloaded, wait a minute and run this once more first"),
                    Some("QEMU runs, but the guest ends no command, so nothing can be repaired from inside"),
                ),
                _ if why.contains("refused") => (
                    Some(
                        "if somebody can log in at the VM's own console in the hypervisor, look at sshd there first: a refused connection means that the guest's kernel is alive",
                    ),
                    Some(
                        "QEMU runs and the guest's kernel answers, but nobody listens for SSH, so nothing can be repaired from here",
                    ),
                ),
                _ => (None, Some("QEMU runs, but the guest does not answer, so nothing can be repaired from inside")),
            }
        };
        let text = if because.is_some() && machine.lock.is_none() {
            format!("{with_ssh}: cycle recommended")
        } else {
            with_ssh.to_owned()
        };
        findings.push(Finding { severity: Severity::Critical, text, advice: advice.map(str::to_owned) });
        let recommendation = because.filter(|_| machine.lock.is_none()).map(|because| Recommendation {
            verb: Verb::Cycle,
            because: format!("{because}; what {target} holds in memory is lost"),
        });
        (findings, recommendation)
    }
}
