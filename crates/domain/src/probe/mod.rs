//! Is it up? What the console sees of the target by itself, without AI and without a tap: whether the hypervisor
//! answers and in what state it has the VM, whether SSH answers, and what both together mean. The status strip shows it.
//!
//! This file has the words that both sides share. The rest is the server's: [`figures`] and [`host`] read outputs,
//! [`verdict`] weighs them by the runbook's own thresholds and rules, so that the strip and the presets cannot disagree, and
//! [`way_up`] hears from a run's output how far it has come.

mod bars;
pub mod figures;
pub mod host;
pub mod verdict;
pub mod way_up;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{Millis, RunId},
    verb::{Lock, Mutation, Verb},
};

/// `GET /api/target`: what is known of the target, as it was last seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// Its name, as people call it.
    pub target: String,
    /// What the configuration says that everybody should know of it ("this VM also runs the VPN").
    pub note: Option<String>,
    /// The lock that forbids mutations, while there is one.
    pub lock: Option<Lock>,
    /// The mutation that runs.
    pub running: Option<Mutation>,
    /// The last mutation, while nobody knows what became of it.
    pub unknown: Option<Mutation>,
    /// What the hypervisor said when it was last asked; null before that, and where none is configured.
    pub hypervisor: Option<HostLook>,
    /// What SSH said when it was last tried; null before that, and where no target is configured.
    pub ssh: Option<SshLook>,
    /// What both mean; null before the first look.
    pub verdict: Option<Verdict>,
    /// How the target came back, or comes back, after the last mutation of this server's life.
    pub way_up: Option<WayUp>,
    /// Host keys that are not those that were pinned.
    pub changed_keys: Vec<ChangedKey>,
}

/// One question to the hypervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostLook {
    /// When it was answered, or was not.
    pub at: Millis,
    /// Since when it is so that it answers, or does not.
    pub since: Millis,
    /// What came of it.
    pub says: HostSays,
}

/// What the hypervisor said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HostSays {
    /// It gave a status.
    Answers {
        /// The VM's state in its own words: `running`, `stopped`, or QEMU's word for why the guest does not run.
        vm: String,
        /// Seconds since QEMU started.
        uptime: Option<u64>,
        /// True when QEMU's monitor answers, false when it is silent, null when nobody listens or nobody knows.
        monitor: Option<bool>,
        /// The same of the guest agent.
        agent: Option<bool>,
        /// What has locked the VM at the hypervisor, such as `backup`.
        vm_lock: Option<String>,
    },
    /// It answered and gave no status.
    Unclear {
        /// What it said.
        why: String,
    },
    /// It let nobody in: a key, a host key, or a configuration.
    Refused {
        /// What it said.
        why: String,
    },
    /// It did not answer.
    Silent {
        /// What the connection's program said.
        why: String,
    },
}

/// One try of SSH to the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SshLook {
    /// When it was answered, or was not.
    pub at: Millis,
    /// Since when it is so that it answers, or does not.
    pub since: Millis,
    /// What came of it.
    pub says: SshSays,
}

/// What came of SSH.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SshSays {
    /// A command ran and ended.
    Answers(Figures),
    /// The server named itself, and no command was carried through.
    Banner {
        /// As what it named itself, such as `OpenSSH_9.2p1`.
        software: String,
        /// What came then.
        why: String,
    },
    /// It would not let the console in.
    Refused {
        /// What it said.
        why: String,
    },
    /// Nobody answered.
    Silent {
        /// What the connection's program said.
        why: String,
    },
}

/// How the target is, where it answers; null is what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Seconds since it booted.
    pub uptime: Option<u64>,
    /// The load averages over 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// How many CPUs it has.
    pub cpus: Option<u32>,
    /// Memory in bytes.
    pub memory: Option<Share>,
    /// Swap in bytes; null without any.
    pub swap: Option<Share>,
    /// The fullest filesystems in bytes, at most three, the fullest first.
    pub disks: Vec<Disk>,
}

/// So much of so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// In use.
    pub used: u64,
    /// Of how much.
    pub of: u64,
}

/// A filesystem of the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// How full it is.
    pub share: Share,
}

/// What the looks mean together, by rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// In one word.
    pub standing: Standing,
    /// In one line.
    pub headline: String,
    /// What it rests on, a line each.
    pub reasons: Vec<String>,
    /// The verb that the rules recommend; it is never done by itself.
    pub recommends: Option<Verb>,
}

/// How it stands with the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Everything answers.
    AllAnswers,
    /// It answers, and something is not as it should be: short of CPU, memory or disk, or the hypervisor cannot be asked.
    Busy,
    /// SSH does not work, and the guest agent or sshd's own banner says that the guest lives.
    SshDead,
    /// Neither SSH nor the guest agent answers, and QEMU runs.
    GuestSilent,
    /// QEMU itself does not answer or holds the guest: a cycle is recommended.
    Stalled,
    /// The VM is stopped.
    Stopped,
    /// It came up a moment ago, or a mutation runs: wait.
    ComingUp,
    /// Neither the target nor the hypervisor answers: not this tool's case.
    HypervisorSilent,
    /// Not enough was seen to say.
    Unclear,
}

/// How the target comes back after a mutation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WayUp {
    /// The run.
    pub run_id: RunId,
    /// Its verb.
    pub verb: Verb,
    /// When it began.
    pub began: Millis,
    /// What was reached, and when, in the order in which it was.
    pub steps: Vec<WayStep>,
    /// True when nothing more is waited for: it is up, or its time is over.
    pub over: bool,
    /// True when the verb failed before it moved the VM: then there is no way up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub failed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A point on the way back up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayStep {
    /// What was reached.
    pub reached: Reached,
    /// When it was seen.
    pub at: Millis,
}

/// The points on the way back up, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// The evidence was taken.
    Captured,
    /// The VM is stopped.
    Stopped,
    /// The VM is being started, or was reset.
    Starting,
    /// QEMU runs.
    Running,
    /// SSH answers.
    Ssh,
}

/// A host key that is not the one that was pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedKey {
    /// Whose.
    pub host: KeyHost,
    /// The fingerprint that was pinned.
    pub pinned: String,
    /// The fingerprint that was seen now.
    pub seen: String,
    /// When it was first seen.
    pub since: Millis,
}

/// Whose key is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyHost {
    /// The target's: another one warns and goes on.
    Target,
    /// The hypervisor's: another one is refused until an operator accepts it.
    Hypervisor,
}
