//! The agent: the real Claude Code CLI under the real console, against a scripted provider. What the model says is
//! scripted; what the CLI, its Bash and our `ssh` make of it is real.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "tests look at processes themselves")]

mod harness;

#[path = "agent/approvals.rs"]
mod approvals;
#[path = "agent/conversations.rs"]
mod conversations;
#[path = "agent/provider.rs"]
mod provider;
#[path = "agent/reach.rs"]
mod reach;
#[path = "agent/secrets.rs"]
mod secrets;
#[path = "agent/stop.rs"]
mod stop;
#[path = "agent/turns.rs"]
mod turns;

use std::path::Path;

use breakglass::server::config::{BackendChoice, Permissions, Secret, Settings, Surroundings};
use domain::event::{Entry, Event};
use harness::{
    console::{Console, eventually, practice, surroundings},
    provider::{Provider, claude, script},
};
use serde_json::Value;
use tempfile::TempDir;

/// The key that the provider must be shown.
const KEY: &str = "sk-ant-for-tests";

/// A console whose turns the agent does, in practice mode, and its provider.
struct Lab {
    provider: Provider,
    console: Console,
    folder: TempDir,
}

fn settings(provider: &Provider) -> Settings {
    Settings {
        backend: Some(BackendChoice::Claude),
        claude_bin: Some(claude()),
        permissions: Some(Permissions::Autonomous),
        // They come in their own time; the test that is about them turns them on.
        checks: Some(false),
        agent_env: Some(vec![format!("ANTHROPIC_BASE_URL={}", provider.base()), "CLAUDE_CODE_MAX_RETRIES=1".into()]),
        ..practice()
    }
}

fn with_key() -> Surroundings {
    let mut surroundings = surroundings();
    surroundings.agent.api_key = Some(Secret::from(KEY));
    surroundings.agent.env = vec![
        ("PATH".into(), "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()),
        // The tests may run as root, on a machine that is made for them.
        ("IS_SANDBOX".into(), "1".into()),
    ];
    surroundings
}

impl Lab {
    async fn open() -> Self {
        Self::open_with(|settings| settings).await
    }

    async fn open_with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let provider = Provider::start();
        let folder = TempDir::new().unwrap();
        let console = Console::start_with(change(settings(&provider)), with_key(), folder.path()).await;
        Lab { provider, console, folder }
    }

    /// The entries of a session's turn that is done by this script.
    async fn turn(&self, session: &str, steps: Value) -> Vec<Entry> {
        let before = self.entries(session).await.len();
        self.console.prompt(session, &script(steps)).await;
        self.console.idle(session).await;
        self.entries(session).await.split_off(before)
    }

    async fn entries(&self, session: &str) -> Vec<Entry> {
        let listed = self.console.get_json(&format!("/api/session/{session}/entries?limit=1000")).await;
        serde_json::from_value(listed["entries"].clone()).unwrap()
    }

    /// Waits until none of the agent's processes is left. What it keeps between turns is ended first.
    async fn close(self) {
        self.console.end().await;
        nothing_left(self.folder.path()).await;
    }
}

/// Waits until nothing that carries a console's mark is left.
async fn nothing_left(folder: &Path) {
    let mark = folder.display().to_string();
    eventually("nothing of the agent's is left", async || {
        claude_cli::keeper::marked("BREAKGLASS_CONSOLE", &mark).is_empty().then_some(())
    })
    .await;
}

/// The processes that have this word in their command line.
fn processes_with(word: &str) -> Vec<i32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        line.split(|byte| *byte == 0).any(|arg| arg == word.as_bytes()).then_some(pid)
    })
    .collect()
}

/// What a tool gave, by the place of its result among the entries.
fn results(entries: &[Entry]) -> Vec<&Event> {
    entries.iter().map(|entry| &entry.event).filter(|event| matches!(event, Event::ToolResult { .. })).collect()
}

fn texts(entries: &[Entry]) -> Vec<&str> {
    let text = |event: &'_ Event| matches!(event, Event::Text { .. });
    let texts = entries.iter().map(|entry| &entry.event).filter(|event| text(event));
    texts.map(|event| if let Event::Text { text } = event { text.as_str() } else { "" }).collect()
}

/// The notices among the entries, joined.
fn notices(entries: &[Entry]) -> String {
    let words = |entry: &Entry| match &entry.event {
        Event::Notice { text, .. } => Some(text.clone()),
        _ => None,
    };
    entries.iter().filter_map(words).collect::<Vec<_>>().join("\n")
}
