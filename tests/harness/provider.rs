//! The model's provider, scripted: `end2end/provider.mjs` on a free port, for the real Claude Code CLI to talk to. What
//! it answers stands in the prompt ([`script`]); a gate in a script lets a test and an answer wait for each other. It
//! must not know what the console makes of an answer.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use super::console::eventually;

/// A provider that answers. Dropping it ends it, and so does the end of this process, however it comes.
pub struct Provider {
    base: String,
    http: Client,
    child: Child,
}

/// A request that the provider got, as it notes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// When its head was here: Unix time in milliseconds.
    pub at_ms: f64,
    pub method: String,
    pub path: String,
    /// What it asks, where it is a call of `/v1/messages`.
    pub model: Option<String>,
    /// As `x-api-key` or `authorization` had it.
    pub api_key: Option<String>,
    /// The CLI's conversation.
    pub session_id: Option<String>,
    pub stream: bool,
    /// The names of the tools that the model may call.
    pub tools: Vec<String>,
    /// How many messages the conversation has.
    pub messages: usize,
    /// The newest words of the user, without what the CLI adds on its own.
    pub last_text: String,
    pub last_tool_result: Option<String>,
    /// The length of the system prompt.
    pub system_chars: usize,
    pub body_bytes: usize,
    /// An estimate: a token for four bytes.
    pub input_tokens: usize,
    /// No turn of the agent: it offers no tools, such as the question for a title.
    pub side: bool,
    /// The client hung up before its answer was complete.
    #[serde(default)]
    pub client_gone: bool,
}

impl Provider {
    /// Starts one that is ready to be connected to.
    pub fn start() -> Self {
        // Its stdin is a pipe that nobody writes to: when we are gone, whatever the reason, it ends too.
        let mut child = Command::new("node")
            .arg(end2end("provider.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need Node 20");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let base = line.trim().strip_prefix("provider on ").unwrap_or_else(|| panic!("it said `{line}`")).to_owned();
        Provider { base, http: Client::builder().no_proxy().build().unwrap(), child }
    }

    /// Its address, as `ANTHROPIC_BASE_URL` wants it.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// All requests so far, in the order of their arrival.
    pub async fn requests(&self) -> Vec<Request> {
        self.http.get(self.url("/log")).send().await.unwrap().json().await.unwrap()
    }

    /// The agent's own requests so far: one for each step of a turn.
    pub async fn steps(&self) -> Vec<Request> {
        self.requests().await.into_iter().filter(|request| request.path == "/v1/messages" && !request.side).collect()
    }

    /// Opens a gate, for what waits there and for all that comes later.
    pub async fn release(&self, gate: &str) {
        self.post(&format!("/release/{gate}"), &json!({})).await;
    }

    /// Waits until an answer is held at a gate.
    pub async fn held(&self, gate: &str) {
        eventually(&format!("an answer is held at {gate}"), async || {
            let waiting: Vec<String> = self.http.get(self.url("/waiting")).send().await.unwrap().json().await.unwrap();
            waiting.iter().any(|held| held == gate).then_some(())
        })
        .await;
    }

    /// Sets the script for prompts that hold none, such as a preset's.
    pub async fn answer_others(&self, steps: Value) {
        self.post("/default", &json!({ "steps": steps })).await;
    }

    /// Forgets all requests, shuts every gate, and answers prompts without a script by `OK.` again.
    pub async fn reset(&self) {
        self.post("/reset", &json!({})).await;
    }

    async fn post(&self, path: &str, body: &Value) {
        let answer = self.http.post(self.url(path)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // One that has ended already is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A prompt that makes the provider answer its turn by these steps; `end2end/provider/script.mjs` says what a step is.
pub fn script(steps: Value) -> String {
    format!("SCRIPT {}", json!({ "steps": steps }))
}

/// The Claude Code CLI: `BREAKGLASS_CLAUDE_BIN`, or the one that npm has installed for the tests.
pub fn claude() -> PathBuf {
    let claude = std::env::var_os("BREAKGLASS_CLAUDE_BIN").map(PathBuf::from);
    let claude = claude.unwrap_or_else(|| end2end("node_modules/.bin/claude"));
    assert!(claude.exists(), "no {}: run `npm ci` in end2end, or `cargo xtask test`", claude.display());
    claude
}

fn end2end(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end").join(path)
}
