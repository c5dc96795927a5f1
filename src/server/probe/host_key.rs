//! The target's host key: the first one is pinned, another one warns and goes on. A rebuilt VM has a new key, and nobody may
//! be locked out in an incident; but nobody should take another machine for the target unknowingly either.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use domain::{
    ids::Millis,
    probe::{ChangedKey, KeyHost},
};

/// Which key was pinned, and which one was seen instead.
#[derive(Debug)]
pub(super) struct HostKeyWatch {
    file: PathBuf,
    pinned: Option<String>,
    changed: Option<ChangedKey>,
}

/// Why a key was not pinned.
#[derive(Debug, thiserror::Error)]
pub enum NotSeen {
    #[error("the target's host key is left to ssh's own configuration (BREAKGLASS_HOST_KEYS), so none is pinned here")]
    Unwatched,
    #[error("the target showed no other host key than the pinned one when it was last looked at")]
    Unchanged,
    #[error("the host key that was last seen is {seen}, and not the one that was given: compare again")]
    Another { seen: String },
}

/// A fingerprint that is to be kept.
pub(super) struct Pinned {
    file: PathBuf,
    fingerprint: String,
}

impl HostKeyWatch {
    /// Reads what was pinned. A file that cannot be read is as one that is not there.
    pub(super) fn open(data_dir: &Path) -> Self {
        let file = data_dir.join("target_host_key");
        let pinned = std::fs::read_to_string(&file).ok().map(|text| text.trim().to_owned());
        HostKeyWatch { file, pinned: pinned.filter(|text| text.starts_with("SHA256:")), changed: None }
    }

    /// Compares what was seen with what was pinned. The first key is pinned, and then to be kept.
    pub(super) fn see(&mut self, fingerprint: String, at: Millis) -> Option<Pinned> {
        match &self.pinned {
            None => return Some(self.pin(fingerprint)),
            Some(pinned) if *pinned == fingerprint => self.changed = None,
            Some(pinned) => {
                if self.changed.as_ref().is_none_or(|changed| changed.seen != fingerprint) {
                    tracing::warn!(pinned, seen = fingerprint, "the target has another host key than before");
                    let pinned = pinned.clone();
                    self.changed = Some(ChangedKey { host: KeyHost::Target, pinned, seen: fingerprint, since: at });
                }
            }
        }
        None
    }

    /// Pins the key that was last seen, if it is this one.
    pub(super) fn accept(&mut self, fingerprint: &str) -> Result<Option<Pinned>, NotSeen> {
        match &self.changed {
            Some(changed) if changed.seen == fingerprint => Ok(Some(self.pin(fingerprint.to_owned()))),
            Some(changed) => Err(NotSeen::Another { seen: changed.seen.clone() }),
            // Said twice is said once.
            None if self.pinned.as_deref() == Some(fingerprint) => Ok(None),
            None => Err(NotSeen::Unchanged),
        }
    }

    fn pin(&mut self, fingerprint: String) -> Pinned {
        (self.pinned, self.changed) = (Some(fingerprint.clone()), None);
        Pinned { file: self.file.clone(), fingerprint }
    }

    pub(super) fn changed(&self) -> Option<ChangedKey> {
        self.changed.clone()
    }
}

impl Pinned {
    /// Writes it down, as a whole or not at all. On a full disk it is pinned until the console ends.
    pub(super) async fn keep(self) {
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || self.write()).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(file = %file.display(), %error, "the target's host key cannot be kept");
        }
    }

    fn write(&self) -> std::io::Result<()> {
        let new = self.file.with_extension("new");
        let mut out = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        out.write_all(format!("{}\n", self.fingerprint).as_bytes())?;
        std::fs::rename(new, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_that_cannot_be_kept_is_pinned_all_the_same() {
        let folder = Path::new("/nonexistent");
        let mut watch = HostKeyWatch::open(folder);
        let first = watch.see("SHA256:a".into(), Millis(1)).expect("the first is to be kept");
        first.keep().await;
        assert!(watch.see("SHA256:a".into(), Millis(2)).is_none() && watch.changed().is_none());
        assert!(watch.see("SHA256:b".into(), Millis(3)).is_none() && watch.see("SHA256:b".into(), Millis(4)).is_none());
        assert_eq!(watch.changed().expect("it warns").since, Millis(3));
        watch.accept("SHA256:b").expect("it was seen").expect("it is to be kept").keep().await;
        assert_eq!(watch.changed(), None);
    }

    #[test]
    fn what_is_no_fingerprint_pins_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("target_host_key"), "").unwrap();
        let mut watch = HostKeyWatch::open(folder.path());
        assert!(watch.see("SHA256:a".into(), Millis(1)).is_some(), "a file that a full disk left empty");
        watch.see("SHA256:b".into(), Millis(2));
        watch.see("SHA256:a".into(), Millis(3));
        assert_eq!(watch.changed(), None, "the pinned one is back");
    }
}
