//! Power: runs of verbs on the hypervisor, with no AI in the path.
//!
//! A run goes: admitted by `domain::verb` → its intent on disk → the host's script over SSH, in a task of its own →
//! output live → where the connection is lost, the host is asked what became of it → outcome on disk → told to its
//! session. When the record cannot be written the operator is told, it goes to standard error, and the verb runs all the
//! same: a full disk must not cost a rescue.
//!
//! **Architecture invariant:** nothing outside this module knows how to reach the hypervisor.

mod host_key;
pub mod hypervisor;
pub mod live;
mod recover;

use std::{
    collections::HashMap,
    ffi::OsString,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    call::{Code, OutputStream, Run, RunSummary, VerbAnswer},
    event::Event,
    host::{CaptureId, Part},
    ids::RunId,
    probe::ChangedKey,
    runbook::StepOutcome,
    verb::{self, Ending, HostEnd, Lock, Mutation, Mutations, Outcome, Refused, Verb},
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

pub use self::{host_key::NotAccepted, hypervisor::NoCapture, recover::Resumed};
use self::{
    hypervisor::{Hypervisor, Report},
    live::LiveRun,
};
use super::{
    child::{Bounds, CappedText},
    fresh,
    sessions::session::Session,
    store::{Also, Form, Intent, Store, StoreError, StoredAnswer, runs},
};

/// A verb that somebody wants run.
pub struct Ask {
    pub verb: Verb,
    /// The operator's name.
    pub by: String,
    /// The session that it is recorded in.
    pub session: Option<Arc<Session>>,
    /// Run although the outcome of the last mutation is unknown.
    pub override_unknown: bool,
    /// The call that must happen at most once, and what its key is answered should the server die under it.
    pub recorded: Option<(Intent, Form<Run>)>,
    /// Ends the wait for a verb that changes nothing. What mutates is waited for in any case.
    pub stop: CancellationToken,
}

/// Why a verb was not run. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    #[error("no hypervisor is configured: set BREAKGLASS_PVE_HOST or BREAKGLASS_SSH_CONFIG")]
    Unconfigured,
    #[error("{0}")]
    Refused(Refused),
}

impl Rejected {
    /// The same in the shape of an answer.
    pub fn answer(&self, verb: Verb) -> VerbAnswer {
        VerbAnswer {
            run_id: None,
            verb,
            outcome: Outcome::Refused,
            exit_code: None,
            stdout: String::new(),
            stderr: String::new(),
            rejected: true,
            duration_ms: 0,
            truncated: false,
            detail: Some(self.to_string()),
            code: match self {
                Rejected::Unconfigured => None,
                Rejected::Refused(Refused::MutationRunning(_)) => Some(Code::MutationRunning),
                Rejected::Refused(Refused::OutcomeUnknown(_)) => Some(Code::OutcomeUnknown),
                Rejected::Refused(Refused::Locked(_)) => Some(Code::TargetLocked),
            },
        }
    }
}

/// What the module is made with.
pub struct PowerConfig {
    pub hypervisor: Hypervisor,
    pub target_name: String,
    pub limit: Duration,
    pub output_bytes: usize,
    pub child_env: Vec<(OsString, OsString)>,
}

impl PowerConfig {
    /// How long a caller waits at most for the outcome of a run whose connection was lost: the verb's own limit, and a
    /// quarter more in which the host can be asked.
    fn limit_of_asking(&self) -> Duration {
        self.limit + self.limit / 4
    }
}

/// The runs of one target.
pub struct Power {
    config: PowerConfig,
    store: Store,
    /// **Invariant:** at most one mutation runs; see `domain::verb`.
    mutations: Mutex<Mutations>,
    /// The runs that have not ended, and those whose end could not be recorded.
    live: Mutex<HashMap<RunId, Arc<LiveRun>>>,
    /// The hypervisor's host key, when the last connection showed another one than is pinned.
    other_key: Mutex<Option<ChangedKey>>,
}

/// What stands in the way of a mutation, or may.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The mutation that runs.
    pub running: Option<Mutation>,
    /// The last one, while nobody knows what became of it.
    pub unknown: Option<Mutation>,
    pub lock: Option<Lock>,
    pub other_key: Option<ChangedKey>,
}

/// The longest capture, or part of one, that is passed on, in bytes.
const CAPTURE_BYTES: usize = 32 << 20;
/// How long the host has to give one.
const CAPTURE: Duration = Duration::from_secs(30);

/// How long a rescue waits for the record before it goes on without it. What is late is written all the same, in its order.
const RECORD: Duration = Duration::from_secs(5);
/// How long to wait before the end of a run is recorded again, when it could not be.
const RETRY: Duration = Duration::from_secs(2);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Power {
    /// Takes up where the last server left off: what it began and did not end has an unknown outcome until
    /// [`Power::resume`] has asked the host.
    pub async fn open(config: PowerConfig, store: Store) -> Result<Arc<Self>, StoreError> {
        let unknown = store.unknown_mutation(config.target_name.clone()).await?;
        let lock = store.lock(config.target_name.clone()).await?;
        let mutations = Mutex::new(Mutations { unknown, lock, ..Mutations::default() });
        Ok(Arc::new(Power { config, store, mutations, live: Mutex::default(), other_key: Mutex::default() }))
    }

    /// The last mutation, if nobody knows what became of it.
    pub fn unknown_mutation(&self) -> Option<Mutation> {
        locked(&self.mutations).unknown.clone()
    }

    /// What stands in the way of a mutation, or may.
    pub fn standing(&self) -> Standing {
        let Mutations { running, unknown, lock, .. } = locked(&self.mutations).clone();
        Standing { running, unknown, lock, other_key: locked(&self.other_key).clone() }
    }

    /// Forbids mutations, or allows them again. It holds at once, also where it cannot be recorded: then only until the
    /// next start.
    pub async fn set_lock(&self, lock: Option<Lock>) -> Result<(), StoreError> {
        locked(&self.mutations).lock.clone_from(&lock);
        self.store.set_lock(self.config.target_name.clone(), lock).await
    }

    /// Pins the host key of this fingerprint in place of the one that was pinned, if the hypervisor shows it now.
    pub async fn accept_host_key(&self, fingerprint: &str) -> Result<(), NotAccepted> {
        host_key::accept(&self.config.hypervisor, fingerprint, &self.bounds(CAPTURE)).await?;
        *locked(&self.other_key) = None;
        Ok(())
    }

    /// A capture of the host's as a tar archive, or one part of it.
    pub async fn capture(&self, id: CaptureId, part: Option<Part>) -> Result<Vec<u8>, NoCapture> {
        self.config.hypervisor.capture(id, part, CAPTURE_BYTES, &self.bounds(CAPTURE)).await
    }

    fn bounds(&self, limit: Duration) -> Bounds {
        Bounds { env: self.config.child_env.clone(), limit, stop: CancellationToken::new() }
    }

    /// Runs a verb at the host, and keeps in mind what its host key is.
    async fn run_there(
        &self,
        verb: Verb,
        id: Option<RunId>,
        bounds: &Bounds,
        output: impl FnMut(OutputStream, &[u8]) + Send,
    ) -> Report {
        let mut report = self.config.hypervisor.run(verb, id, bounds, output).await;
        match report.other_key.take() {
            Some(seen) => {
                let known = locked(&self.other_key).clone();
                // Since when it is so is kept while it stays the same one.
                let changed = match known.filter(|known| known.seen == seen) {
                    Some(known) => Some(known),
                    None => {
                        let bounds = self.bounds(CAPTURE);
                        host_key::changed(&self.config.hypervisor, seen, fresh::now(), &bounds).await
                    }
                };
                if let Some(ChangedKey { pinned, seen, .. }) = &changed {
                    report.detail = Some(format!(
                        "the hypervisor shows another host key than before, nothing was sent: {seen} in place of {pinned}. \
                         If it was installed anew, accept the new key; if not, somebody may stand in between"
                    ));
                }
                *locked(&self.other_key) = changed;
            }
            None if report.end != HostEnd::NotSent => *locked(&self.other_key) = None,
            None => {}
        }
        report
    }

    /// True when verbs can be tried.
    pub fn is_configured(&self) -> bool {
        self.config.hypervisor.is_configured()
    }

    /// Begins a run. It goes on whatever becomes of the caller.
    pub async fn begin(self: &Arc<Self>, ask: Ask) -> Result<Arc<LiveRun>, Rejected> {
        if !self.is_configured() {
            return Err(Rejected::Unconfigured);
        }
        let Ask { verb, by, session, override_unknown, recorded, stop } = ask;
        let (run_id, started) = (fresh::run_id(), fresh::now());
        {
            let mut mutations = locked(&self.mutations);
            verb::admit(verb, override_unknown, &mutations).map_err(Rejected::Refused)?;
            mutations.begin(Mutation { run_id: run_id.clone(), verb, by: by.clone(), started });
        }
        let session_id = session.as_ref().map(|session| session.id.clone());
        let run = Run::begun(run_id.clone(), verb, by, session_id, started);
        let live = Arc::new(LiveRun::new(run.clone(), self.config.output_bytes));
        locked(&self.live).insert(run_id, Arc::clone(&live));
        let power = Arc::clone(self);
        let watched = Arc::clone(&live);
        // From here on it is carried through: not even the caller's going away between intent and sending ends it.
        tokio::spawn(async move { power.carry_through(watched, run, session, recorded, stop).await });
        Ok(live)
    }

    async fn carry_through(
        self: Arc<Self>,
        live: Arc<LiveRun>,
        begun: Run,
        session: Option<Arc<Session>>,
        recorded: Option<(Intent, Form<Run>)>,
        stop: CancellationToken,
    ) {
        let verb = begun.verb;
        let if_server_dies = Run {
            ended: Some(begun.started),
            outcome: Some(Outcome::Unknown),
            detail: Some("the console ended while this ran: check with status".into()),
            ..begun.clone()
        };
        let key = recorded.clone();
        let provisional = recorded.map(|(intent, form)| (intent, form(&if_server_dies)));
        let beginning = runs::begin_run(self.config.target_name.clone(), begun.summary(), provisional);
        if let Err(error) = self.record(session.as_ref(), begun_event(&begun), beginning).await {
            self.say_unrecorded(&begun, &error);
            live.note(Some(format!("{error}: this run is not on the console's record; it goes on all the same")));
        }

        let stop = if verb.mutates() { CancellationToken::new() } else { stop };
        let bounds = Bounds { stop, ..self.bounds(self.config.limit) };
        let until = Instant::now() + self.config.limit_of_asking();
        let id = verb.is_kept().then(|| begun.run_id.clone());
        let Report { mut end, mut detail, .. } =
            self.run_there(verb, id, &bounds, |stream, bytes| live.push(stream, bytes)).await;
        if end == HostEnd::Lost && verb.is_kept() && !bounds.stop.is_cancelled() {
            let asking =
                "the connection to the hypervisor was lost; it goes on there, and is being asked what became of it";
            let before = live.note(Some(asking.into()));
            if let Some(found) = self.find_out(&live, until).await {
                (end, detail) = (found.end, Some(found.detail));
            }
            live.note(before);
        }

        let outcome = verb::outcome_of(&end);
        let exit_code = if let HostEnd::Exited(code) = end { Some(code) } else { None };
        let run = live.ended(outcome, exit_code, end == HostEnd::NotSent, detail);
        // A key whose call did nothing may try again, so what was recorded for it goes with the run's end.
        let key = key.map(|(intent, form)| (intent, (!run.rejected).then(|| form(&run))));
        let unrecorded = self.record_end(&run, session.as_ref(), key.clone()).await.err();
        locked(&self.mutations).end(&run.run_id, verb, ending_of(&run));
        if let Some(error) = &unrecorded {
            self.say_unrecorded(&run, error);
            live.note(Some(format!("{error}: how this ended is not on the console's record yet")));
        }
        live.tell_ended();
        if unrecorded.is_some() {
            while self.record_end(&run, session.as_ref(), key.clone()).await.is_err() {
                tokio::time::sleep(RETRY).await;
            }
        }
        locked(&self.live).remove(&run.run_id);
        if outcome == Outcome::Unknown && verb.mutates() {
            self.ask_on(run.run_id, session);
        }
    }

    async fn record_end(
        &self,
        run: &Run,
        session: Option<&Arc<Session>>,
        key: Option<(Intent, Option<StoredAnswer>)>,
    ) -> Result<(), StoreError> {
        let end = runs::end_run(self.config.target_name.clone(), run.clone(), key);
        self.record(session, ended_event(&run.summary()), end).await
    }

    /// Writes what a run is now, and the entry that tells its session, in one transaction: a server that dies between
    /// the two would leave one of them wrong for ever.
    async fn record(&self, session: Option<&Arc<Session>>, event: Event, write: Also) -> Result<(), StoreError> {
        let written = async {
            match session {
                Some(session) => session.append(event, Some(write)).await.map(drop),
                None => self.store.write_alone(write).await,
            }
        };
        // A disk that hangs is as bad as one that is full: it may be the hypervisor's own.
        timeout(RECORD, written).await.unwrap_or(Err(StoreError::Hangs))
    }

    /// What cannot go into the record goes where somebody may find it.
    fn say_unrecorded(&self, run: &Run, error: &StoreError) {
        let Run { run_id, verb, by, outcome, exit_code, .. } = run;
        tracing::error!(%run_id, %verb, %by, ?outcome, ?exit_code, %error, "a run could not be recorded");
    }

    /// What the hypervisor says of the VM now. It is no run: nobody asked for it and nothing is changed.
    pub async fn look(&self, limit: Duration) -> StepOutcome {
        let mut output = CappedText::new(64 << 10);
        let heard = |_, bytes: &[u8]| {
            output.push(bytes);
        };
        let report = self.run_there(Verb::Status, None, &self.bounds(limit), heard).await;
        match report.end {
            HostEnd::Exited(code) => {
                StepOutcome::Exited { code, output: output.text().to_owned(), truncated: output.truncated() }
            }
            HostEnd::NotSent | HostEnd::Lost => {
                StepOutcome::Unreachable { why: report.detail.unwrap_or_else(|| "no answer".into()) }
            }
        }
    }

    /// A run that has not ended, or whose end could only be kept in memory.
    pub fn live(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        locked(&self.live).get(id).cloned()
    }

    /// One run, as far as it has come.
    pub async fn run(&self, id: &RunId) -> Result<Option<Run>, StoreError> {
        if let Some(live) = self.live(id) {
            return Ok(Some(live.run()));
        }
        let mut run = self.store.run(id.clone()).await?;
        if let Some(run) = run.as_mut().filter(|run| run.outcome.is_none()) {
            // The last server died under it, and that could not be recorded yet.
            run.outcome = Some(Outcome::Unknown);
            run.ended = Some(run.started);
        }
        Ok(run)
    }

    /// The newest runs, newest first.
    pub async fn runs(&self, limit: u64) -> Result<Vec<RunSummary>, StoreError> {
        let mut runs = self.store.runs(limit).await?;
        for live in locked(&self.live).values() {
            let summary = live.run().summary();
            match runs.iter_mut().find(|run| run.run_id == summary.run_id) {
                Some(run) => *run = summary,
                None => runs.push(summary),
            }
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.started));
        runs.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(runs)
    }
}

/// How a run ended, for who decides what may begin.
fn ending_of(run: &Run) -> Ending {
    let outcome = run.outcome.unwrap_or(Outcome::Unknown);
    Ending { outcome, exit_code: run.exit_code, started: run.started, ended: run.ended.unwrap_or(run.started) }
}

fn begun_event(run: &Run) -> Event {
    Event::Verb { run_id: run.run_id.clone(), verb: run.verb, by: run.by.clone(), outcome: None, exit_code: None }
}

fn ended_event(run: &RunSummary) -> Event {
    let outcome = Some(run.outcome.unwrap_or(Outcome::Unknown));
    Event::Verb { run_id: run.run_id.clone(), verb: run.verb, by: run.by.clone(), outcome, exit_code: run.exit_code }
}
