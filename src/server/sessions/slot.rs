//! The place of the one turn that a session may have: who is let in, who ends it, and the way into it. The rules are
//! `domain::turn`'s.

use std::sync::{Mutex, MutexGuard};

use domain::turn::{Admission, Phase, Refused};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{backend::Steer, locked};

/// The turn that runs, if one does.
#[derive(Default)]
pub(super) struct TurnSlot {
    phase: Phase,
    stop: CancellationToken,
    stopped: Option<Stopped>,
    /// The way into the turn, where its backend takes messages.
    steer: Option<mpsc::Sender<Steer>>,
    /// True when this turn, or the last one while none runs, was ended by an operator, by its time or by the server.
    ended_early: bool,
}

/// Why a turn was told to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    By(String),
    ServerEnds,
}

/// The turn's state under its lock.
pub(super) struct TurnGuard<'a> {
    slot: MutexGuard<'a, TurnSlot>,
    phase: &'a watch::Sender<Phase>,
}

impl<'a> TurnGuard<'a> {
    /// Takes the lock. `phase` is what waits for the turn's end look at.
    pub(super) fn of(slot: &'a Mutex<TurnSlot>, phase: &'a watch::Sender<Phase>) -> Self {
        TurnGuard { slot: locked(slot), phase }
    }

    /// Asks `rule` about the phase, and takes the slot when it says "begin".
    pub(super) fn admit(
        mut self,
        rule: impl FnOnce(Phase) -> Result<Admission, Refused>,
    ) -> Result<Admission, Refused> {
        let admission = rule(self.slot.phase)?;
        if admission == Admission::Begin {
            *self.slot = TurnSlot { phase: Phase::Running, ..TurnSlot::default() };
            self.phase.send_replace(Phase::Running);
        }
        Ok(admission)
    }

    pub(super) fn stop(self, by: &str) -> bool {
        self.stop_because(Stopped::By(by.to_owned()))
    }

    pub(super) fn stop_for_shutdown(self) {
        self.stop_because(Stopped::ServerEnds);
    }

    fn stop_because(mut self, why: Stopped) -> bool {
        let runs = self.slot.phase == Phase::Running;
        if runs {
            self.slot.phase = Phase::Stopping;
            self.slot.stopped = Some(why);
            self.slot.ended_early = true;
            self.slot.stop.cancel();
            self.phase.send_replace(Phase::Stopping);
        }
        runs
    }

    /// What a turn's task listens to.
    pub(super) fn stop_token(&self) -> CancellationToken {
        self.slot.stop.clone()
    }

    /// Opens the way into the turn.
    pub(super) fn take_messages(mut self, steer: mpsc::Sender<Steer>) {
        self.slot.steer = Some(steer);
    }

    /// The way into the turn, where there is one.
    pub(super) fn steer(&self) -> Option<mpsc::Sender<Steer>> {
        self.slot.steer.clone()
    }

    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.slot.stopped.clone()
    }

    /// The turn's time is up.
    pub(super) fn timed_out(mut self) {
        self.slot.ended_early = true;
    }

    /// True when the turn that runs takes messages; false where it takes none, or where none runs.
    pub(super) fn takes_messages(&self) -> bool {
        self.slot.phase != Phase::Running || self.slot.steer.is_some()
    }

    /// Closes the way into the turn: it takes no messages after all.
    pub(super) fn take_no_messages(mut self) {
        self.slot.steer = None;
    }

    /// See [`TurnSlot::ended_early`].
    pub(super) fn ended_early(&self) -> bool {
        self.slot.ended_early
    }

    pub(super) fn over(mut self) {
        *self.slot = TurnSlot { ended_early: self.slot.ended_early, ..TurnSlot::default() };
        self.phase.send_replace(Phase::Idle);
    }
}
