//! Is it up? Looks at the target from both sides, inside over SSH and outside through the hypervisor, remembers what was
//! last seen and since when it is so, and follows the way back up after every mutation.
//!
//! Nobody asks, nothing is looked at: a look begins when somebody asks for what is known and that is old, when the console
//! checks what may have changed, and on the way up. There is one look at a time, for everybody. What it means is decided by
//! `domain::probe`, which has no clock and no network.

mod host_key;
mod looks;
mod way_up;

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    ids::Millis,
    probe::{
        ChangedKey, HostLook, SshLook, SshSays, TargetStatus, Verdict,
        verdict::{self, Seen},
    },
    verb::Verb,
};
use tokio::{sync::watch, time::Instant};

pub use host_key::NotSeen;

use self::{host_key::HostKeyWatch, way_up::Way};
use super::{fresh, power::Power, ssh::HostKey, target::Target};

/// What it is made with.
pub struct ProberConfig {
    pub target: Target,
    pub target_name: String,
    /// What everybody should know of the target.
    pub note: Option<String>,
    /// What to use when the hypervisor itself is gone.
    pub fallback: Option<String>,
    pub child_env: Vec<(OsString, OsString)>,
    /// Where the target's host key is kept.
    pub data_dir: PathBuf,
    /// From which age on what is known is looked at anew.
    pub stale: Duration,
}

/// Looks, remembers, follows.
pub struct Prober {
    config: ProberConfig,
    power: Arc<Power>,
    known: Mutex<Known>,
    /// The number of the last look that ended.
    ended: watch::Sender<u64>,
}

/// What was seen.
struct Known {
    host: Option<HostLook>,
    ssh: Option<SshLook>,
    /// Since when SSH names itself and ends no command, while that is so.
    banner_since: Option<Millis>,
    key: Option<HostKeyWatch>,
    way: Option<Way>,
    /// The number of the last look that began. **Invariant:** at most one more than those that ended.
    begun: u64,
    looked: Option<Instant>,
}

/// From which age on what is known is looked at anew on the way up.
const STALE_ON_THE_WAY: Duration = Duration::from_secs(3);

/// The look of this number ends with this, whatever becomes of it.
struct Looking(Arc<Prober>, u64);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.known().looked = Some(Instant::now());
        self.0.ended.send_replace(self.1);
    }
}

impl Prober {
    /// One that has seen nothing yet, but knows the key that the target had.
    pub fn new(config: ProberConfig, power: Arc<Power>) -> Self {
        let key = match &config.target {
            Target::Ssh(ssh) if *ssh.host_key() == HostKey::Watched => Some(HostKeyWatch::open(&config.data_dir)),
            _ => None,
        };
        let known = Known { host: None, ssh: None, banner_since: None, key, way: None, begun: 0, looked: None };
        Prober { config, power, known: Mutex::new(known), ended: watch::Sender::new(0) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when there is something to look at.
    pub fn is_configured(&self) -> bool {
        self.config.target.is_configured() || self.power.is_configured()
    }

    /// The target's name.
    pub fn target_name(&self) -> &str {
        &self.config.target_name
    }

    /// Begins a look if what is known is old. Gives the number of the look that is under way, if one is.
    pub fn refresh(self: &Arc<Self>) -> Option<u64> {
        if !self.is_configured() {
            return None;
        }
        let old = {
            let known = self.known();
            let under_way = known.way.as_ref().is_some_and(|way| !way.up.over);
            let limit = if under_way { STALE_ON_THE_WAY.min(self.config.stale) } else { self.config.stale };
            known.begun > *self.ended.borrow() || known.looked.is_none_or(|looked| looked.elapsed() >= limit)
        };
        old.then(|| self.begin())
    }

    /// Looks now, and waits for it: a look that began earlier does not count.
    pub async fn look(self: &Arc<Self>) {
        if !self.is_configured() {
            return;
        }
        let earlier = self.known().begun;
        self.until(earlier).await;
        let number = self.begin();
        self.until(number).await;
    }

    /// Waits until the look of this number has ended.
    pub async fn until(&self, number: u64) {
        // The sender is ours and lives as long as this borrow, so waiting cannot fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended >= number).await;
    }

    /// Begins a look unless one is under way, and gives its number.
    fn begin(self: &Arc<Self>) -> u64 {
        let number = {
            let mut known = self.known();
            if known.begun != *self.ended.borrow() {
                return known.begun;
            }
            known.begun += 1;
            known.begun
        };
        // Nothing is locked here: a runtime that shuts down drops at once what it is given.
        let looking = Looking(Arc::clone(self), number);
        tokio::spawn(async move { looking.0.look_at_both().await });
        number
    }

    async fn look_at_both(&self) {
        let (inside, outside) = tokio::join!(self.inside(), self.outside());
        let mut to_keep = None;
        {
            let mut known = self.known();
            let now = fresh::now();
            if let Some((says, fingerprint)) = inside {
                let answers = |says: &SshSays| matches!(says, SshSays::Answers(_));
                let same = known.ssh.as_ref().filter(|last| answers(&last.says) == answers(&says));
                let since = same.map_or(now, |last| last.since);
                known.banner_since = match &says {
                    SshSays::Banner { .. } => known.banner_since.or(Some(now)),
                    _ => None,
                };
                known.ssh = Some(SshLook { at: now, since, says });
                if let (Some(key), Some(fingerprint)) = (&mut known.key, fingerprint) {
                    to_keep = key.see(fingerprint, now);
                }
            }
            if let Some(says) = outside {
                let same = known.host.as_ref().filter(|last| looks::answers(&last.says) == looks::answers(&says));
                known.host = Some(HostLook { at: now, since: same.map_or(now, |last| last.since), says });
            }
        }
        if let Some(pinned) = to_keep {
            pinned.keep().await;
        }
    }

    /// What is known now. Who runs what, and what forbids it, is left out: that is power's.
    pub fn status(&self) -> TargetStatus {
        let known = self.known();
        TargetStatus {
            target: self.config.target_name.clone(),
            note: self.config.note.clone(),
            lock: None,
            running: None,
            unknown: None,
            hypervisor: known.host.clone(),
            ssh: known.ssh.clone(),
            verdict: self.judge(&known),
            way_up: known.way.as_ref().map(|way| way.up.clone()),
            changed_keys: self.changed_keys(&known),
        }
    }

    /// What all of it means; nothing before the first look.
    pub fn verdict(&self) -> Option<Verdict> {
        self.judge(&self.known())
    }

    fn judge(&self, known: &Known) -> Option<Verdict> {
        verdict::verdict(&Seen {
            target: &self.config.target_name,
            fallback: self.config.fallback.as_deref(),
            hypervisor: known.host.as_ref(),
            ssh: known.ssh.as_ref(),
            banner_since: known.banner_since,
            running: known.way.as_ref().filter(|way| way.running).map(|way| way.up.verb),
            way_up: known.way.as_ref().map(|way| &way.up),
            changed_keys: &self.changed_keys(known),
            now: fresh::now(),
        })
    }

    /// The host keys that are not those that were pinned.
    fn changed_keys(&self, known: &Known) -> Vec<ChangedKey> {
        let target = known.key.as_ref().and_then(HostKeyWatch::changed);
        target.into_iter().chain(self.power.standing().other_key).collect()
    }

    /// Whether SSH answers and since when, in words; nothing where there is no target.
    pub fn since(&self) -> Option<String> {
        let known = self.known();
        let SshLook { since, says, .. } = known.ssh.as_ref()?;
        let what = if matches!(says, SshSays::Answers(_)) { "SSH answers" } else { "SSH does not answer" };
        Some(format!("{what}, since {} UTC at the latest", since.utc_time()))
    }

    /// The target has a new host key and that is right: pins it. Only what was seen last can be pinned.
    pub async fn accept_key(&self, fingerprint: &str) -> Result<(), NotSeen> {
        let to_keep = match &mut self.known().key {
            Some(key) => key.accept(fingerprint)?,
            None => return Err(NotSeen::Unwatched),
        };
        if let Some(pinned) = to_keep {
            pinned.keep().await;
        }
        Ok(())
    }
}

/// True for the verbs after which a target comes up.
pub(super) fn comes_up(verb: Verb) -> bool {
    verb.mutates() && verb != Verb::Stop
}
