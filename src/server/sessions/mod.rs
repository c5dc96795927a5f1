//! Sessions: who has which, what runs in them, and how a prompt becomes a turn. It knows nothing of HTTP.
//!
//! `domain::turn` decides whether a prompt is let in; this module acts on it. A turn runs in a task of its own, so that
//! no client's going away ends it.

pub mod backend;
pub mod session;
mod turn;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    call::SessionSummary,
    event::Event,
    ids::SessionId,
    turn::{Admission, Ending, Phase, Refused, admit},
};

use self::{
    backend::{Backend, Task},
    session::Session,
};
use super::{
    config::Limits,
    fresh,
    store::{Intent, Store, StoreError, StoredAnswer, StoredSession},
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

/// All sessions of this server.
pub struct Sessions {
    store: Store,
    backends: Backends,
    limits: Limits,
    open: Mutex<HashMap<SessionId, Arc<Session>>>,
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    /// The sessions on record. Turns that the last server left open are closed first.
    pub async fn open(store: Store, backends: Backends, limits: Limits) -> Result<Arc<Self>, StoreError> {
        let sessions = Arc::new(Sessions {
            store: store.clone(),
            backends,
            limits,
            open: Mutex::default(),
            running: Mutex::default(),
        });
        for stored in store.sessions().await?.into_iter().filter(|stored| stored.turn_open) {
            // When it cannot be written now, it is tried again: a full disk must not keep the console from starting.
            sessions.adopt(stored).close_turn(Ending::ServerEnded, || ()).await;
        }
        Ok(sessions)
    }

    fn adopt(&self, stored: StoredSession) -> Arc<Session> {
        let mut open = locked(&self.open);
        let id = stored.id.clone();
        Arc::clone(open.entry(id).or_insert_with(|| Arc::new(Session::new(stored, self.store.clone()))))
    }

    /// Opens a session.
    pub async fn create(
        &self,
        intent: Option<(Intent, StoredAnswer)>,
        id: SessionId,
    ) -> Result<Arc<Session>, StoreError> {
        let created = fresh::now();
        self.store.create_session(id.clone(), created, intent).await?;
        let stored = StoredSession { id, created, title: None, head: domain::log::Head(None), turn_open: false };
        Ok(self.adopt(stored))
    }

    /// One session.
    pub async fn get(&self, id: &SessionId) -> Result<Arc<Session>, SessionError> {
        if let Some(session) = locked(&self.open).get(id) {
            return Ok(Arc::clone(session));
        }
        match self.store.session(id.clone()).await? {
            Some(stored) => Ok(self.adopt(stored)),
            None => Err(SessionError::Unknown(id.clone())),
        }
    }

    /// All of them, newest first.
    pub async fn list(&self) -> Result<Vec<SessionSummary>, StoreError> {
        let stored = self.store.sessions().await?;
        Ok(stored.into_iter().map(|stored| self.adopt(stored).summary()).collect())
    }

    /// The newest session, if there is one.
    pub async fn newest(&self) -> Result<Option<Arc<Session>>, StoreError> {
        Ok(self.store.sessions().await?.into_iter().next().map(|stored| self.adopt(stored)))
    }

    /// Lets a prompt in: records it, and begins its turn. When this returns, the prompt is on disk and the turn runs.
    pub async fn prompt(
        self: &Arc<Self>,
        session: &Arc<Session>,
        prompt: Prompt,
        by: String,
        intent: Option<(Intent, StoredAnswer)>,
    ) -> Result<(), SessionError> {
        let use_ai = self.backends.ai.as_ref().filter(|_| !prompt.without_ai);
        let backend = Arc::clone(use_ai.unwrap_or(&self.backends.runbook));
        let admission = {
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
            admission
        };
        if admission == Admission::Steer {
            return Err(SessionError::Steer("this turn runs without ai and takes no messages: stop it first"));
        }
        let begun = async {
            session.close_unclosed().await?;
            let recording = intent.map(|(intent, answer)| intent.recording(fresh::now(), answer));
            session.append(Event::User { text: prompt.task.spoken(), by: by.clone() }, recording).await
        };
        if let Err(error) = begun.await {
            self.turn_over(session);
            return Err(error.into());
        }
        tokio::spawn(turn::run(Arc::clone(self), Arc::clone(session), backend, prompt.task, by));
        Ok(())
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
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("running", &locked(&self.running).count).finish_non_exhaustive()
    }
}

/// What a session shows of its turn to those who list it.
pub(super) fn is_active(phase: Phase) -> bool {
    phase != Phase::Idle
}
