//! Follows a mutation to the target's return: hears from the run's output how far it has come, and then looks until SSH
//! answers, or until nobody waits any longer.

use std::{sync::Arc, time::Duration};

use domain::{
    call::{OutputStream, Run},
    probe::{HostSays, Reached, SshSays, WayUp, way_up::Listener},
    verb::{Outcome, Verb},
};
use tokio::{task::JoinHandle, time::Instant};

use super::{Prober, comes_up};
use crate::server::{fresh, power::live::LiveRun};

/// A way up as it is followed.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) up: WayUp,
    /// True while its run has not ended.
    pub(super) running: bool,
}

/// How long a target has to answer after a mutation, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_secs(3);
/// How long a mutation whose outcome nobody knows has to show, before SSH that answers counts as back up: it may not have
/// come to the target yet.
const SETTLED: Duration = Duration::from_secs(30);

impl Prober {
    /// Follows a run of a mutating verb. What is returned ends when the way up is over, with nothing if nothing was done.
    pub fn follow(self: &Arc<Self>, run: Arc<LiveRun>, verb: Verb) -> JoinHandle<Option<WayUp>> {
        let Run { run_id, started, .. } = run.run();
        let up = WayUp::begun(run_id, verb, started);
        let before = self.known().way.replace(Way { up: up.clone(), running: true });
        let prober = Arc::clone(self);
        tokio::spawn(async move {
            let up = prober.hear(&run, up).await;
            let run = run.run();
            if run.rejected || run.outcome == Some(Outcome::Refused) {
                prober.publish(&up, |way| *way = before);
                return None;
            }
            Some(prober.see_it_up(&run, up).await)
        })
    }

    /// Makes the way known, unless a later mutation has one of its own.
    fn publish(&self, up: &WayUp, change: impl FnOnce(&mut Option<Way>)) {
        let mut known = self.known();
        if known.way.as_ref().is_some_and(|way| way.up.run_id == up.run_id) {
            change(&mut known.way);
        }
    }

    /// Listens to a run until it has ended.
    async fn hear(&self, run: &LiveRun, mut up: WayUp) -> WayUp {
        let (mut listener, mut heard) = (Listener::new(up.verb), 0);
        let mut progress = run.follow();
        loop {
            let ended = progress.borrow_and_update().ended;
            for chunk in run.chunks(heard) {
                heard += 1;
                if chunk.stream == OutputStream::Stdout {
                    for reached in listener.hear(&chunk.text) {
                        up.reach(reached, fresh::now());
                    }
                }
            }
            self.publish(&up, |way| *way = Some(Way { up: up.clone(), running: !ended }));
            if ended || progress.changed().await.is_err() {
                return up;
            }
        }
    }

    /// Looks until it is up.
    async fn see_it_up(self: &Arc<Self>, run: &Run, mut up: WayUp) -> WayUp {
        // The VM that answers then is the one that answered before.
        up.failed = run.exit_code.is_some_and(|code| code != 0)
            && up.steps.iter().all(|step| step.reached == Reached::Captured);
        if up.failed {
            up.over = true;
            self.publish(&up, |way| *way = Some(Way { up: up.clone(), running: false }));
            self.look().await;
        }
        let begun = Instant::now();
        let known = run.outcome == Some(Outcome::Done);
        while !up.over {
            self.look().await;
            let (vm, answers) = self.seen();
            match vm.as_deref() {
                Some("stopped") => up.reach(Reached::Stopped, fresh::now()),
                Some("running") if known || up.has(Reached::Stopped) => up.reach(Reached::Running, fresh::now()),
                _ => {}
            }
            let moved = known || up.steps.iter().any(|step| step.reached > Reached::Captured);
            if comes_up(up.verb) && answers && (moved || begun.elapsed() >= SETTLED) {
                up.reach(Reached::Ssh, fresh::now());
            }
            let stays_down = known && vm.as_deref() == Some("stopped");
            let nobody_to_ask = !self.config.target.is_configured() && vm.is_some();
            up.over = !comes_up(up.verb)
                || up.has(Reached::Ssh)
                || stays_down
                || nobody_to_ask
                || begun.elapsed() >= PATIENCE;
            self.publish(&up, |way| *way = Some(Way { up: up.clone(), running: false }));
            if !up.over {
                tokio::time::sleep(AGAIN).await;
            }
        }
        up
    }

    /// The VM's state as the hypervisor last said it, and whether SSH answered.
    fn seen(&self) -> (Option<String>, bool) {
        let known = self.known();
        let vm = match known.host.as_ref().map(|look| &look.says) {
            Some(HostSays::Answers { vm, .. }) => Some(vm.clone()),
            _ => None,
        };
        (vm, matches!(known.ssh.as_ref().map(|look| &look.says), Some(SshSays::Answers(_))))
    }
}
