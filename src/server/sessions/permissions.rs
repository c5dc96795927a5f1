//! The permissions of one session that wait for an operator. The first decision stands; everyone sees whose it was,
//! because it is an entry like any other.
//!
//! **Invariant:** a decision is on disk before the agent hears of it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use domain::{event::Event, permission::Decision};
use tokio::sync::oneshot;

use super::{SessionError, locked, session::Session};
use crate::server::store::{Also, StoreError};

/// Under which name the console decides where nobody did.
pub const CONSOLE: &str = "breakglass";

/// What was decided, with what goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub decision: Decision,
    /// A word to the agent.
    pub message: Option<String>,
    /// The answers to its questions, by the question's text.
    pub answers: BTreeMap<String, String>,
}

impl Verdict {
    fn by_console(decision: Decision, message: Option<String>) -> Self {
        Verdict { decision, message, answers: BTreeMap::new() }
    }
}

/// Who waits, by the permission's id; nothing once a decision is being recorded.
pub(super) type Waiting = HashMap<String, Option<oneshot::Sender<Verdict>>>;

impl Session {
    /// Asks the operators for a permission, and waits until it is decided; nobody's answer within `patience` is a no.
    pub(super) async fn ask(
        self: &Arc<Self>,
        request_id: String,
        tool: String,
        input: serde_json::Value,
        patience: Duration,
    ) -> Result<Verdict, StoreError> {
        let (tell, mut told) = oneshot::channel();
        // Before anybody can hear of it, so that no answer comes too early.
        locked(&self.permissions).insert(request_id.clone(), Some(tell));
        let asked = Event::Permission { request_id: request_id.clone(), tool, input };
        if let Err(error) = self.append(asked, None).await {
            locked(&self.permissions).remove(&request_id);
            return Err(error);
        }
        let withdrawn = Verdict::by_console(Decision::Withdrawn, None);
        if let Ok(decided) = tokio::time::timeout(patience, &mut told).await {
            return Ok(decided.unwrap_or(withdrawn));
        }
        let words = format!("nobody answered within {} s (BREAKGLASS_PERMISSION_TIMEOUT_SECONDS)", patience.as_secs());
        match self.decide(&request_id, Verdict::by_console(Decision::Deny, Some(words)), CONSOLE, None).await {
            Err(SessionError::Store(error)) => Err(error),
            // Somebody else was a moment faster.
            _ => Ok(told.await.unwrap_or(withdrawn)),
        }
    }

    /// Decides a permission. `also` is written with it.
    pub(super) async fn decide(
        self: &Arc<Self>,
        request_id: &str,
        verdict: Verdict,
        by: &str,
        also: Option<Also>,
    ) -> Result<(), SessionError> {
        let waiter = match locked(&self.permissions).get_mut(request_id) {
            Some(waiter) => waiter.take().ok_or(SessionError::AlreadyDecided)?,
            None => return Err(SessionError::UnknownPermission(request_id.to_owned())),
        };
        let decision = Event::Decision {
            request_id: request_id.to_owned(),
            decision: verdict.decision,
            by: by.to_owned(),
            message: told(&verdict),
        };
        if let Err(error) = self.append(decision, also).await {
            locked(&self.permissions).insert(request_id.to_owned(), Some(waiter));
            return Err(error.into());
        }
        locked(&self.permissions).remove(request_id);
        // Whoever waited may have gone; the decision is on record all the same.
        let _ = waiter.send(verdict);
        Ok(())
    }

    /// Takes back a permission that nobody has decided.
    pub(super) async fn withdraw(self: &Arc<Self>, request_id: &str) {
        let verdict = Verdict::by_console(Decision::Withdrawn, None);
        if let Err(SessionError::Store(error)) = self.decide(request_id, verdict, CONSOLE, None).await {
            tracing::error!(session = %self.id, %error, "a permission could not be taken back on record");
        }
    }

    /// Takes back all that nobody has decided, because the turn ends.
    pub(super) async fn withdraw_all(self: &Arc<Self>) {
        let open: Vec<_> = locked(&self.permissions).keys().cloned().collect();
        for request_id in open {
            self.withdraw(&request_id).await;
        }
        locked(&self.permissions).clear();
    }
}

/// What stands in the record beside the decision: the word, or the answers.
fn told(verdict: &Verdict) -> Option<String> {
    let answers = verdict.answers.iter().map(|(question, answer)| format!("{question} {answer}"));
    let lines: Vec<_> = verdict.message.iter().cloned().chain(answers).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
