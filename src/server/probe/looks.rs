//! One look at either side: what is run, and which word of `domain::probe` its end is.

use std::time::Duration;

use domain::{
    probe::{Figures, HostSays, SshSays, figures::GLANCE},
    runbook::StepOutcome,
};
use tokio_util::sync::CancellationToken;

use super::Prober;
use crate::server::{
    child::Bounds,
    ssh,
    target::{How, Look},
};

/// How long the command on the target may take.
const INSIDE: Duration = Duration::from_secs(5);
/// How long the hypervisor has for its status, which asks QEMU and the guest agent with limits of its own.
const OUTSIDE: Duration = Duration::from_secs(15);

impl Prober {
    /// Looks at the target, where there is one. With it comes its host key's fingerprint, where that was seen.
    pub(super) async fn inside(&self) -> Option<(SshSays, Option<String>)> {
        if !self.config.target.is_configured() {
            return None;
        }
        let bounds = Bounds { env: self.config.child_env.clone(), limit: INSIDE, stop: CancellationToken::new() };
        let Look { how, output, met } = self.config.target.glance(GLANCE, INSIDE, &bounds).await;
        let short = |why: String, software| match software {
            Some(software) => SshSays::Banner { software, why },
            None => SshSays::Silent { why },
        };
        let says = match how {
            How::Exited(_) => SshSays::Answers(Figures::of(&output)),
            How::Refused(why) => SshSays::Refused { why },
            How::TimedOut => short(format!("no command ended within {} s", INSIDE.as_secs()), met.software),
            How::Unreachable(why) | How::Lost(why) => short(why, met.software),
            How::Stopped => short("stopped".into(), met.software),
        };
        Some((says, met.fingerprint))
    }

    /// Asks the hypervisor, where there is one.
    pub(super) async fn outside(&self) -> Option<HostSays> {
        if !self.power.is_configured() {
            return None;
        }
        let outcome = match self.power.look(OUTSIDE).await {
            // Somebody answered, and would not.
            StepOutcome::Unreachable { why } if ssh::was_answered(&why) => StepOutcome::Refused { why },
            outcome => outcome,
        };
        Some(HostSays::of(&outcome))
    }
}

/// True when the hypervisor gave a status.
pub(super) fn answers(says: &HostSays) -> bool {
    matches!(says, HostSays::Answers { .. })
}
