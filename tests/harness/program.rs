//! The program itself, as a process of its own: for what a router in the test's process cannot show.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::console::{Attached, TOKEN, answer};

/// The program itself, as a process that can be killed.
pub struct Program {
    child: Child,
    pub base: String,
    pub http: reqwest::Client,
}

impl Program {
    /// In practice mode, with its record in `folder`.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[], &[])
    }

    /// The same with further flags and variables.
    pub fn start_with(folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::serve(folder, &[&["--practice"], flags].concat(), variables)
    }

    /// As these flags and variables say, with its record in `folder`.
    pub fn serve(folder: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_breakglass"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .args(flags)
            .env("API_BEARER_TOKEN", TOKEN)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let base = lines
            .find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned))
            .expect("it says where it listens");
        Program { child, base, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A POST with the bearer token: its status and its JSON.
    pub async fn post(&self, path: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
        answer(self.http.post(format!("{}{path}", self.base)).bearer_auth(TOKEN).json(&body)).await
    }

    /// The same with an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: serde_json::Value) -> (u16, serde_json::Value) {
        let call = self.http.post(format!("{}{path}", self.base)).bearer_auth(TOKEN);
        answer(call.header("idempotency-key", key).json(&body)).await
    }

    /// The JSON that a GET gives.
    pub async fn get_json(&self, path: &str) -> serde_json::Value {
        answer(self.http.get(format!("{}{path}", self.base)).bearer_auth(TOKEN)).await.1
    }

    /// Attaches from the start.
    pub async fn attach(&self, session: &str) -> Attached {
        let url = format!("{}/api/session/{session}/stream", self.base);
        Attached::new(self.http.get(url).bearer_auth(TOKEN).send().await.unwrap())
    }

    /// SIGKILL, as the kernel's OOM killer does it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
