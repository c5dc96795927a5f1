//! The hypervisor's host key: pinned when it is first seen; another one is refused by `ssh` itself, and pinned in its
//! place when an operator accepts exactly that one.

use std::path::Path;

use domain::{
    call::OutputStream,
    ids::Millis,
    probe::{ChangedKey, KeyHost},
    verb::Verb,
};

use super::hypervisor::{Hypervisor, PveSsh};
use crate::server::{
    child::{self, Argv, Bounds, CappedText, ChildEnd},
    ssh::HostKey,
};

/// Why a key was not accepted. The pinned one stands.
#[derive(Debug, thiserror::Error)]
pub enum NotAccepted {
    #[error("host keys are left to ssh's own configuration (BREAKGLASS_HOST_KEYS): change its known_hosts file")]
    NotPinned,
    #[error("the hypervisor shows the key {seen} now, which is not the one that was to be accepted: look at it again")]
    Other { seen: String },
    #[error("the hypervisor did not show its key ({0}): try again")]
    Silent(String),
    #[error("the key cannot be kept: {0}: see that the data directory can be written, and accept it again")]
    Unwritable(#[from] std::io::Error),
}

/// What is to be told of a key that is not the pinned one.
pub(super) async fn changed(hypervisor: &Hypervisor, seen: String, now: Millis, bounds: &Bounds) -> Option<ChangedKey> {
    let file = pinned_in(hypervisor)?;
    let pinned = fingerprint(file, bounds).await.unwrap_or_else(|| "unknown".into());
    Some(ChangedKey { host: KeyHost::Hypervisor, pinned, seen, since: now })
}

fn pinned_in(hypervisor: &Hypervisor) -> Option<&Path> {
    match hypervisor {
        Hypervisor::Ssh(PveSsh(ssh)) => match ssh.host_key() {
            HostKey::Pinned(file) => Some(file),
            HostKey::Configured | HostKey::Watched => None,
        },
        Hypervisor::Unconfigured | Hypervisor::Practice(_) => None,
    }
}

/// Pins the key of this fingerprint, if that is the key which the hypervisor shows now.
pub(super) async fn accept(hypervisor: &Hypervisor, wanted: &str, bounds: &Bounds) -> Result<(), NotAccepted> {
    let (Hypervisor::Ssh(PveSsh(ssh)), Some(file)) = (hypervisor, pinned_in(hypervisor)) else {
        return Err(NotAccepted::NotPinned);
    };
    // Connects with an empty file, into which ssh puts the key that it is shown, and looks at that before it is moved
    // to where it counts.
    let shown = file.with_extension("shown");
    remove(&shown)?;
    let trial = Hypervisor::Ssh(PveSsh(ssh.clone().with_host_key(HostKey::Pinned(shown.clone()))));
    let report = trial.run(Verb::Status, None, bounds, |_, _| {}).await;
    let Some(seen) = fingerprint(&shown, bounds).await else {
        return Err(NotAccepted::Silent(report.detail.unwrap_or_else(|| "no key was shown".into())));
    };
    if seen != wanted {
        remove(&shown)?;
        return Err(NotAccepted::Other { seen });
    }
    Ok(std::fs::rename(&shown, file)?)
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The fingerprint of the key in a file, as `ssh-keygen -l` gives it: `256 SHA256:… name (ED25519)`.
async fn fingerprint(file: &Path, bounds: &Bounds) -> Option<String> {
    let args = vec!["-l".into(), "-f".into(), file.into()];
    let argv = Argv { program: "ssh-keygen".into(), args, env: Vec::new(), held_stdin: false };
    let mut text = CappedText::new(4096);
    let heard = |stream, bytes: &[u8]| {
        if stream == OutputStream::Stdout {
            text.push(bytes);
        }
    };
    let ChildEnd::Exited(0) = child::run(&argv, bounds, heard).await else {
        return None;
    };
    text.text().split_whitespace().find(|word| word.starts_with("SHA256:")).map(str::to_owned)
}
