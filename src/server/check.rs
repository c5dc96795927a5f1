//! Verified, not claimed: after a turn or a run that may have changed something, the console looks at the target itself and
//! records what it saw. The look is the prober's and the rules are the strip's. "Fixed" is never the agent's word alone.

use std::sync::Arc;

use domain::{
    event::Event,
    ids::duration_text,
    probe::{Reached, Standing, WayUp},
};
use tokio::task::JoinHandle;

use super::{
    fresh,
    power::live::LiveRun,
    probe::Prober,
    sessions::{backend::AfterTurn, session::Session},
};

/// Records what was seen after something may have changed.
pub struct Checker {
    pub prober: Arc<Prober>,
}

impl Checker {
    /// Records in a session what is known now. `before` is said first.
    async fn record(&self, session: &Arc<Session>, before: Vec<String>) {
        let Some(verdict) = self.prober.verdict() else {
            return;
        };
        // What the headline says need not be said again.
        let reasons = verdict.reasons.into_iter().filter(|reason| !verdict.headline.contains(reason.as_str()));
        let facts = before.into_iter().chain(reasons).chain(self.prober.since()).collect();
        let check = Event::Check {
            ok: verdict.standing == Standing::AllAnswers,
            text: format!("{}: {}", self.prober.target_name(), verdict.headline),
            facts,
        };
        if let Err(error) = session.append(check, None).await {
            tracing::error!(session = %session.id, %error, "a check could not be recorded");
        }
    }

    /// Says in its session what became of the target after a run, once the way up that is followed is over.
    pub fn after_run(self: &Arc<Self>, way_up: JoinHandle<Option<WayUp>>, session: Arc<Session>) {
        let checker = Arc::clone(self);
        tokio::spawn(async move {
            // What was never done has changed nothing.
            if let Ok(Some(way_up)) = way_up.await {
                checker.record(&session, checker.told(&way_up)).await;
            }
        });
    }

    /// How long the way up took, in words.
    fn told(&self, way_up: &WayUp) -> Vec<String> {
        let target = self.prober.target_name();
        let verb = way_up.verb;
        let awaited = super::probe::comes_up(verb) && self.prober.status().ssh.is_some();
        if way_up.failed {
            let failed = format!("the {verb} failed before it moved {target}: its output says why");
            return [failed].into_iter().chain(way_up.times()).collect();
        }
        let answered = way_up.steps.iter().find(|step| step.reached == Reached::Ssh);
        let words = match answered {
            Some(step) => {
                let took = duration_text(step.at.since(way_up.began));
                Some(format!("{target} answered over SSH {took} after the {verb} began"))
            }
            None if awaited => {
                let waited = duration_text(fresh::now().since(way_up.began));
                Some(format!("{target} did not answer over SSH within {waited} of the {verb}"))
            }
            None => None,
        };
        words.into_iter().chain(way_up.times()).collect()
    }
}

/// Follows a run to the target's return, if it is one of a verb that mutates; where the target is checked, what was seen
/// then stands in the run's session.
pub fn follow(prober: &Arc<Prober>, checker: Option<&Arc<Checker>>, run: &Arc<LiveRun>, session: Option<Arc<Session>>) {
    let verb = run.run().verb;
    if verb.mutates() {
        let way_up = prober.follow(Arc::clone(run), verb);
        if let (Some(checker), Some(session)) = (checker, session) {
            checker.after_run(way_up, session);
        }
    }
}

impl AfterTurn for Arc<Checker> {
    fn may_have_changed(&self, session: Arc<Session>) {
        let checker = Arc::clone(self);
        tokio::spawn(async move {
            checker.prober.look().await;
            checker.record(&session, Vec::new()).await;
        });
    }
}
