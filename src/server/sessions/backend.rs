//! The seam between a session and whoever does its turns. A backend gets a task and a log to write to; it knows neither
//! clients nor HTTP, and the session knows nothing of how the work is done.

use std::sync::Arc;

use domain::{
    event::{Event, Live},
    ids::SessionId,
    preset::Preset,
};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use crate::server::store::StoreError;

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
    /// Cancelled when it is to stop. A backend ends what it started and returns; what it returns then is not used.
    pub stop: CancellationToken,
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

/// Who does turns.
pub trait Backend: Send + Sync + 'static {
    /// Does one turn. The returned future is dropped when it takes too long to stop.
    fn run(&self, turn: Turn) -> BoxFuture<'static, Result<Finished, TurnError>>;
}

/// A turn's pen: it writes into its session and nowhere else.
#[derive(Clone)]
pub struct TurnLog(pub(super) Arc<Session>);

impl TurnLog {
    /// Logs an event. When it returns, the event is on disk and the clients have it.
    pub async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.0.append(event, None).await.map(drop)
    }

    /// Shows something that is not logged.
    pub fn show(&self, live: &Live) {
        self.0.show(live);
    }

    /// The session, for what records itself there too.
    pub fn session(&self) -> &Arc<Session> {
        &self.0
    }
}
