//! How a turn of the agent's ends: through, stopped, given up, or never begun; and what becomes of its process, of what it
//! has started, and of what it has cost.

use std::time::Duration;

use claude_cli::{
    argv::Protocol,
    control,
    keeper::{Ended, end_marked},
    process::{Heard, Process},
    said::{Finished as Through, Said},
};
use domain::{event::Event, ids::SessionId};
use tokio::time::timeout;

use super::{listen::Listening, reach::SESSION_MARK, tell};
use crate::server::{
    fresh,
    sessions::backend::{Finished, TurnError, TurnLog},
    store::StoreError,
};

/// How a turn's listening ended.
pub(super) enum End {
    /// The agent is through. Its process waits for more, where it can.
    Finished { finished: Finished, process: Option<Box<Process>>, conversation: String },
    /// It was told to stop, and nothing of it is left.
    Stopped,
    /// It cannot go on.
    Failed(String),
    /// The process ended before the turn began: these were its last words.
    NotBegun { words: String, code: Option<i32>, signal: Option<i32> },
}

/// What a step of listening leads to.
pub(super) enum Step {
    Stop,
    Finished(Through),
    Ended(End),
    Failed(String),
}

/// How long an interrupted turn has to end by itself.
const INTERRUPT: Duration = Duration::from_millis(800);

/// How long a sweep may take.
const SWEEP: Duration = Duration::from_secs(3);

/// How long what carries the session's mark has to end by itself, where its keeper was killed.
const MARKED: Duration = Duration::from_millis(500);

impl Listening<'_> {
    /// Ends the turn as its last step says.
    pub(super) async fn ended_by(self, step: Step) -> Result<End, TurnError> {
        self.log_skipped();
        match step {
            Step::Finished(result) => self.finish(result).await,
            Step::Ended(end) => Ok(end),
            Step::Stop => self.stop().await,
            Step::Failed(why) => {
                ended(self.process, self.session, self.log).await?;
                Ok(End::Failed(why))
            }
        }
    }

    /// What was passed over is counted, so that a CLI which has learned new words is noticed.
    fn log_skipped(&self) {
        let (session, unread, unknown) = (self.session, self.unread, self.unknown);
        if unread > 0 {
            tracing::warn!(%session, lines = unread, "lines of the agent's could not be read");
        }
        tracing::debug!(%session, lines = unknown, "lines of the agent's say nothing that is known here");
    }

    /// The agent is through: what it left running is ended, and its process kept.
    async fn finish(self, result: Through) -> Result<End, TurnError> {
        let Listening { agent, session, log, process, protocol, known, conversation, provider, steered, .. } = self;
        let failed = provider.filter(|_| result.is_error);
        // One that may still take up a message would do so outside of every turn, and one whose turn failed is not kept.
        let is_kept = protocol == Protocol::Control && failed.is_none() && steered.values().all(|taken| *taken);
        let process = if is_kept { swept(process, session, log).await? } else { ended(process, session, log).await? };
        if let Some((kind, status, text)) = failed {
            return Ok(End::Failed(tell::provider_failed(&kind, status, &text)));
        }
        // The CLI counts what the whole conversation has cost.
        let before = known.map_or(0.0, |known| known.cost_usd);
        let cost_usd = match result.total_cost_usd {
            Some(total) => {
                agent.store.conversation_cost(session.clone(), total).await?;
                Some(if total >= before { total - before } else { total })
            }
            None => None,
        };
        let words = result.result.filter(|words| !words.is_empty());
        let words = words.unwrap_or_else(|| result.errors.join("; "));
        let last = words.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(&result.subtype).to_owned();
        let finished = Finished { is_error: result.is_error, result: last, cost_usd };
        Ok(End::Finished { finished, process, conversation })
    }

    /// Interrupts the agent, then ends its process and all that it has started, and says what came of that.
    async fn stop(mut self) -> Result<End, TurnError> {
        if self.protocol == Protocol::Control && self.process.say(control::interrupt(&fresh::key())).await.is_ok() {
            let (log, process) = (self.log, &mut self.process);
            let interrupted = async {
                loop {
                    match process.next().await {
                        // What was written of an answer until now comes as if it were all of it.
                        Heard::Said(Said::Text { text, parent: None, .. }) => log.append(Event::Text { text }).await?,
                        Heard::Said(Said::Finished(_)) | Heard::Ended(_) => return Ok::<_, StoreError>(()),
                        _ => {}
                    }
                }
            };
            // A record that cannot be written is no reason to let it run.
            let _ = timeout(INTERRUPT, interrupted).await;
        }
        let ended = self.process.end().await;
        if !tell_end(&ended, self.session, self.log).await? {
            let nothing = "nothing of this turn is left running on the console's machine";
            self.log.append(tell::info(nothing.into())).await?;
        }
        Ok(End::Stopped)
    }
}

/// Ends what a turn has left running. Gives the process back, unless it has ended too.
async fn swept(mut process: Process, session: &SessionId, log: &TurnLog) -> Result<Option<Box<Process>>, StoreError> {
    let answered = async {
        process.sweep().await.ok()?;
        loop {
            match process.next().await {
                Heard::Swept(swept) => return Some(swept),
                Heard::Ended(_) => return None,
                Heard::Said(_) | Heard::TooLong { .. } => {}
            }
        }
    };
    match timeout(SWEEP, answered).await {
        Ok(Some(swept)) => {
            if let Some(left) = tell::swept(&swept) {
                log.append(left).await?;
            }
            Ok(Some(Box::new(process)))
        }
        _ => ended(process, session, log).await,
    }
}

/// Ends a process with all that it started.
async fn ended(process: Process, session: &SessionId, log: &TurnLog) -> Result<Option<Box<Process>>, StoreError> {
    let end = process.end().await;
    tell_end(&end, session, log).await.map(|_| None)
}

/// Says what was left when a process ended. True when there was something to say.
pub(super) async fn tell_end(end: &Ended, session: &SessionId, log: &TurnLog) -> Result<bool, StoreError> {
    let told = if end.told {
        tell::swept(&end.swept)
    } else {
        let mark = session.to_string();
        let found = tokio::task::spawn_blocking(move || end_marked(SESSION_MARK, &mark, MARKED)).await;
        Some(tell::keeper_killed(&found.unwrap_or_default()))
    };
    match told {
        Some(event) => log.append(event).await.map(|()| true),
        None => Ok(false),
    }
}
