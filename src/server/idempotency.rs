//! At most once: the same key gives the same answer again, and what it began goes on when its caller is gone.
//!
//! What a key was answered is on disk from the first thing that its call did (see [`Intent::record`]); what is still
//! running is in memory, because nothing runs on across a restart. It knows no HTTP but a status and a body.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::ids::Millis;
use tokio::time::timeout;

use super::{
    failure::Failure,
    fresh,
    store::{Intent, KEPT, Store, StoreError, StoredAnswer},
};

/// How long a call waits for the record to say whether its key is known. A disk that hangs must not cost a rescue.
const LOOK_UP: Duration = Duration::from_secs(5);

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub stored: StoredAnswer,
    /// True when something was done, so that the same key must not do it again.
    pub executed: bool,
}

/// A body of a type of ours as it is kept.
pub fn answer(status: u16, body: &impl serde::Serialize) -> StoredAnswer {
    StoredAnswer { status, body: serde_json::to_string(body).unwrap_or_default() }
}

/// The calls that are under way, and those whose answer could not be recorded.
#[derive(Clone, Default)]
pub struct Once {
    calls: Arc<Mutex<HashMap<Intent, Call>>>,
}

enum Call {
    Running,
    /// Kept here because the record could not be written.
    Unrecorded(StoredAnswer, Millis),
}

impl Once {
    /// Does `work` unless its key did it already. The work goes on when the caller goes away.
    pub async fn run<F>(&self, store: &Store, intent: Option<Intent>, work: F) -> Result<StoredAnswer, Failure>
    where
        F: Future<Output = Result<Answer, Failure>> + Send + 'static,
    {
        let Some(intent) = intent else {
            return joined(tokio::spawn(work)).await.map(|answer| answer.stored);
        };
        if let Some(known) = self.begin(&intent)? {
            return Ok(known);
        }
        let once = self.clone();
        let store = store.clone();
        joined(tokio::spawn(async move {
            // Dropped at the end of this task, also when the work panics: a key never stays under way.
            let running = Running { once, intent };
            let Running { once, intent } = &running;
            match timeout(LOOK_UP, store.key(intent.clone(), fresh::now())).await.unwrap_or(Err(StoreError::Hangs)) {
                Ok(Some((body, _))) if body != intent.body => return Err(Failure::KeyReused),
                Ok(Some((_, known))) => return Ok(known),
                Ok(None) => {}
                // Without the record a repeated key cannot be recognised; acting matters more than that.
                Err(error) => tracing::error!(%error, "idempotency keys cannot be read"),
            }
            let Answer { stored, executed } = work.await?;
            if executed && store.record_answer(intent.clone(), fresh::now(), stored.clone()).await.is_err() {
                once.locked().insert(intent.clone(), Call::Unrecorded(stored.clone(), fresh::now()));
            }
            Ok(stored)
        }))
        .await
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Intent, Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, intent: &Intent) -> Result<Option<StoredAnswer>, Failure> {
        let now = fresh::now();
        let mut calls = self.locked();
        calls.retain(|_, call| !matches!(call, Call::Unrecorded(_, at) if now.since(*at) > KEPT));
        let same_key = |other: &&Intent| {
            (&other.operator, &other.path, &other.key) == (&intent.operator, &intent.path, &intent.key)
        };
        match calls.keys().find(same_key).cloned() {
            Some(other) if other.body != intent.body => Err(Failure::KeyReused),
            Some(other) => match calls.get(&other) {
                Some(Call::Unrecorded(answer, _)) => Ok(Some(answer.clone())),
                _ => Err(Failure::KeyInProgress),
            },
            None => {
                calls.insert(intent.clone(), Call::Running);
                Ok(None)
            }
        }
    }
}

struct Running {
    once: Once,
    intent: Intent,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut calls = self.once.locked();
        if matches!(calls.get(&self.intent), Some(Call::Running)) {
            calls.remove(&self.intent);
        }
    }
}

async fn joined<T>(task: tokio::task::JoinHandle<Result<T, Failure>>) -> Result<T, Failure> {
    task.await.unwrap_or_else(|error| Err(Failure::Fault(error.to_string())))
}
