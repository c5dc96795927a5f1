//! The seam between a session and whoever does its turns. A backend gets a task and a log to write to; it knows neither
//! clients nor HTTP, and the session knows nothing of how the work is done.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    event::{Event, Live},
    ids::SessionId,
    permission::changes_nothing,
    preset::Preset,
};
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{permissions::Verdict, session::Session};
use crate::server::store::{Also, StoreError};

/// What a turn is to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// A preset.
    Preset(Preset),
    /// What an operator typed.
    Words {
        text: String,
        /// The model that was asked for, where the backend has one.
        model: Option<String>,
    },
}

impl Task {
    /// True for a line that begins with `!`: a command of the operator's own for the target, whoever does the turns.
    pub fn is_command(&self) -> bool {
        matches!(self, Task::Words { text, .. } if text.trim_start().starts_with('!'))
    }

    /// What an agent is asked.
    pub fn words(&self) -> &str {
        match self {
            Task::Preset(preset) => &preset.prompt,
            Task::Words { text, .. } => text,
        }
    }

    /// What stands in the transcript as the operator's words.
    pub fn spoken(&self) -> String {
        match self {
            Task::Preset(preset) => preset.label.clone(),
            Task::Words { text, .. } => text.clone(),
        }
    }
}

/// A turn as its backend sees it.
pub struct Turn {
    pub session: SessionId,
    pub task: Task,
    /// The operator on whose behalf it acts.
    pub by: String,
    /// Where its events go.
    pub log: TurnLog,
    /// What operators say while it runs. Closed from the beginning where the backend takes no messages.
    pub steer: mpsc::Receiver<Steer>,
    /// Cancelled when it is to stop. A backend ends what it started and returns; what it returns then is not used.
    pub stop: CancellationToken,
}

/// A message into a running turn. Whoever takes it records it with [`Steer::record`] before it acts; one that is
/// dropped was not taken, and its sender finds another way.
pub struct Steer {
    /// What the backend is told.
    pub words: String,
    pub(super) event: Event,
    pub(super) also: Option<Also>,
    pub(super) taken: oneshot::Sender<Result<(), StoreError>>,
}

impl Steer {
    /// Puts it on record and tells its sender how that went. True when it is there.
    pub async fn record(self, log: &TurnLog) -> bool {
        let recorded = log.session.append(self.event, self.also).await.map(drop);
        let stands = recorded.is_ok();
        let _ = self.taken.send(recorded);
        stands
    }
}

/// What a backend says when it is through.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub is_error: bool,
    /// The last word, one line.
    pub result: String,
    pub cost_usd: Option<f64>,
}

/// Why a backend could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Failed(String),
}

/// Who looks at what a turn has done, once it is over.
pub trait AfterTurn: Send + Sync + 'static {
    /// A turn of this session has ended that may have changed something. It does not wait.
    fn may_have_changed(&self, session: Arc<Session>);
}

/// Who does turns.
pub trait Backend: Send + Sync + 'static {
    /// Whether a running turn takes messages.
    fn takes_messages(&self) -> bool {
        false
    }

    /// Does one turn. The returned future is dropped when it takes too long to stop.
    fn run(&self, turn: Turn) -> BoxFuture<'static, Result<Finished, TurnError>>;

    /// Ends what it keeps between turns, as the server is about to end.
    fn end(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// A turn's pen: it writes into its session and nowhere else.
#[derive(Clone)]
pub struct TurnLog {
    pub(super) session: Arc<Session>,
    /// True once the turn has done something that may have changed something.
    pub(super) changed: Arc<AtomicBool>,
}

impl TurnLog {
    /// Logs an event. When what this gives is through, the event is on disk and the clients have it. It is queued when this is
    /// called, so that events keep their order whether or not each is waited for.
    pub fn append(&self, event: Event) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        if let Event::Tool { name, input, .. } = &event
            && name == "Bash"
            && !changes_nothing(name, input)
        {
            self.changed.store(true, Ordering::Relaxed);
        }
        self.session.append(event, None)
    }

    /// Shows something that is not logged.
    pub fn show(&self, live: &Live) {
        self.session.show(live);
    }

    /// Logs an event, and writes what goes with it in the same transaction.
    pub async fn append_with(&self, event: Event, also: Also) -> Result<(), StoreError> {
        self.session.append(event, Some(also)).await.map(drop)
    }

    /// Asks the operators for a permission, and waits until it is decided; see `sessions::permissions`.
    pub async fn ask(
        &self,
        request_id: String,
        tool: String,
        input: serde_json::Value,
        patience: Duration,
    ) -> Result<Verdict, StoreError> {
        self.session.ask(request_id, tool, input, patience).await
    }

    /// Takes a permission back that is not wanted any more.
    pub async fn withdraw(&self, request_id: &str) {
        self.session.withdraw(request_id).await;
    }

    /// Says that this turn takes no messages after all: whoever sends one is told so at once.
    pub fn take_no_messages(&self) {
        self.session.turn_slot().take_no_messages();
    }

    /// Shows that nothing is being written any more.
    pub fn void_draft(&self) {
        self.session.show(&Live::Draft { text: String::new() });
    }

    /// The session, for what records itself there too.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }
}
