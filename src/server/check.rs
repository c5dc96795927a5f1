//! Verified, not claimed: after a turn or a run that may have changed something, the console looks at the target itself,
//! with a plain command and a question to the hypervisor, and records what it saw. The rules that read it are the runbook's.
//! "Fixed" is never the agent's word alone.

use std::{
    ffi::OsString,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    event::Event,
    ids::{Millis, duration_text},
    preset::{Action, Presets},
    runbook::{self, Observation, Reading, StepOutcome},
    verb::Verb,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    child::Bounds,
    fresh,
    power::{Power, live::LiveRun},
    sessions::{backend::AfterTurn, locked, session::Session},
    target::Target,
};

/// Looks at the target, one look at a time.
pub struct Checker {
    pub target: Target,
    pub target_name: String,
    pub power: Arc<Power>,
    pub child_env: Vec<(OsString, OsString)>,
    /// What is run on the target; see [`glance`].
    pub glance: String,
    /// How much of its output is read, in bytes.
    pub output_bytes: usize,
    pub known: Mutex<Option<Contact>>,
    pub looking: tokio::sync::Mutex<()>,
}

/// Whether the target answered when it was last looked at, and since when that is so.
#[derive(Clone, Copy, Debug)]
pub struct Contact {
    answers: bool,
    since: Millis,
}

/// How long a look at either may take.
const LOOK: Duration = Duration::from_secs(15);
/// How long a target has to answer after a mutation, and how often it is tried.
const WAY_UP: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_secs(3);
/// How long one try on the way up may take.
const TRY: Duration = Duration::from_secs(8);

/// What is run at a look: the first step of the presets that reads load, which says most in one command.
pub fn glance(presets: &Presets) -> String {
    let steps = presets.iter().flat_map(|preset| &preset.step);
    let command = steps.filter(|step| step.reads() == Reading::Load).find_map(|step| match step.action() {
        Action::Command(command) => Some(command.clone()),
        Action::Verb(_) => None,
    });
    command.unwrap_or_else(|| "uptime".into())
}

impl Checker {
    /// Looks now, and records it in a session. `before` is said first.
    async fn check(&self, session: &Arc<Session>, before: Option<String>) {
        if !self.target.is_configured() && !self.power.is_configured() {
            return;
        }
        let _one = self.looking.lock().await;
        let (inside, outside) = tokio::join!(self.inside(), self.outside());
        let since = inside.as_ref().map(|seen| self.since(matches!(seen.outcome, StepOutcome::Exited { .. })));
        let observed: Vec<_> = inside.into_iter().chain(outside).collect();
        let verdict = runbook::verdict(&self.target_name, &observed);
        let facts = before.into_iter().chain(verdict.facts()).chain(since).collect();
        let check =
            Event::Check { ok: !verdict.is_trouble() && !verdict.read.is_empty(), text: verdict.headline(), facts };
        if let Err(error) = session.append(check, None).await {
            tracing::error!(session = %session.id, %error, "a check could not be recorded");
        }
    }

    /// What the target says of itself.
    async fn inside(&self) -> Option<Observation> {
        if !self.target.is_configured() {
            return None;
        }
        let end = self.target.run(&self.glance, LOOK, self.output_bytes, &self.bounds(LOOK)).await;
        let outcome = end.outcome(LOOK);
        Some(Observation { reading: Reading::Load, title: "load and processes".into(), outcome })
    }

    /// What the hypervisor says of it.
    async fn outside(&self) -> Option<Observation> {
        if !self.power.is_configured() {
            return None;
        }
        let outcome = self.power.look(LOOK).await;
        Some(Observation { reading: Reading::HypervisorStatus, title: "the hypervisor's status".into(), outcome })
    }

    /// Since when it is so, in words, and remembers it.
    fn since(&self, answers: bool) -> String {
        let mut known = locked(&self.known);
        let contact = match *known {
            Some(contact) if contact.answers == answers => contact,
            _ => Contact { answers, since: fresh::now() },
        };
        *known = Some(contact);
        let what = if answers { "SSH answers" } else { "SSH does not answer" };
        format!("{what}, since {} UTC at the latest", contact.since.utc_time())
    }

    /// Waits until the target answers after a mutation, then looks. A stop is looked at at once.
    async fn way_up(&self, verb: Verb, session: &Arc<Session>) {
        if verb == Verb::Stop || !self.target.is_configured() {
            return self.check(session, None).await;
        }
        let begun = Instant::now();
        let answered = loop {
            let end = self.target.run("true", TRY, 1024, &self.bounds(TRY)).await;
            if matches!(end.outcome(TRY), StepOutcome::Exited { .. }) {
                break true;
            }
            if begun.elapsed() > WAY_UP {
                break false;
            }
            tokio::time::sleep(AGAIN).await;
        };
        let took = duration_text(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
        let words = match answered {
            true => format!("{} answered over SSH {took} after the {verb}", self.target_name),
            false => format!("{} did not answer over SSH within {took} of the {verb}", self.target_name),
        };
        self.check(session, Some(words)).await;
    }

    /// Follows a run of a mutating verb, and says in its session what became of the target.
    pub fn after_run(self: &Arc<Self>, run: Arc<LiveRun>, verb: Verb, session: Arc<Session>) {
        let checker = Arc::clone(self);
        tokio::spawn(async move {
            // What was never sent has changed nothing.
            if !run.wait().await.rejected {
                checker.way_up(verb, &session).await;
            }
        });
    }

    fn bounds(&self, limit: Duration) -> Bounds {
        Bounds { env: self.child_env.clone(), limit, stop: CancellationToken::new() }
    }
}

impl AfterTurn for Arc<Checker> {
    fn may_have_changed(&self, session: Arc<Session>) {
        let checker = Arc::clone(self);
        tokio::spawn(async move { checker.check(&session, None).await });
    }
}
