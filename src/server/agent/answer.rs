//! What is said to the process of a turn: what it asks is put to the operators, their decisions and messages are put to it.

use claude_cli::control;
use domain::permission::{Decision, QUESTION, changes_nothing};
use serde_json::Value;
use tokio::{sync::mpsc, time::Instant};

use super::listen::Listening;
use crate::server::{
    fresh,
    sessions::{backend::Steer, locked, permissions::Verdict},
    store::StoreError,
};

/// A permission that was put to the operators, by the CLI's id of it.
pub(super) type Asked = (String, String, Value, Result<Verdict, StoreError>);

impl Listening<'_> {
    /// Puts a permission to the operators, unless it needs none. The turn is listened to meanwhile.
    pub(super) async fn ask(&mut self, request_id: String, tool: String, input: Value) {
        let allowed = locked(&self.agent.allowed).get(self.session).is_some_and(|tools| tools.contains(&tool));
        if changes_nothing(&tool, &input) || (allowed && tool != QUESTION) {
            return self.say(control::allow(&request_id, &input)).await;
        }
        let (log, patience) = (self.log.clone(), self.agent.config.permission);
        self.asked.push(Box::pin(async move {
            let verdict = log.ask(request_id.clone(), tool.clone(), input.clone(), patience).await;
            (request_id, tool, input, verdict)
        }));
    }

    pub(super) async fn decided(&mut self, (request_id, tool, input, verdict): Asked) -> Result<(), StoreError> {
        let verdict = verdict?;
        // Somebody had to think; that is nobody's silence.
        (self.heard_at, self.progress_at) = (Instant::now(), Instant::now());
        let line = match verdict.decision {
            Decision::Withdrawn => return Ok(()),
            Decision::AllowOnce | Decision::AllowSession => {
                if verdict.decision == Decision::AllowSession {
                    locked(&self.agent.allowed).entry(self.session.clone()).or_default().insert(tool.clone());
                }
                let answered = if tool == QUESTION { control::answered(&input, verdict.answers) } else { input };
                control::allow(&request_id, &answered)
            }
            Decision::Deny => {
                let why = verdict.message.unwrap_or_else(|| "do not do this".into());
                control::deny(&request_id, &format!("The operator says no: {why}"))
            }
        };
        self.say(line).await;
        Ok(())
    }

    /// Delivers a message into the turn. It is on record before the agent hears of it.
    pub(super) async fn steer(&mut self, message: Steer) {
        let words = message.words.clone();
        if message.record(self.log).await {
            let uuid = fresh::key();
            self.say(control::message(&words, &uuid)).await;
            self.steered.insert(uuid, false);
        }
    }

    /// Says something to the CLI. One that has ended says so itself.
    pub(super) async fn say(&mut self, line: String) {
        let _ = self.process.say(line).await;
    }
}

/// The next message into the turn; never one where none can come any more.
pub(super) async fn next_message(way: &mut Option<mpsc::Receiver<Steer>>) -> Steer {
    if let Some(open) = way
        && let Some(message) = open.recv().await
    {
        return message;
    }
    *way = None;
    std::future::pending().await
}
