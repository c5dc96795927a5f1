//! The backend without AI: a preset's commands on the target, one after the other, and a verdict by rules. It is what
//! works when all else is down, so it needs nothing but the target, the hypervisor and the record.
//!
//! `domain::runbook` decides which step comes next and what the observations mean; this file carries it out and shows it.

use std::{sync::Arc, time::Duration};

use domain::{
    event::{Event, Live},
    preset::Preset,
    probe::Figures,
    runbook::{self, Next, Observation, StepOutcome},
    verb::Verb,
};
use futures_util::future::BoxFuture;

use super::{
    child::Bounds,
    config::Limits,
    power::{Ask, Power},
    sessions::backend::{Backend, Finished, Task, Turn, TurnError},
    target::{CommandEnd, How, Target},
};

/// The runbook, with all that it reaches.
#[derive(Clone)]
pub struct Runbook {
    pub target: Target,
    pub target_name: String,
    pub power: Arc<Power>,
    pub limits: Limits,
    pub child_env: Vec<(std::ffi::OsString, std::ffi::OsString)>,
    /// What can be tapped, for those who typed something else.
    pub preset_labels: Vec<String>,
}

impl Backend for Runbook {
    fn run(&self, turn: Turn) -> BoxFuture<'static, Result<Finished, TurnError>> {
        let runbook = self.clone();
        Box::pin(async move {
            match &turn.task {
                Task::Preset(preset) => runbook.preset(preset, &turn).await,
                Task::Words { text, .. } => match text.trim_start().strip_prefix('!') {
                    Some(command) => runbook.typed(command.trim(), &turn).await,
                    None => runbook.explain(&turn).await,
                },
            }
        })
    }
}

/// A tool's events, numbered within its turn. Ids must be unique within a session, so the turn's first entry is in them.
struct Steps<'a> {
    turn: &'a Turn,
    prefix: String,
    count: usize,
}

impl<'a> Steps<'a> {
    fn new(turn: &'a Turn) -> Self {
        let prefix = turn.log.session().head().0.map_or_else(String::new, |id| id.to_string());
        Steps { turn, prefix, count: 0 }
    }

    /// Logs that a step begins, shows how long it takes, and logs what came of it.
    async fn show<T>(
        &mut self,
        name: &str,
        title: &str,
        command: &str,
        work: impl Future<Output = T>,
        result: impl FnOnce(&T) -> Shown,
    ) -> Result<T, TurnError> {
        self.count += 1;
        let tool_id = format!("{}.{}", self.prefix, self.count);
        let input = serde_json::json!({ "command": command, "title": title });
        let log = &self.turn.log;
        log.append(Event::Tool { tool_id: tool_id.clone(), name: name.into(), input, parent: None }).await?;
        let mut work = std::pin::pin!(work);
        let begun = tokio::time::Instant::now();
        let mut tick = tokio::time::interval_at(begun + TICK, TICK);
        let done = loop {
            tokio::select! {
                done = &mut work => break done,
                _ = tick.tick() => {
                    let seconds = begun.elapsed().as_secs();
                    log.show(&Live::Progress { tool_id: tool_id.clone(), seconds });
                }
            }
        };
        let Shown { output, is_error, exit_code, truncated } = result(&done);
        log.append(Event::ToolResult { tool_id, output, is_error, exit_code, truncated, whole: None }).await?;
        Ok(done)
    }
}

const TICK: Duration = Duration::from_secs(1);

/// A tool's result as it is logged.
struct Shown {
    output: String,
    is_error: bool,
    exit_code: Option<i32>,
    truncated: bool,
}

impl Runbook {
    async fn preset(&self, preset: &Preset, turn: &Turn) -> Result<Finished, TurnError> {
        let mut steps = Steps::new(turn);
        let mut observed = Vec::new();
        loop {
            let observation = match runbook::next(&preset.step, &observed) {
                Next::Run { step, command } => {
                    let end = self.command(&mut steps, step.title(), command, turn).await?;
                    Observation {
                        reading: step.reads(),
                        title: step.title().into(),
                        outcome: end.outcome(self.limits.command),
                    }
                }
                Next::Verb { verb, title, reading } => {
                    let outcome = self.verb(&mut steps, title, verb, turn).await?;
                    Observation { reading, title: title.into(), outcome }
                }
                Next::Verdict => break,
            };
            if turn.stop.is_cancelled() {
                return Err(TurnError::Failed("stopped".into()));
            }
            observed.push(observation);
        }
        let verdict = runbook::verdict(&self.target_name, &observed);
        turn.log.append(Event::Text { text: verdict.text() }).await?;
        let figures = Figures::observed(&observed).bars();
        if !figures.is_empty() {
            turn.log.append(Event::Figures { figures }).await?;
        }
        Ok(Finished { is_error: false, result: verdict.headline(), cost_usd: None })
    }

    async fn typed(&self, command: &str, turn: &Turn) -> Result<Finished, TurnError> {
        if command.is_empty() {
            return self.explain(turn).await;
        }
        let end = self.command(&mut Steps::new(turn), "Typed command", command, turn).await?;
        let result = match &end.how {
            How::Exited(0) => "the command is through".into(),
            How::Exited(code) => format!("the command ended with exit code {code}"),
            other => self.words(other),
        };
        Ok(Finished { is_error: matches!(end.how, How::Unreachable(_) | How::Lost(_)), result, cost_usd: None })
    }

    /// Answers words that no rule understands with what can be done.
    async fn explain(&self, turn: &Turn) -> Result<Finished, TurnError> {
        let labels = self.preset_labels.join(", ");
        let text = format!(
            "No AI is connected, so words are not understood here. What works:\n\n\
             - Tap a preset: {labels}. Each runs plain commands on {target} and ends in a verdict.\n\
             - Type a line that begins with `!` to run it on {target}, for example `!systemctl --failed`.\n\
             - Open VM for status, forensics, start, stop, reset and cycle through the hypervisor.",
            target = self.target_name
        );
        turn.log.append(Event::Text { text }).await?;
        Ok(Finished { is_error: false, result: "said what can be done".into(), cost_usd: None })
    }

    async fn command(
        &self,
        steps: &mut Steps<'_>,
        title: &str,
        command: &str,
        turn: &Turn,
    ) -> Result<CommandEnd, TurnError> {
        let bounds = Bounds { env: self.child_env.clone(), limit: self.limits.command, stop: turn.stop.clone() };
        let work = self.target.run(command, self.limits.command, self.limits.command_output_bytes, &bounds);
        steps
            .show("command", title, command, work, |end| {
                let exit_code = if let How::Exited(code) = end.how { Some(code) } else { None };
                let mut output = end.output.clone();
                if exit_code.is_none() {
                    if !output.is_empty() && !output.ends_with('\n') {
                        output.push('\n');
                    }
                    output.push_str(&self.words(&end.how));
                }
                Shown { output, is_error: exit_code != Some(0), exit_code, truncated: end.truncated }
            })
            .await
    }

    async fn verb(
        &self,
        steps: &mut Steps<'_>,
        title: &str,
        verb: Verb,
        turn: &Turn,
    ) -> Result<StepOutcome, TurnError> {
        let ask = Ask {
            verb,
            by: turn.by.clone(),
            session: None,
            override_unknown: false,
            recorded: None,
            stop: turn.stop.clone(),
        };
        let work = async {
            match self.power.begin(ask).await {
                Ok(live) => live.wait().await.answer(),
                Err(rejected) => rejected.answer(verb),
            }
        };
        let answer = steps
            .show("hypervisor", title, verb.as_str(), work, |answer| {
                let parts = [answer.stdout.as_str(), answer.stderr.as_str(), answer.detail.as_deref().unwrap_or("")];
                let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(str::trim_end).collect();
                Shown {
                    output: said.join("\n"),
                    is_error: answer.exit_code != Some(0),
                    exit_code: answer.exit_code,
                    truncated: answer.truncated,
                }
            })
            .await?;
        Ok(match (answer.exit_code, answer.detail) {
            (Some(code), _) => StepOutcome::Exited { code, output: answer.stdout, truncated: answer.truncated },
            (None, why) => {
                let why = why.unwrap_or_else(|| "the hypervisor did not answer".into());
                if self.power.is_configured() { StepOutcome::Unreachable { why } } else { StepOutcome::Refused { why } }
            }
        })
    }

    /// How a command ended, for a person.
    fn words(&self, how: &How) -> String {
        match how {
            How::Exited(code) => format!("exit code {code}"),
            How::TimedOut => format!(
                "ended after {} s, its time limit (BREAKGLASS_COMMAND_TIMEOUT_SECONDS)",
                self.limits.command.as_secs()
            ),
            How::Stopped => "stopped".into(),
            How::Unreachable(why) => format!("{} cannot be reached: {why}", self.target_name),
            How::Refused(why) => format!("{} would not: {why}", self.target_name),
            How::Lost(why) => {
                format!("the connection to {} was lost, or the command itself ended with 255: {why}", self.target_name)
            }
        }
    }
}
