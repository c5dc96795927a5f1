//! Reads what the hypervisor says: the VM's state from `qm status --verbose`, alone or within forensics, and the
//! hypervisor's own kernel log. What the state calls for is decided in `situation.rs`, which knows whether SSH answers.

use super::{Severity, figures, finding::Account, sections::Sections};

/// Accepts whatever holds a status, whose meaning is `situation.rs`'s, and looks at the hypervisor's kernel log.
pub(super) fn read(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let log = output.get("host: kernel log").unwrap_or_default();
    let mut last = |signs: &[&str], what: &str| {
        if let Some(line) = log.iter().rfind(|line| signs.iter().all(|sign| line.contains(sign))) {
            account.find(
                Severity::Warning,
                format!("the hypervisor's kernel log tells of {what}: {}", figures::plain(line, 160)),
            );
        }
    };
    last(&["Killed process", "(kvm)"], "a VM that its OOM killer took");
    last(&["I/O error"], "a failing disk");
    match Machine::of(output) {
        Some(_) => Ok(()),
        None => Err(output.unreadable()),
    }
}

/// The VM as the hypervisor sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) status: String,
    pub(crate) qmpstatus: Option<String>,
    pub(crate) lock: Option<String>,
    /// Seconds since QEMU started.
    pub(crate) uptime: Option<u64>,
    /// Whether QEMU's monitor answers; none when nobody listens, or nobody asked.
    pub(crate) monitor: Option<bool>,
    /// The same of the guest agent.
    pub(crate) agent: Option<bool>,
}

impl Machine {
    pub(crate) fn of(output: &Sections<'_>) -> Option<Self> {
        let named: Vec<&str> = output.get("status").or_else(|| output.get("qm status")).unwrap_or_default().to_vec();
        Self::of_lines(&named).or_else(|| Self::of_lines(&output.whole().lines().collect::<Vec<_>>()))
    }

    fn of_lines(lines: &[&str]) -> Option<Self> {
        let value = |name: &str| {
            let value = lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(figures::plain(value, 40)).filter(|value| !value.is_empty())
        };
        let silent = |line: &&str| {
            let line = line.to_lowercase();
            line.contains("qmp")
                && ["timeout", "timed out", "unable to connect", "failed"].iter().any(|sign| line.contains(sign))
        };
        // The two lines that the host's script adds stand at the end, and begin with one of its own words.
        let answers = |name: &str| {
            let said = lines.iter().rev().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            match said.split_whitespace().next()? {
                "answers" => Some(true),
                "silent" => Some(false),
                _ => None,
            }
        };
        Some(Self {
            // One word: the host's script has a last line like `status: failed: qm status gave no answer`.
            status: value("status").filter(|status| !status.contains([' ', ':']))?,
            qmpstatus: value("qmpstatus"),
            lock: value("lock"),
            uptime: value("uptime").and_then(|text| figures::number(&text)).map(|seconds| seconds as u64),
            monitor: if lines.iter().any(silent) { Some(false) } else { answers("qmp") },
            agent: answers("agent"),
        })
    }
}

/// What the two words of status mean for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Stopped,
    Paused,
    StorageError,
    Busy(&'static str),
    Broken(&'static str),
    MonitorSilent,
    Unknown,
}

impl State {
    /// QEMU's words are its RunState (qapi/run-state.json).
    pub(crate) fn of(machine: &Machine) -> Self {
        match (machine.status.as_str(), machine.qmpstatus.as_deref()) {
            ("stopped", _) => Self::Stopped,
            (_, Some("io-error")) => Self::StorageError,
            (_, Some("internal-error")) => Self::Broken("QEMU stopped after an internal error"),
            (_, Some("guest-panicked")) => Self::Broken("the guest's kernel panicked"),
            (_, Some("watchdog")) => Self::Broken("the guest's watchdog fired"),
            (_, Some("shutdown")) => Self::Broken("the guest has shut down, but QEMU has not ended"),
            (_, Some("prelaunch")) => Self::Broken("QEMU was started, but the VM's CPUs never were"),
            (_, Some("paused" | "suspended" | "debug")) | ("paused" | "suspended", None) => Self::Paused,
            (_, Some("inmigrate" | "postmigrate" | "finish-migrate" | "colo")) => Self::Busy("a migration"),
            (_, Some("save-vm" | "restore-vm")) => Self::Busy("a snapshot"),
            ("running", _) if machine.monitor == Some(false) => Self::MonitorSilent,
            ("running", Some("running") | None) => Self::Running,
            _ => Self::Unknown,
        }
    }
}
