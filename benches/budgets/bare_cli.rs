//! The real CLI without a console: on bare pipes, called as the console calls it or more plainly. No keeper, no session.

use std::{path::Path, process::Stdio};

use claude_cli::{
    argv::{Conversation, Definition, Invocation, Protocol},
    control,
    keeper::Launch,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    Broken,
    agent::{KEY, arrived, prompt},
    harness::provider::{Provider, Request, claude},
    samples::now_ns,
};

/// A flag of the console's call, and how many words follow it.
pub type Flag = (&'static str, usize);
/// By which the console says what its agent gets to see.
pub const NARROWING: [Flag; 5] = [
    ("--setting-sources", 1),
    ("--exclude-dynamic-system-prompt-sections", 0),
    ("--strict-mcp-config", 0),
    ("--disable-slash-commands", 0),
    ("--tools", 1),
];
/// By which it says who its agent is.
pub const AGENT: [Flag; 2] = [("--agents", 1), ("--agent", 1)];

/// A call in a folder of its own, as the console would make it.
pub fn like_ours(folder: &Path, provider: &Provider) -> Result<Launch, Broken> {
    let conversation = uuid::Uuid::new_v4().to_string();
    let dir = folder.join(&conversation);
    std::fs::create_dir_all(&dir)?;
    let env = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("HOME", folder.display().to_string()),
        ("IS_SANDBOX", "1".into()),
        ("ANTHROPIC_BASE_URL", provider.base().into()),
        ("ANTHROPIC_API_KEY", KEY.into()),
        ("CLAUDE_CODE_MAX_RETRIES", "1".into()),
    ];
    let invocation = Invocation {
        program: claude(),
        protocol: Protocol::Control,
        conversation: Conversation::Open(conversation),
        definition: definition().ok_or("agents/breakglass.md is no definition")?,
        model: None,
        autonomous: true,
        dir,
        env: env.map(|(name, value)| (name.to_owned(), value)).into(),
        key: None,
        stream_idle_ms: 60_000,
        api_timeout_ms: 60_000,
        retries: 1,
        file_bytes: None,
    };
    Ok(invocation.launch())
}

/// The same call without these flags.
pub fn without(mut launch: Launch, flags: &[Flag]) -> Launch {
    for (flag, words) in flags {
        if let Some(at) = launch.args.iter().position(|arg| arg == flag) {
            launch.args.drain(at..=at + words);
        }
    }
    launch
}

/// The console's own definition of its agent.
fn definition() -> Option<Definition> {
    let (front, words) = include_str!("../../agents/breakglass.md").strip_prefix("---\n")?.split_once("\n---\n")?;
    let field =
        |name: &str| front.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()));
    Some(Definition {
        name: field("name")?,
        description: field("description")?,
        model: field("model")?,
        tools: field("tools")?.split(", ").map(str::to_owned).collect(),
        prompt: words.trim().to_owned(),
    })
}

/// A CLI on bare pipes. Dropping it ends it.
pub struct BareCli {
    launch: Command,
    running: Option<(Child, ChildStdin, Lines<BufReader<ChildStdout>>)>,
}

impl BareCli {
    /// One that starts with its first turn.
    pub fn new(launch: &Launch) -> Self {
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .env_clear()
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&launch.dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        BareCli { launch: command, running: None }
    }

    /// One turn to its end: its request, and how long that took from the spawning of a new process, or from the writing
    /// of the prompt to one that waits, in milliseconds.
    pub async fn turn(&mut self, provider: &Provider) -> Result<(f64, Request), Broken> {
        let prompt = prompt();
        let sent_ns = now_ns();
        if self.running.is_none() {
            let mut child = self.launch.spawn()?;
            let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
                return Err("no pipes".into());
            };
            self.running = Some((child, stdin, BufReader::new(stdout).lines()));
        }
        let Some((_, stdin, lines)) = &mut self.running else { return Err("no process".into()) };
        let message = control::message(&prompt, &uuid::Uuid::new_v4().to_string());
        stdin.write_all(format!("{message}\n").as_bytes()).await?;
        loop {
            let line = lines.next_line().await?.ok_or("the CLI ended")?;
            let said: serde_json::Value = serde_json::from_str(&line)?;
            if said["type"] == "result" {
                return arrived(provider, &prompt, sent_ns).await;
            }
        }
    }
}
