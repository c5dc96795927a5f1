//! Listening to one process during one turn: what it says is told, what it asks is put to the operators, what they say is
//! put to it, and its silence is named.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use claude_cli::{
    argv::Protocol,
    control,
    draft::{Change, Draft},
    keeper::{Ended, end_marked},
    process::{Heard, Process},
    said::{Finished as Through, Lifecycle, Said, ToolResult},
};
use domain::{
    event::{Event, Live},
    ids::SessionId,
    permission::{Decision, QUESTION, changes_nothing},
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Agent, outputs, reach::SESSION_MARK, tell};
use crate::server::{
    fresh,
    sessions::{
        backend::{Finished, Steer, TurnError, TurnLog},
        locked,
        permissions::Verdict,
    },
    store::{
        StoreError,
        conversations::{Conversation, stands_in},
    },
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

/// How long an interrupted turn has to end by itself.
const INTERRUPT: Duration = Duration::from_millis(800);
/// How long a sweep may take.
const SWEEP: Duration = Duration::from_secs(3);
/// How long what carries the session's mark has to end by itself, where its keeper was killed.
const MARKED: Duration = Duration::from_millis(500);
/// How many events may be on their way to the disk.
const UNWRITTEN: usize = 64;
/// How often a growing draft is shown.
const DRAFT: Duration = Duration::from_millis(60);
/// How often it is shown that something is at work.
const TICK: Duration = Duration::from_secs(1);
/// How long a message that came at the very end has to begin its own part of the turn.
const LATE_MESSAGE: Duration = Duration::from_secs(5);

/// A permission that was put to the operators, by the CLI's id of it.
type Asked = (String, String, Value, Result<Verdict, StoreError>);

pub(super) struct Listening<'a> {
    agent: &'a Arc<Agent>,
    session: &'a SessionId,
    log: &'a TurnLog,
    process: Process,
    protocol: Protocol,
    /// The conversation that this session was known to stand in.
    pub(super) known: Option<Conversation>,
    conversation: String,
    /// True once the CLI has taken the turn up.
    begun: bool,
    draft: Draft,
    /// When the draft is to be shown again; nothing while what is shown is current.
    draft_due: Option<Instant>,
    draft_shown: Instant,
    /// The tools at work, in the order in which they began.
    tools: Vec<(String, String, Instant)>,
    asked: FuturesUnordered<BoxFuture<'static, Asked>>,
    /// What was told and is not on record yet.
    unwritten: FuturesUnordered<BoxFuture<'static, Result<(), StoreError>>>,
    /// The messages sent into the turn, and whether the CLI has taken them up.
    steered: HashMap<String, bool>,
    /// The last failure of the provider.
    provider: Option<(String, Option<u16>, String)>,
    begun_at: Instant,
    heard_at: Instant,
    /// When the provider last got somewhere.
    progress_at: Instant,
    silence_told: bool,
    /// A result that is held back, because a message came at the very end.
    held: Option<(Through, Instant)>,
    /// How many lines could not be read, or were too long; and how many were of a kind that says nothing here.
    unread: u64,
    unknown: u64,
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
            Ok(step) => self.written().await.map(|()| step).map_err(TurnError::from),
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

    async fn ended_by(self, step: Step) -> Result<End, TurnError> {
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
            Said::Text { .. } => {
                self.begun = true;
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

    /// Waits until all that was told is on record.
    async fn written(&mut self) -> Result<(), StoreError> {
        while let Some(written) = self.unwritten.next().await {
            written?;
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

    /// Puts a permission to the operators, unless it needs none. The turn is listened to meanwhile.
    async fn ask(&mut self, request_id: String, tool: String, input: Value) {
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

    async fn decided(&mut self, (request_id, tool, input, verdict): Asked) -> Result<(), StoreError> {
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
    async fn steer(&mut self, message: Steer) {
        let words = message.words.clone();
        if message.record(self.log).await {
            let uuid = fresh::key();
            self.say(control::message(&words, &uuid)).await;
            self.steered.insert(uuid, false);
        }
    }

    /// Says something to the CLI. One that has ended says so itself.
    async fn say(&mut self, line: String) {
        let _ = self.process.say(line).await;
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

    /// The agent is through: what it left running is ended, and its process kept.
    async fn finish(self, result: Through) -> Result<End, TurnError> {
        let Listening { agent, session, log, process, protocol, known, conversation, provider, .. } = self;
        let process = if protocol == Protocol::Control {
            swept(process, session, log).await?
        } else {
            ended(process, session, log).await?
        };
        if result.is_error
            && let Some((kind, status, text)) = provider
        {
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

/// What a step of listening leads to.
enum Step {
    Stop,
    Finished(Through),
    Ended(End),
    Failed(String),
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
async fn tell_end(end: &Ended, session: &SessionId, log: &TurnLog) -> Result<bool, StoreError> {
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

async fn next_message(way: &mut Option<mpsc::Receiver<Steer>>) -> Steer {
    if let Some(open) = way
        && let Some(message) = open.recv().await
    {
        return message;
    }
    *way = None;
    std::future::pending().await
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
