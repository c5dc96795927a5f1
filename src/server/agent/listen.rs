//! Listening to one process during one turn: what it says is told, and its silence is named. What is said to it
//! is in `answer.rs`.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use claude_cli::{
    argv::Protocol,
    control,
    draft::{Change, Draft},
    process::{Heard, Process},
    said::{Finished as Through, Lifecycle, Said, ToolResult},
};
use domain::{
    event::{Event, Live},
    ids::SessionId,
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    Agent,
    answer::{Asked, next_message},
    end::{End, Step, tell_end},
    outputs, tell,
};
use crate::server::{
    fresh,
    sessions::backend::{Steer, TurnError, TurnLog},
    store::{
        StoreError,
        conversations::{Conversation, stands_in},
    },
};

/// How many events may be on their way to the disk.
const UNWRITTEN: usize = 64;
/// How often a growing draft is shown.
const DRAFT: Duration = Duration::from_millis(60);
/// How often it is shown that something is at work.
const TICK: Duration = Duration::from_secs(1);
/// How long a message that came at the very end has to begin its own part of the turn.
const LATE_MESSAGE: Duration = Duration::from_secs(5);

pub(super) struct Listening<'a> {
    pub(super) agent: &'a Arc<Agent>,
    pub(super) session: &'a SessionId,
    pub(super) log: &'a TurnLog,
    pub(super) process: Process,
    pub(super) protocol: Protocol,
    /// The conversation that this session was known to stand in.
    pub(super) known: Option<Conversation>,
    pub(super) conversation: String,
    /// True once the CLI has taken the turn up.
    pub(super) begun: bool,
    pub(super) draft: Draft,
    /// When the draft is to be shown again; nothing while what is shown is current.
    pub(super) draft_due: Option<Instant>,
    pub(super) draft_shown: Instant,
    /// The tools at work, in the order in which they began.
    pub(super) tools: Vec<(String, String, Instant)>,
    pub(super) asked: FuturesUnordered<BoxFuture<'static, Asked>>,
    /// What was told and is not on record yet.
    pub(super) unwritten: FuturesUnordered<BoxFuture<'static, Result<(), StoreError>>>,
    /// The messages sent into the turn, and whether the CLI has taken them up.
    pub(super) steered: HashMap<String, bool>,
    /// The last failure of the provider.
    pub(super) provider: Option<(String, Option<u16>, String)>,
    pub(super) begun_at: Instant,
    pub(super) heard_at: Instant,
    /// When the provider last got somewhere.
    pub(super) progress_at: Instant,
    pub(super) silence_told: bool,
    /// A result that is held back, because a message came at the very end.
    pub(super) held: Option<(Through, Instant)>,
    /// How many lines could not be read, or were too long; and how many were of a kind that says nothing here.
    pub(super) unread: u64,
    pub(super) unknown: u64,
}

impl<'a> Listening<'a> {
    pub(super) fn new(
        agent: &'a Arc<Agent>,
        session: &'a SessionId,
        log: &'a TurnLog,
        process: Process,
        protocol: Protocol,
    ) -> Self {
        let now = Instant::now();
        Listening {
            agent,
            session,
            log,
            process,
            protocol,
            known: None,
            conversation: String::new(),
            begun: false,
            draft: Draft::default(),
            draft_due: None,
            draft_shown: now,
            tools: Vec::new(),
            asked: FuturesUnordered::new(),
            unwritten: FuturesUnordered::new(),
            steered: HashMap::new(),
            provider: None,
            begun_at: now,
            heard_at: now,
            progress_at: now,
            silence_told: false,
            held: None,
            unread: 0,
            unknown: 0,
        }
    }

    /// Gives a new process its prompt. Where it cannot be given, the process has ended, and says why.
    pub(super) async fn begin(&mut self, words: &str, uuid: &str) {
        let _ = match self.protocol {
            Protocol::Control => self.process.say(control::message(words, uuid)).await,
            Protocol::Once => {
                let said = self.process.say(words.to_owned()).await;
                said.and(self.process.close_input().await)
            }
        };
    }

    /// Listens until the turn ends in one way or another. Gives the way of messages back, for the next process to try.
    pub(super) async fn until_end(
        mut self,
        mut steer: Option<mpsc::Receiver<Steer>>,
        stop: &CancellationToken,
    ) -> Result<(End, Option<mpsc::Receiver<Steer>>), TurnError> {
        let listened = match self.listen(&mut steer, stop).await {
            // What is to end, ends first: what it said is queued, and the disk may take its time.
            Ok(step @ (Step::Stop | Step::Failed(_))) => {
                let unwritten = std::mem::take(&mut self.unwritten);
                let end = self.ended_by(step).await?;
                all_of(unwritten).await?;
                return Ok((end, steer));
            }
            Ok(step) => all_of(std::mem::take(&mut self.unwritten)).await.map(|()| step).map_err(TurnError::from),
            Err(error) => Err(error),
        };
        match listened {
            Ok(step) => Ok((self.ended_by(step).await?, steer)),
            Err(error) => {
                // The turn is closed when this returns, so nothing of it may run on.
                self.process.end().await;
                Err(error)
            }
        }
    }

    /// Listens until a step leads to the end.
    async fn listen(
        &mut self,
        steer: &mut Option<mpsc::Receiver<Steer>>,
        stop: &CancellationToken,
    ) -> Result<Step, TurnError> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let held = self.held.as_ref().map(|(_, until)| *until);
            let step = tokio::select! {
                () = stop.cancelled() => Some(Step::Stop),
                heard = self.process.next() => self.heard(heard).await?,
                // Before that, it might be told to a process that never begins.
                message = next_message(steer), if self.begun => {
                    self.steer(message).await;
                    None
                }
                Some(decided) = self.asked.next() => {
                    self.decided(decided).await?;
                    None
                }
                Some(written) = self.unwritten.next() => {
                    written?;
                    None
                }
                () = at(self.draft_due) => {
                    self.show_draft();
                    None
                }
                () = at(held) => self.held.take().map(|(result, _)| Step::Finished(result)),
                _ = tick.tick() => self.tick().await?,
            };
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    async fn heard(&mut self, heard: Heard) -> Result<Option<Step>, TurnError> {
        self.heard_at = Instant::now();
        self.silence_told = false;
        let said = match heard {
            Heard::Said(said) => said,
            Heard::TooLong { bytes } => {
                self.unread += 1;
                let words = format!("a line of the agent's had {bytes} bytes, more than 16 MiB, and is lost");
                self.log.append(tell::warning(words)).await?;
                return Ok(None);
            }
            Heard::Swept(_) => return Ok(None),
            Heard::Ended(ended) => {
                tell_end(&ended, self.session, self.log).await?;
                let words = self.process.last_words().to_owned();
                let (code, signal) = (ended.code, ended.signal);
                return Ok(Some(Step::Ended(match self.held.take() {
                    Some((result, _)) => return Ok(Some(Step::Finished(result))),
                    None if self.begun => End::Failed(tell::cli_failed(&words, code, signal)),
                    None => End::NotBegun { words, code, signal },
                })));
            }
        };
        if !matches!(said, Said::Retry { .. } | Said::Status { .. } | Said::Other { .. } | Said::Lifecycle { .. }) {
            self.progress_at = Instant::now();
        }
        self.said(said).await
    }

    async fn said(&mut self, said: Said) -> Result<Option<Step>, TurnError> {
        if self.held.is_some() && is_of_a_part(&said) {
            // The message that came at the very end was taken up: what follows is its own part of the turn.
            self.held = None;
            self.steered.values_mut().for_each(|taken| *taken = true);
        }
        match said {
            Said::Init { session_id, model, .. } => self.stand_in(session_id, model).await?,
            Said::Partial { parent: None, partial } => match self.draft.take(&partial) {
                Change::None => {}
                Change::Draft(_) => self.draft_due = Some(self.draft_shown + DRAFT),
                Change::Void => {
                    self.draft_due = None;
                    self.log.void_draft();
                }
            },
            Said::Text { ref parent, .. } => {
                self.begun = true;
                if parent.is_none() {
                    self.provider = None;
                }
                self.draft.supersede();
                self.draft_due = None;
                self.tell(said).await?;
            }
            Said::Tool { ref tool_id, ref name, .. } => {
                self.begun = true;
                self.tools.push((tool_id.clone(), name.clone(), Instant::now()));
                self.tell(said).await?;
            }
            Said::ToolResult(result) => self.result(result).await?,
            Said::Progress { ref tool_id, seconds } => {
                self.log.show(&Live::Progress { tool_id: tool_id.clone(), seconds });
            }
            Said::ApiError { text, kind, status } => {
                self.begun = true;
                self.provider = Some((kind, status, text));
            }
            Said::Lifecycle { uuid, state } => {
                if let Some(taken) = self.steered.get_mut(&uuid) {
                    *taken = state != Lifecycle::Queued;
                    if *taken {
                        self.held = None;
                    }
                }
            }
            Said::Asks { request_id, tool, input, .. } => self.ask(request_id, tool, input).await,
            Said::OtherRequest { request_id, subtype } => {
                self.say(control::refuse(&request_id, &format!("{subtype} is not known here"))).await;
            }
            Said::Withdraws { request_id } => self.log.withdraw(&request_id).await,
            Said::Finished(result) => {
                if !self.begun && result.is_error {
                    // It did not find its conversation, and ends now with the reason.
                    return Ok(None);
                }
                // What comes as late as this may begin a part of its own.
                if self.steered.values().any(|taken| !taken) {
                    self.held = Some((result, Instant::now() + LATE_MESSAGE));
                    return Ok(None);
                }
                return Ok(Some(Step::Finished(result)));
            }
            Said::Malformed => self.unread += 1,
            Said::Other { .. } => self.unknown += 1,
            said => self.tell(said).await?,
        }
        Ok(None)
    }

    async fn tell(&mut self, said: Said) -> Result<(), StoreError> {
        match tell::event(said) {
            Some(event) => self.write(event).await,
            None => Ok(()),
        }
    }

    /// Puts an event on record without waiting for it, so that many share one flush to disk; but no more than
    /// [`UNWRITTEN`] are on their way.
    async fn write(&mut self, event: Event) -> Result<(), StoreError> {
        self.unwritten.push(Box::pin(self.log.append(event)));
        while self.unwritten.len() > UNWRITTEN {
            self.unwritten.next().await.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// The turn is taken up in this conversation. Where the session did not stand in it, it does from now on.
    async fn stand_in(&mut self, id: String, model: String) -> Result<(), StoreError> {
        let first = !std::mem::replace(&mut self.begun, true);
        self.conversation.clone_from(&id);
        if first && self.known.as_ref().is_none_or(|known| known.id != id) {
            self.known = Some(Conversation { id: id.clone(), cost_usd: 0.0 });
            let stands = stands_in(self.session.clone(), id.clone());
            self.log.append_with(Event::Session { session_id: id, model }, stands).await?;
        }
        Ok(())
    }

    async fn result(&mut self, result: ToolResult) -> Result<(), StoreError> {
        self.tools.retain(|(tool_id, ..)| *tool_id != result.tool_id);
        let whole = match &result.whole {
            Some(whole) => {
                let (dir, limit) = (&self.agent.config.sessions_dir, self.agent.config.output_bytes);
                outputs::keep(dir, self.session, &result.tool_id, Path::new(&whole.path), limit).await
            }
            None => None,
        };
        self.write(tell::result(result, self.agent.output_bytes, whole)).await
    }

    fn show_draft(&mut self) {
        self.draft_due = None;
        self.draft_shown = Instant::now();
        self.log.show(&Live::Draft { text: self.draft.text().to_owned() });
    }

    /// Once a second: shows that something is at work, names a silence, and gives a dead provider up.
    async fn tick(&mut self) -> Result<Option<Step>, TurnError> {
        let (tool_id, since) = match self.tools.first() {
            Some((tool_id, _, since)) => (tool_id.clone(), *since),
            None => (String::new(), self.begun_at),
        };
        self.log.show(&Live::Progress { tool_id, seconds: since.elapsed().as_secs() });
        if !self.asked.is_empty() {
            return Ok(None);
        }
        let (silent, config) = (self.heard_at.elapsed(), &self.agent.config);
        if silent >= config.silence && !self.silence_told {
            self.silence_told = true;
            let since = domain::ids::Millis(fresh::now().0.saturating_sub(silent.as_millis() as u64)).utc_time();
            let what = match self.tools.first() {
                Some((_, name, _)) => format!("{name}, which it has started"),
                None => "the model's provider".to_owned(),
            };
            let words = format!(
                "nothing heard of the agent for {} s, since {since} UTC: it waits for {what}",
                silent.as_secs()
            );
            self.log.append(tell::warning(words)).await?;
        }
        if self.tools.is_empty() && self.progress_at.elapsed() >= config.provider {
            let seconds = config.provider.as_secs();
            return Ok(Some(Step::Failed(format!(
                "the model's provider got nowhere for {seconds} s (BREAKGLASS_PROVIDER_TIMEOUT_SECONDS): run it without \
                 ai, or try again later"
            ))));
        }
        Ok(None)
    }
}

/// Waits until all that was told is on record.
async fn all_of(mut unwritten: FuturesUnordered<BoxFuture<'static, Result<(), StoreError>>>) -> Result<(), StoreError> {
    while let Some(written) = unwritten.next().await {
        written?;
    }
    Ok(())
}

/// True for what only comes while a part of a turn goes on.
fn is_of_a_part(said: &Said) -> bool {
    matches!(
        said,
        Said::Init { .. }
            | Said::Partial { parent: None, .. }
            | Said::Text { parent: None, .. }
            | Said::Tool { parent: None, .. }
    )
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
