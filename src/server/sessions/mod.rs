//! Sessions: who has which, what runs in them, and how a prompt becomes a turn. It knows nothing of HTTP.
//!
//! `domain::turn` decides whether a prompt is let in; this module acts on it. A turn runs in a task of its own, so that
//! no client's going away ends it.

pub mod backend;
mod chunks;
pub mod permissions;
mod recent;
pub mod session;
mod slot;
mod turn;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    call::SessionSummary,
    event::{Event, Level},
    ids::{Millis, SessionId},
    turn::{Admission, Ending, Phase, Refused, admit},
};

use tokio::sync::{mpsc, oneshot};

use self::{
    backend::{AfterTurn, Backend, Steer, Task},
    chunks::Chunks,
    permissions::Verdict,
    session::Session,
};
use super::{
    config::Limits,
    disk::Disk,
    fresh,
    store::{Intent, Store, StoreError, StoredAnswer, StoredSession, Wanted},
};

/// Why a session did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("there is no session {0}: it may belong to another console; open a new one")]
    Unknown(SessionId),
    #[error("{0}")]
    Refused(Refused),
    #[error("{0}")]
    Steer(&'static str),
    #[error("the agent asked for no permission {0:?} that is still open: look at the transcript")]
    UnknownPermission(String),
    #[error("this was decided already: the transcript says by whom")]
    AlreadyDecided,
    #[error("the console is about to end: send this again in a moment")]
    Ending,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who does the turns: with AI where there is one, and always without.
pub struct Backends {
    /// The agent, where one is configured.
    pub ai: Option<Arc<dyn Backend>>,
    /// The presets' commands and the rules that read them.
    pub runbook: Arc<dyn Backend>,
}

/// A prompt that is well formed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What is to be done.
    pub task: Task,
    /// Deliver it into the running turn.
    pub steer: bool,
    /// Run the runbook although there is an AI.
    pub without_ai: bool,
}

/// How many messages may be on their way into one turn; more wait for their place.
const MESSAGES: usize = 4;

/// How many sessions may be in memory before those are forgotten that nobody looks at. Each has up to 1 MiB of frames.
const IN_MEMORY: usize = 64;

/// All sessions of this server.
pub struct Sessions {
    store: Store,
    backends: Backends,
    limits: Limits,
    disk: Disk,
    chunks: Arc<Chunks>,
    /// Looks at what a turn has done, where that is wanted.
    after: Option<Box<dyn AfterTurn>>,
    open: Mutex<HashMap<SessionId, Arc<Session>>>,
    /// Held while a session is read from the record and put into `open`: one that was read earlier and put there later,
    /// after it had been used and forgotten, would not know its newest entries.
    reading: tokio::sync::Mutex<()>,
    /// The turns that run. Its lock is taken before that of a session's turn.
    running: Mutex<Running>,
}

/// What is known of all turns together.
#[derive(Debug, Default)]
struct Running {
    count: usize,
    /// True once the server is about to end: nothing new begins.
    ending: bool,
}

pub(in crate::server) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    /// The sessions on record. Turns that the last server left open are closed first.
    pub async fn open(
        store: Store,
        backends: Backends,
        limits: Limits,
        disk: Disk,
        after: Option<Box<dyn AfterTurn>>,
    ) -> Result<Arc<Self>, StoreError> {
        let sessions = Arc::new(Sessions {
            store: store.clone(),
            backends,
            limits,
            disk,
            chunks: Arc::default(),
            after,
            open: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            running: Mutex::default(),
        });
        for stored in store.unclosed_sessions().await? {
            // When it cannot be written now, it is tried again: a full disk must not keep the console from starting.
            sessions.adopt(stored).close_turn(Ending::ServerEnded, || ()).await;
        }
        Ok(sessions)
    }

    fn adopt(&self, stored: StoredSession) -> Arc<Session> {
        let mut open = locked(&self.open);
        if open.len() >= IN_MEMORY {
            open.retain(|_, session| !session.is_forgettable());
        }
        let id = stored.id.clone();
        Arc::clone(
            open.entry(id)
                .or_insert_with(|| Arc::new(Session::new(stored, self.store.clone(), Arc::clone(&self.chunks)))),
        )
    }

    /// Opens a session.
    pub async fn create(
        &self,
        intent: Option<(Intent, StoredAnswer)>,
        id: SessionId,
    ) -> Result<Arc<Session>, StoreError> {
        let created = fresh::now();
        self.store.create_session(id.clone(), created, intent).await?;
        let stored = StoredSession {
            id,
            created,
            title: None,
            head: domain::log::Head(None),
            turn_open: false,
            archived: false,
        };
        Ok(self.adopt(stored))
    }

    /// One session.
    pub async fn get(&self, id: &SessionId) -> Result<Arc<Session>, SessionError> {
        if let Some(session) = locked(&self.open).get(id) {
            return Ok(Arc::clone(session));
        }
        let _reading = self.reading.lock().await;
        match self.store.session(id.clone()).await? {
            Some(stored) => Ok(self.adopt(stored)),
            None => Err(SessionError::Unknown(id.clone())),
        }
    }

    /// Those that are wanted, newest first.
    pub async fn list(&self, wanted: Wanted) -> Result<Vec<SessionSummary>, StoreError> {
        let stored = self.store.sessions(wanted).await?;
        let open = locked(&self.open);
        // What is in memory knows more; what is not need not be for this.
        let summary = |stored: StoredSession| match open.get(&stored.id) {
            Some(session) => session.summary(),
            None => summary_of(stored),
        };
        Ok(stored.into_iter().map(summary).collect())
    }

    /// The newest session that was not put away, if there is one.
    pub async fn newest(&self) -> Result<Option<Arc<Session>>, StoreError> {
        let _reading = self.reading.lock().await;
        let newest = self.store.sessions(Wanted { archived: false, text: None, limit: 1 }).await?;
        Ok(newest.into_iter().next().map(|stored| self.adopt(stored)))
    }

    /// Deletes a session in which nothing happened since `before`, unless somebody has it before them. True when it is gone.
    pub async fn forget(&self, id: &SessionId, before: Millis) -> Result<bool, StoreError> {
        let _reading = self.reading.lock().await;
        {
            let mut open = locked(&self.open);
            if open.get(id).is_some_and(|session| !session.is_forgettable()) {
                return Ok(false);
            }
            open.remove(id);
        }
        self.chunks.forget(id);
        self.store.delete_session(id.clone(), before).await
    }

    /// Puts a session away, or back.
    pub async fn archive(&self, session: &Session, archived: bool) -> Result<(), StoreError> {
        self.store.archive(session.id.clone(), archived).await?;
        session.set_archived(archived);
        Ok(())
    }

    /// Lets a prompt in: records it, and begins its turn or delivers it into the one that runs. When this returns, the
    /// prompt is on disk and the turn runs.
    pub async fn prompt(
        self: &Arc<Self>,
        session: &Arc<Session>,
        prompt: Prompt,
        by: String,
        intent: Option<(Intent, StoredAnswer)>,
    ) -> Result<(), SessionError> {
        let recording = || intent.clone().map(|(intent, answer)| intent.recording(fresh::now(), answer));
        while self.admitted(session, &prompt)? == Admission::Steer {
            if prompt.task.is_command() || prompt.without_ai {
                return Err(SessionError::Steer(
                    "a command of your own waits until this turn is over: stop it, or send it then",
                ));
            }
            let way = session.turn_slot().steer();
            let way =
                way.ok_or(SessionError::Steer("this turn runs without ai and takes no messages: stop it first"))?;
            let event = Event::User { text: prompt.task.spoken(), by: by.clone(), steered: true };
            let (taken, told) = oneshot::channel();
            let steer = Steer { words: prompt.task.words().to_owned(), event, also: recording(), taken };
            if way.send(steer).await.is_ok()
                && let Ok(recorded) = told.await
            {
                return recorded.map_err(SessionError::Store);
            }
            // It was not taken. Where the turn takes none after all, the next round says so.
            if session.turn_slot().takes_messages() {
                session.turn_ended().await;
                // The turn was over already, so the message begins the next one; unless its operators wanted an end.
                if session.turn_slot().ended_early() {
                    return Err(SessionError::Steer("the turn was ended before it took this message: send it again"));
                }
            }
        }
        let use_ai = self.backends.ai.as_ref().filter(|_| !prompt.without_ai && !prompt.task.is_command());
        let backend = Arc::clone(use_ai.unwrap_or(&self.backends.runbook));
        let (way, messages) = mpsc::channel(MESSAGES);
        if backend.takes_messages() {
            session.turn_slot().take_messages(way);
        }
        let begun = async {
            session.close_unclosed().await?;
            let event = Event::User { text: prompt.task.spoken(), by: by.clone(), steered: false };
            session.append(event, recording()).await
        };
        if let Err(error) = begun.await {
            self.turn_over(session);
            return Err(error.into());
        }
        if let Some(text) = self.disk.warning() {
            // The turn has begun; that it could not be warned about is no reason against it.
            let _ = session.append(Event::Notice { level: Level::Warning, text }, None).await;
        }
        tokio::spawn(turn::run(Arc::clone(self), Arc::clone(session), backend, prompt.task, by, messages));
        Ok(())
    }

    /// Asks the rule whether a prompt is let in, and counts the turn when it begins one.
    fn admitted(&self, session: &Session, prompt: &Prompt) -> Result<Admission, SessionError> {
        let mut running = locked(&self.running);
        if running.ending {
            return Err(SessionError::Ending);
        }
        let admission = session
            .turn_slot()
            .admit(|phase| admit(phase, prompt.steer, running.count, self.limits.max_concurrent_turns))
            .map_err(SessionError::Refused)?;
        if admission == Admission::Begin {
            running.count += 1;
        }
        Ok(admission)
    }

    /// Decides a permission that the agent asked for.
    pub async fn decide(
        &self,
        session: &Arc<Session>,
        request_id: &str,
        verdict: Verdict,
        by: &str,
        intent: Option<(Intent, StoredAnswer)>,
    ) -> Result<(), SessionError> {
        let also = intent.map(|(intent, answer)| intent.recording(fresh::now(), answer));
        match session.decide(request_id, verdict, by, also).await {
            Err(SessionError::UnknownPermission(_))
                if self.store.was_permission(session.id.clone(), request_id.to_owned()).await? =>
            {
                Err(SessionError::AlreadyDecided)
            }
            decided => decided,
        }
    }

    /// Tells the running turn to stop. False when none runs. The turn's end follows on the stream.
    pub fn cancel(&self, session: &Session, by: &str) -> bool {
        session.turn_slot().stop(by)
    }

    fn turn_over(&self, session: &Session) {
        let mut running = locked(&self.running);
        session.turn_slot().over();
        running.count = running.count.saturating_sub(1);
    }

    /// Ends all turns, as the server is about to, and waits until they have ended.
    pub async fn end_all(&self) {
        locked(&self.running).ending = true;
        let sessions: Vec<_> = locked(&self.open).values().cloned().collect();
        for session in &sessions {
            session.turn_slot().stop_for_shutdown();
        }
        for session in &sessions {
            session.turn_ended().await;
        }
        // A turn counts as over just before its followers are told.
        self.store.settled().await;
        for backend in self.backends.ai.iter().chain([&self.backends.runbook]) {
            backend.end().await;
        }
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("running", &locked(&self.running).count).finish_non_exhaustive()
    }
}

/// A session that is not in memory, as lists show it: no turn runs in it.
pub(super) fn summary_of(stored: StoredSession) -> SessionSummary {
    let StoredSession { id, created, title, head, archived, .. } = stored;
    SessionSummary { id, created, title, turn_active: false, last_event_id: head, archived }
}

/// What a session shows of its turn to those who list it.
pub(super) fn is_active(phase: Phase) -> bool {
    phase != Phase::Idle
}
