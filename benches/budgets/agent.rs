//! How long a prompt takes to become a request at the model's provider, with the real CLI: a turn that starts a process,
//! and a later one that finds it waiting. And what the first request weighs.

use std::{path::Path, time::Duration};

use domain::event::Event;
use serde_json::json;

use crate::{
    Broken,
    bare_cli::{self, AGENT, BareCli, NARROWING},
    harness::{
        console::Attached,
        program::Program,
        provider::{Provider, Request, claude},
    },
    record,
    samples::{Samples, now_ns},
    table::{Amount, Budget, Report, Row, Unit},
};

const ROUNDS: usize = 10;
/// How many new sessions, where two other processes wait that have to go first.
const CROWDED: usize = 4;
/// What the provider is shown.
pub const KEY: &str = "sk-ant-for-benchmarks";

pub async fn run() -> crate::Outcome {
    let folder = record::folder()?;
    let provider = Provider::start();
    let (console, bare) = (folder.path().join("console"), folder.path().join("bare"));
    let (mut spawned, mut warm) = ([vec![], vec![]], [vec![], vec![]]);
    let program = start(&console, &provider, &["--agent-idle-seconds", "2"])?;
    let mut session = Session::open(&program, &provider).await?;
    let mut cli = BareCli::new(&bare_cli::like_ours(&bare, &provider)?);
    for _ in 0..ROUNDS {
        // A CLI is at work for a while after its turn: each new one begins when all others have gone.
        drop(cli);
        session = Session::open(&program, &provider).await?;
        spawned[0].push(session.turn().await?.0);
        nothing_left(&console).await;
        cli = BareCli::new(&bare_cli::like_ours(&bare, &provider)?);
        spawned[1].push(cli.turn(&provider).await?.0);
    }
    session.turn().await?;
    for _ in 0..ROUNDS {
        warm[0].push(session.turn().await?.0);
        warm[1].push(cli.turn(&provider).await?.0);
    }
    let ours = session.first.clone().ok_or("no first request")?;
    drop((session, cli));
    drop(program);

    let mut crowded = Vec::new();
    let program = start(&folder.path().join("crowded"), &provider, &["--max-concurrent-turns", "2"])?;
    for _ in 0..CROWDED + 2 {
        crowded.push(Session::open(&program, &provider).await?.turn().await?.0);
    }
    let crowded = crowded.split_off(2);
    drop(program);

    let mut weighed = Vec::new();
    for flags in [NARROWING.as_slice(), &[NARROWING.as_slice(), &AGENT].concat()] {
        let launch = bare_cli::without(bare_cli::like_ours(&bare, &provider)?, flags);
        weighed.push(BareCli::new(&launch).turn(&provider).await?.1.input_tokens as f64);
    }

    let median = |ms: &[f64]| Samples::of(ms.to_vec()).median();
    let ms = |figure: &str, ours: &[f64], bare: &[f64], budget| {
        Row::beside(figure, Amount(median(ours), Unit::Ms), median(bare), budget)
    };
    let tokens =
        |figure: &str, bare| Row::beside(figure, Amount(ours.input_tokens as f64, Unit::Tokens), bare, Budget::None);
    Ok(Report {
        name: "agent",
        rows: vec![
            ms("prompt to provider, first turn (spawned)", &spawned[0], &spawned[1], Budget::AtMost(440.0)),
            ms("prompt to provider, later turn (warm)", &warm[0], &warm[1], Budget::AtMost(50.0)),
            ms("first turn when two others wait (crowded)", &crowded, &spawned[1], Budget::None),
            tokens("input of the first request", weighed[0]),
            tokens("the same, beside `claude -p` alone", weighed[1]),
        ],
        notes: vec![format!(
            "the real CLI under the program, from the POST of a prompt to the request's head at a scripted provider on this \
             machine; medians of {ROUNDS}, in turns ({CROWDED} crowded: the pool of two is full, so a process is ended first). \
             Baseline: the same CLI, called alike, on bare pipes. Input: a token for four bytes of body, in a \
             home without settings; its baselines are a call without {}, and one without our agent too.",
            NARROWING.map(|(flag, _)| flag).join(" ")
        )],
    })
}

/// Waits until none of the console's agents is left.
async fn nothing_left(folder: &Path) {
    let mark = folder.display().to_string();
    while !claude_cli::keeper::marked("BREAKGLASS_CONSOLE", &mark).is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn start(folder: &Path, provider: &Provider, more: &[&str]) -> std::io::Result<Program> {
    std::fs::create_dir_all(folder)?;
    let home = folder.display().to_string();
    let provider = format!("ANTHROPIC_BASE_URL={}", provider.base());
    let cli = claude().display().to_string();
    let mut flags = vec!["--backend", "claude", "--permissions", "autonomous", "--claude-bin", &cli];
    flags.extend(["--agent-env", &provider]);
    flags.extend(more);
    let variables = [("ANTHROPIC_API_KEY", KEY), ("IS_SANDBOX", "1"), ("HOME", &home), ("NO_PROXY", "127.0.0.1")];
    Ok(Program::start_with(folder, &flags, &variables))
}

/// A prompt that no other is like, so that its request is found.
pub fn prompt() -> String {
    format!("Say OK. {}", uuid::Uuid::new_v4())
}

/// The request of a prompt, and how long after `sent_ns` it was there, in milliseconds.
pub async fn arrived(provider: &Provider, prompt: &str, sent_ns: u64) -> Result<(f64, Request), Broken> {
    let steps = provider.steps().await;
    let request = steps.into_iter().find(|step| step.last_text.contains(prompt)).ok_or("the provider was not asked")?;
    Ok((request.at_ms - sent_ns as f64 / 1e6, request))
}

/// A session of the console, and a client on it.
struct Session<'a> {
    console: &'a Program,
    provider: &'a Provider,
    id: String,
    client: Attached,
    turns: usize,
    first: Option<Request>,
}

impl<'a> Session<'a> {
    async fn open(console: &'a Program, provider: &'a Provider) -> Result<Self, Broken> {
        let opened = console.post("/api/session", json!({})).await.1;
        let id = opened["session_id"].as_str().ok_or("no session")?.to_owned();
        let client = console.attach(&id).await;
        Ok(Session { console, provider, id, client, turns: 0, first: None })
    }

    /// One turn to its end.
    async fn turn(&mut self) -> Result<(f64, Request), Broken> {
        let prompt = prompt();
        let sent_ns = now_ns();
        let answer = self.console.post(&format!("/api/session/{}/prompt", self.id), json!({ "prompt": prompt })).await;
        if answer.0 != 200 {
            return Err(format!("the prompt was answered {answer:?}").into());
        }
        self.turns += 1;
        let ended = |client: &Attached| client.entries.iter().filter(|entry| entry.event == Event::TurnEnd).count();
        while ended(&self.client) < self.turns {
            self.client.frame().await.ok_or("the stream ended")?;
        }
        if let Some(Event::Error { error }) = self.client.entries.iter().map(|entry| &entry.event).nth_back(1) {
            return Err(error.clone().into());
        }
        let arrived = arrived(self.provider, &prompt, sent_ns).await?;
        self.first.get_or_insert_with(|| arrived.1.clone());
        Ok(arrived)
    }
}
