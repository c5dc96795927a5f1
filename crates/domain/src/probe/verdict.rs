//! The strip's verdict: what the last look at the hypervisor and the last look at the target mean together.
//!
//! Thresholds, the states of a VM and the recommended verb are the runbook's, so that the strip and the presets cannot
//! disagree. **Invariant:** as there, a verb is recommended only from what was seen: never while SSH answers, never while
//! the fault may lie before the target.

use super::{ChangedKey, Disk, Figures, HostLook, HostSays, KeyHost, SshLook, SshSays, Standing, Verdict, WayUp};
use crate::{
    ids::Millis,
    runbook::{
        Severity,
        contact::{Contact, Host},
        figures::{self, plain},
        filesystems,
        hypervisor::{Machine, State},
        load, memory,
        situation::{BOOTING, Situation, lies_before_the_target},
    },
    verb::Verb,
};

/// All that was seen, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The target's name.
    pub target: &'a str,
    /// What the configuration says to use where this tool is no help.
    pub fallback: Option<&'a str>,
    /// The last look at the hypervisor; none where there is no hypervisor.
    pub hypervisor: Option<&'a HostLook>,
    /// The last look at the target; none where there is no target.
    pub ssh: Option<&'a SshLook>,
    /// Since when SSH names itself and ends no command, while that is so.
    pub banner_since: Option<Millis>,
    /// The mutation that runs.
    pub running: Option<Verb>,
    /// The way up after the last one.
    pub way_up: Option<&'a WayUp>,
    /// Host keys that are not those that were pinned.
    pub changed_keys: &'a [ChangedKey],
    /// The time.
    pub now: Millis,
}

/// A target that ends no command at one look may only be slow; it is stuck when it has been so for this long, in
/// milliseconds. A look waits for less than a preset does.
const STUCK: u64 = 60_000;
/// From so many per cent on, a disk counts as full.
const FULL: u64 = 95;

/// What all of it means; nothing before the first look.
pub fn verdict(seen: &Seen<'_>) -> Option<Verdict> {
    if seen.hypervisor.is_none() && seen.ssh.is_none() {
        return None;
    }
    let shortages = match seen.ssh.map(|look| &look.says) {
        Some(SshSays::Answers(figures)) => shortages(figures),
        _ => Vec::new(),
    };
    let standing = seen.standing(shortages.iter().any(|shortage| shortage.counts));
    let contact = seen.contact();
    let recommended = match (standing, &contact) {
        // Wait, and look again.
        (Standing::ComingUp, _) | (_, Contact::Lost { .. }) => None,
        _ => Situation::at_a_look(contact, seen.host()).findings(seen.target).1,
    };
    let mut reasons = seen.facts();
    reasons.extend(shortages.iter().map(|shortage| shortage.text.clone()));
    if let Some(recommended) = &recommended {
        reasons.push(format!("{} recommended, because {}", recommended.verb, recommended.because));
    }
    reasons.extend(seen.advice(standing, recommended.is_some()));
    Some(Verdict {
        standing,
        headline: seen.headline(standing, recommended.as_ref().map(|it| it.verb), &shortages),
        reasons,
        recommends: recommended.map(|it| it.verb),
    })
}

/// Something of which the target has too little.
struct Shortage {
    text: String,
    /// False for what is told and does not make it busy.
    counts: bool,
    severity: Severity,
}

/// By the runbook's thresholds, the worst first.
fn shortages(figures: &Figures) -> Vec<Shortage> {
    let mut found = Vec::new();
    if let (Some(load), Some(cpus)) = (figures.load, figures.cpus)
        && let Some((severity, text)) = load::judge(load, f64::from(cpus))
    {
        found.push(Shortage { text, counts: true, severity });
    }
    if let Some(share) = figures.memory
        && let Some(severity) = memory::judge(share.left(), share.of)
    {
        let text = format!("memory nearly used up: {} left of {}", size(share.left()), size(share.of));
        found.push(Shortage { text, counts: true, severity });
    }
    for Disk { mount, share } in &figures.disks {
        if let Some(severity) = filesystems::judge(mount, share.percent(), share.left() / 1024) {
            let name = filesystems::name(mount);
            let text = format!("{name} {} % full, {} left of {}", share.percent(), size(share.left()), size(share.of));
            let counts = share.percent() >= FULL && !mount.starts_with("/boot");
            found.push(Shortage { text, counts, severity });
        }
    }
    found.sort_by_key(|shortage| (!shortage.counts, shortage.severity));
    found
}

fn size(bytes: u64) -> String {
    figures::size(bytes / 1024)
}

impl Seen<'_> {
    fn ssh(&self) -> Option<&SshSays> {
        self.ssh.map(|look| &look.says)
    }

    fn machine(&self) -> Option<Machine> {
        self.hypervisor.and_then(|look| look.says.machine())
    }

    fn state(&self) -> Option<State> {
        self.machine().as_ref().map(State::of)
    }

    /// The target as the runbook's rules take it.
    fn contact(&self) -> Contact {
        match self.ssh() {
            None => Contact::Untried,
            Some(SshSays::Answers(_)) => Contact::Answers { late: 0, of: 1 },
            Some(SshSays::Banner { why, .. }) => match self.banner_since.map_or(0, |since| self.now.since(since)) {
                millis @ STUCK.. => Contact::Stuck { seconds: u32::try_from(millis / 1000).unwrap_or(u32::MAX) },
                _ => Contact::Lost { why: why.clone() },
            },
            Some(SshSays::Refused { why }) => Contact::Refused { why: why.clone() },
            Some(SshSays::Silent { why }) => Contact::Silent { why: why.clone() },
        }
    }

    fn host(&self) -> Host {
        self.hypervisor.map_or(Host::Unasked, |look| look.says.contact())
    }

    /// True when the connection did not get as far as the target.
    fn is_ours(&self) -> bool {
        matches!(self.ssh(), Some(SshSays::Silent { why }) if lies_before_the_target(why))
    }

    fn standing(&self, busy: bool) -> Standing {
        if self.running.is_some() {
            return Standing::ComingUp;
        }
        let host = self.hypervisor.map(|look| &look.says);
        let state = self.state();
        if let Some(SshSays::Answers(_)) = self.ssh() {
            return match (host, state) {
                (_, Some(State::Running | State::Busy(_) | State::Unknown)) | (None, _) if !busy => {
                    Standing::AllAnswers
                }
                (_, Some(State::Stopped | State::Paused | State::StorageError | State::Broken(_))) => Standing::Unclear,
                _ => Standing::Busy,
            };
        }
        match (host, state, self.ssh()) {
            (Some(HostSays::Silent { .. }), _, None | Some(SshSays::Silent { .. })) => Standing::HypervisorSilent,
            (_, Some(State::Stopped), _) => Standing::Stopped,
            (_, Some(State::MonitorSilent), Some(_)) if self.is_ours() => Standing::Unclear,
            (_, Some(State::StorageError | State::Paused | State::Broken(_) | State::MonitorSilent), _) => {
                Standing::Stalled
            }
            (_, Some(State::Running), Some(ssh)) => self.standing_of_a_running_vm(ssh),
            _ => Standing::Unclear,
        }
    }

    /// QEMU runs, and SSH does not work.
    fn standing_of_a_running_vm(&self, ssh: &SshSays) -> Standing {
        let machine = self.machine().unwrap_or_default();
        let comes_up = self.way_up.is_some_and(|way| !way.over && way.verb != Verb::Stop);
        match ssh {
            SshSays::Refused { .. } => Standing::Unclear,
            _ if self.is_ours() => Standing::Unclear,
            _ if comes_up || machine.uptime.is_some_and(|up| up < BOOTING) => Standing::ComingUp,
            SshSays::Banner { .. } => Standing::SshDead,
            _ if machine.agent == Some(true) => Standing::SshDead,
            _ => Standing::GuestSilent,
        }
    }

    fn headline(&self, standing: Standing, recommended: Option<Verb>, shortages: &[Shortage]) -> String {
        let end = recommended.map(|verb| format!(": {verb} recommended")).unwrap_or_default();
        match standing {
            Standing::AllAnswers => "all answers".to_owned(),
            Standing::Busy => match shortages.iter().find(|shortage| shortage.counts) {
                Some(worst) => format!("busy: {}", worst.text),
                None if self.state().is_some() => "SSH answers, but QEMU's monitor does not".to_owned(),
                None => "SSH answers, but the hypervisor does not: power operations will not work".to_owned(),
            },
            Standing::SshDead => match self.ssh() {
                Some(SshSays::Banner { .. }) => format!("SSH names itself, but ends no command{end}"),
                _ => format!("SSH is dead, but the guest agent answers: the guest lives{end}"),
            },
            Standing::GuestSilent => format!("the guest is silent, QEMU runs{end}"),
            Standing::Stalled => match self.state() {
                Some(State::MonitorSilent) => format!("QEMU is stalled{end}"),
                Some(State::Broken(what)) => format!("{what}{end}"),
                Some(State::StorageError) => format!("QEMU holds the VM after an error of its storage{end}"),
                _ => format!("QEMU holds the VM's CPUs{end}"),
            },
            Standing::Stopped => match recommended {
                Some(_) => "the VM is stopped: start it".to_owned(),
                None => "the VM is stopped".to_owned(),
            },
            Standing::ComingUp => match (self.running, self.way_up.filter(|way| !way.over)) {
                (Some(verb), _) => format!("{verb} is under way"),
                (None, Some(way)) => format!("coming up after the {}", way.verb),
                (None, None) => "coming up: the VM started moments ago".to_owned(),
            },
            Standing::HypervisorSilent => {
                "neither the target nor the hypervisor answers: not this tool's case".to_owned()
            }
            Standing::Unclear => self.unclear(),
        }
    }

    fn unclear(&self) -> String {
        match (self.ssh(), self.state()) {
            (Some(SshSays::Answers(_)), Some(_)) => {
                "SSH answers and the hypervisor says otherwise: that does not fit together".to_owned()
            }
            (Some(SshSays::Refused { .. }), _) => "SSH would not let the console in".to_owned(),
            _ if self.is_ours() => {
                "the console cannot reach that far: its own network, or the target's name".to_owned()
            }
            (_, Some(State::Busy(what))) => format!("the VM waits: {what} is under way"),
            (_, Some(State::Unknown)) => "the VM is in a state that these rules do not know".to_owned(),
            (None, Some(_)) => "the VM runs; no way to look into it is configured".to_owned(),
            (Some(SshSays::Banner { .. }), _) => "SSH names itself, but ends no command".to_owned(),
            (None, None) => "the hypervisor cannot be asked".to_owned(),
            _ => "SSH does not answer, and the hypervisor cannot be asked".to_owned(),
        }
    }

    /// What was seen, a line each.
    fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        facts.extend(self.ssh().map(ssh_fact));
        match self.hypervisor.map(|look| &look.says) {
            Some(HostSays::Answers { vm, uptime, monitor, agent, vm_lock }) => {
                let up = uptime.map(|up| format!(", up {}", figures::span(up))).unwrap_or_default();
                facts.push(format!("the hypervisor says {}{up}", plain(vm, 40)));
                let said = |who: &str, answers: &Option<bool>| {
                    answers.map(|yes| format!("{who} {}", if yes { "answers" } else { "does not answer" }))
                };
                facts.extend(said("QEMU's monitor", monitor).filter(|_| *monitor == Some(false)));
                facts.extend(said("the guest agent", agent));
                facts.extend(vm_lock.as_ref().map(|lock| {
                    format!("the VM is locked by the hypervisor ({}): power operations are refused", plain(lock, 40))
                }));
            }
            Some(HostSays::Unclear { why }) => {
                facts.push(format!("the hypervisor gave no status: {}", plain(why, 160)));
            }
            Some(HostSays::Refused { why }) => {
                facts.push(format!("the hypervisor would not let the console in: {}", plain(why, 160)));
            }
            Some(HostSays::Silent { why }) => {
                facts.push(format!("the hypervisor does not answer: {}", plain(why, 160)));
            }
            None => {}
        }
        facts.extend(self.changed_keys.iter().map(|key| match key.host {
            KeyHost::Target => format!(
                "its host key changed: a rebuilt VM has a new one ({}, pinned is {})",
                plain(&key.seen, 80),
                plain(&key.pinned, 80)
            ),
            KeyHost::Hypervisor => format!(
                "the hypervisor's host key changed ({}, pinned is {}): it is refused until an operator accepts it",
                plain(&key.seen, 80),
                plain(&key.pinned, 80)
            ),
        }));
        facts
    }

    /// What a person can do beside the verb that is recommended, if one is.
    fn advice(&self, standing: Standing, recommended: bool) -> Vec<String> {
        let mut advice = Vec::new();
        let mut say = |text: &str| advice.push(text.to_owned());
        match standing {
            Standing::HypervisorSilent => {
                say("check this machine's own network first: the fault lies outside the VM");
                match self.fallback {
                    Some(fallback) => advice.push(format!("use instead: {fallback}")),
                    None => say("then the hypervisor at its own console (IPMI, iKVM or on site)"),
                }
            }
            Standing::SshDead if !recommended && matches!(self.ssh(), Some(SshSays::Banner { .. })) => {
                say("it may only be overloaded: wait a minute");
            }
            Standing::SshDead if !recommended => {
                say(
                    "look at sshd and the network at the VM's own console in the hypervisor; if nobody can, a cycle restarts all of it",
                );
            }
            Standing::Stalled if self.state() == Some(State::StorageError) => {
                say("look at the storage on the hypervisor first: until it works, the VM will stop again");
            }
            Standing::Stalled if self.state() == Some(State::Paused) => {
                say("if nothing was lost in it yet, qm resume on the hypervisor goes on where it stopped");
            }
            Standing::ComingUp if self.running.is_none() => {
                say("give it two minutes before any further power operation");
            }
            Standing::Unclear if matches!(self.ssh(), Some(SshSays::Refused { .. })) => {
                say(
                    "this says nothing about the target's health: set right the key, the host key or the configuration",
                );
            }
            Standing::Unclear if self.is_ours() => say("no power operation cures that"),
            _ => {}
        }
        advice
    }
}

fn ssh_fact(says: &SshSays) -> String {
    match says {
        SshSays::Answers(figures) => {
            let up = figures.uptime.map(|up| format!(", up {}", figures::span(up))).unwrap_or_default();
            let load = figures.load.map(|load| format!(", load {:.1}", load[0])).unwrap_or_default();
            let cpus = figures.cpus.map(|cpus| format!(" on {}", figures::count(cpus.into(), "CPU")));
            format!("SSH answers{up}{load}{}", cpus.filter(|_| !load.is_empty()).unwrap_or_default())
        }
        SshSays::Banner { software, why } => {
            format!("SSH names itself ({}), but ends no command: {}", plain(software, 60), plain(why, 160))
        }
        SshSays::Refused { why } => format!("SSH would not let the console in: {}", plain(why, 160)),
        SshSays::Silent { why } => format!("SSH does not answer: {}", plain(why, 160)),
    }
}
