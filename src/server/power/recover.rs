//! What became of a run whose connection was lost, or under which the server died. The host keeps every run's state and
//! output by its id and carries a mutation through by itself, so it is asked: nothing is sent a second time. A run that has
//! not arrived there is called off, so that "nothing was done" stays true.

use std::{sync::Arc, time::Duration};

use domain::{
    call::{Run, RunSummary},
    event::{Event, Level},
    host::Fate,
    ids::{RunId, SessionId},
    verb::{self, HostEnd, Mutation, Outcome},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Power, RETRY, live::LiveRun, locked};
use crate::server::{
    child::Bounds,
    fresh,
    sessions::{Sessions, session::Session},
    store::{Form, runs},
};

/// How long one question may take.
const QUESTION: Duration = Duration::from_secs(15);
/// How often a run that goes on is looked at.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a host that does not answer is tried: at first, and at most.
const UNANSWERED: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(60);
/// For how long, in milliseconds, the host surely keeps a run that began there.
const SURELY_KEPT: u64 = 60 * 60 * 1000;
/// For how long an outcome that nobody knows is asked for, in the background.
const GIVE_UP: Duration = Duration::from_secs(24 * 60 * 60);

/// How a run ended after all.
pub(super) struct Found {
    pub end: HostEnd,
    pub detail: String,
}

/// A run of this target that the last server left open, and that is followed again.
pub struct Resumed {
    pub run: Arc<LiveRun>,
    pub session: Option<Arc<Session>>,
}

impl Power {
    /// Asks the host what became of a run until it ended or `until`; its output is shown as it comes.
    pub(super) async fn find_out(&self, live: &LiveRun, until: Instant) -> Option<Found> {
        let mut pause = UNANSWERED;
        let Run { run_id, started, .. } = live.run();
        loop {
            // The host keeps its newest runs: that it does not know an old one says nothing. And one that has printed
            // something has begun, also where the host could not keep it.
            let is_silent = live.run().stdout.is_empty();
            let is_new = is_silent && fresh::now().since(started) < SURELY_KEPT;
            let bounds = Bounds { env: self.config.child_env.clone(), limit: QUESTION, stop: CancellationToken::new() };
            let wait = match self.config.hypervisor.fate(&run_id, is_new, self.config.output_bytes, &bounds).await {
                // A host that keeps nothing cannot say.
                None | Some(Fate::NotKept) => {
                    let wait = pause;
                    pause = (pause * 2).min(LONGEST);
                    wait
                }
                Some(fate) => {
                    live.catch_up(fate.output());
                    if let Some(end) = fate.end() {
                        let detail = match end {
                            HostEnd::Lost => "the hypervisor began it and it was killed there: check with status",
                            HostEnd::NotSent => "it never reached the hypervisor, nothing was done: tap again",
                            _ => "the connection was lost on the way; the hypervisor said afterwards how it ended",
                        };
                        return Some(Found { end, detail: detail.into() });
                    }
                    pause = UNANSWERED;
                    AGAIN
                }
            };
            if Instant::now() + wait > until {
                return None;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Takes up the runs that the last server left open: follows those that the host keeps by their id, and says of the
    /// others that nobody knows. While the record cannot be read it is tried again: a full disk must not keep the console
    /// from starting. `form` makes of a run what the key of its call is answered.
    pub async fn resume(self: &Arc<Self>, sessions: &Arc<Sessions>, form: Form<Run>) -> Vec<Resumed> {
        let opened = fresh::now();
        let Ok(open) = self.store.open_runs(self.config.target_name.clone(), opened).await else {
            let (power, sessions) = (Arc::clone(self), Arc::clone(sessions));
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(RETRY).await;
                    if let Ok(open) = power.store.open_runs(power.config.target_name.clone(), opened).await {
                        return drop(power.resume_all(open, &sessions, form).await);
                    }
                }
            });
            return Vec::new();
        };
        if let Some(unknown) =
            self.unknown_mutation().filter(|unknown| open.iter().all(|(run, _)| run.run_id != unknown.run_id))
        {
            let stored = self.store.run(unknown.run_id.clone()).await.ok().flatten();
            let session = session_of(stored.and_then(|run| run.session_id).as_ref(), sessions).await;
            self.ask_on(unknown.run_id, session);
        }
        self.resume_all(open, sessions, form).await
    }

    async fn resume_all(
        self: &Arc<Self>,
        open: Vec<(RunSummary, bool)>,
        sessions: &Arc<Sessions>,
        form: Form<Run>,
    ) -> Vec<Resumed> {
        let mut resumed = Vec::new();
        for (summary, is_ours) in open {
            let RunSummary { run_id, verb, by, session_id, started, .. } = summary;
            let session = session_of(session_id.as_ref(), sessions).await;
            if verb.mutates() && is_ours {
                let mut mutations = locked(&self.mutations);
                // Where the record could not be read at first, somebody may have begun another one meanwhile.
                if mutations.running.is_none() {
                    mutations.resolve(&run_id);
                    mutations.begin(Mutation { run_id: run_id.clone(), verb, by: by.clone(), started });
                }
            }
            let run = Run::begun(run_id.clone(), verb, by, session_id, started);
            let live = Arc::new(LiveRun::new(run, self.config.output_bytes));
            let asking = "the console ended while this ran; the hypervisor is being asked what became of it";
            live.note(Some(asking.into()));
            locked(&self.live).insert(run_id, Arc::clone(&live));
            let (power, watched, told) = (Arc::clone(self), Arc::clone(&live), session.clone());
            tokio::spawn(async move { power.end_resumed(watched, told, is_ours, form).await });
            if is_ours {
                resumed.push(Resumed { run: live, session });
            }
        }
        resumed
    }

    async fn end_resumed(
        self: Arc<Self>,
        live: Arc<LiveRun>,
        session: Option<Arc<Session>>,
        is_ours: bool,
        form: Form<Run>,
    ) {
        let begun = live.run();
        // Another target's hypervisor would know nothing of it, and that would say nothing.
        let found = if begun.verb.is_kept() && is_ours && self.is_configured() {
            self.find_out(&live, Instant::now() + self.config.limit_of_asking()).await
        } else {
            None
        };
        live.note(None);
        let Found { end, detail } = found.unwrap_or_else(|| Found {
            end: HostEnd::Lost,
            detail: match begun.verb.mutates() {
                true => "the console ended while this ran; the host carries it through by itself: check with status",
                false => "the console ended while this ran; it changes nothing, so it can be repeated",
            }
            .into(),
        });
        let outcome = verb::outcome_of(&end);
        let exit_code = if let HostEnd::Exited(code) = end { Some(code) } else { None };
        let run = live.ended(outcome, exit_code, end == HostEnd::NotSent, Some(detail));
        let write = || runs::end_abandoned(run.clone(), (!run.rejected).then(|| form(&run)));
        let record = || self.record(session.as_ref(), super::ended_event(&run.summary()), write());
        let unrecorded = record().await.err();
        // Whoever waits for this to end, waits for the host and not for the disk.
        locked(&self.mutations).end(&run.run_id, run.verb, super::ending_of(&run));
        if let Some(error) = &unrecorded {
            self.say_unrecorded(&run, error);
            live.note(Some(format!("{error}: how this ended is not on the console's record yet")));
        }
        live.tell_ended();
        if unrecorded.is_some() {
            while record().await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
        }
        locked(&self.live).remove(&run.run_id);
        if outcome == Outcome::Unknown && run.verb.mutates() && is_ours {
            self.ask_on(run.run_id, session);
        }
    }

    /// Goes on asking for the outcome of a mutation that nobody knows, and puts it right when it comes to be known.
    pub(super) fn ask_on(self: &Arc<Self>, id: RunId, session: Option<Arc<Session>>) {
        if !self.is_configured() {
            return;
        }
        let power = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(Some(mut run)) = power.store.run(id.clone()).await else { return };
            // It may have gone on there for longer than anybody listened.
            let listened = Run { stdout: String::new(), ended: None, ..run.clone() };
            let live = LiveRun::new(listened, power.config.output_bytes);
            let Some(Found { end, .. }) = power.find_out(&live, Instant::now() + GIVE_UP).await else { return };
            let outcome = verb::outcome_of(&end);
            if outcome == Outcome::Unknown {
                return;
            }
            let exit_code = if let HostEnd::Exited(code) = end { Some(code) } else { None };
            let heard = live.run();
            (run.outcome, run.exit_code, run.rejected) = (Some(outcome), exit_code, end == HostEnd::NotSent);
            run.detail = Some("nobody knew at first; the hypervisor said later how it ended".into());
            if !heard.stdout.is_empty() {
                (run.stdout, run.truncated) = (heard.stdout, heard.truncated);
            }
            let words = match (outcome, exit_code) {
                (Outcome::Done, Some(0)) => "it was done".to_owned(),
                (Outcome::Done, code) => format!("it failed, exit code {}", code.unwrap_or_default()),
                _ => "nothing was done".to_owned(),
            };
            let text = format!("What became of {}'s {} has come to be known: {words}.", run.by, run.verb);
            let notice = || Event::Notice { level: Level::Info, text: text.clone() };
            while power.record(session.as_ref(), notice(), runs::resolve_run(run.clone())).await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
            locked(&power.mutations).resolve(&id);
        });
    }
}

async fn session_of(id: Option<&SessionId>, sessions: &Sessions) -> Option<Arc<Session>> {
    match id {
        Some(id) => sessions.get(id).await.ok(),
        None => None,
    }
}
