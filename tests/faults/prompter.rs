//! A prompter: sends prompts by key into one session and sends each again until it is acknowledged, or gives up. It says
//! what it asked for and whether it was told "started"; whether that is true is not its business.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    calls::{Calls, patience},
    chance::Chance,
};

/// A prompt that was sent at least once.
#[derive(Clone, Debug)]
pub struct Asked {
    pub session: String,
    /// What stands in the transcript.
    pub text: String,
    /// A word that its command leaves in the file of effects, once for each time that it runs.
    pub token: Option<String>,
    /// Whether it was answered "started".
    pub acknowledged: bool,
}

/// A prompter.
pub struct Prompter {
    pub name: String,
    pub session: String,
    pub calls: Calls,
    pub chance: Chance,
    /// The file of effects.
    pub effects: PathBuf,
}

impl Prompter {
    /// Prompts until it is over, and gives what it asked for. The last one is still seen through.
    pub async fn run(mut self, over: CancellationToken) -> Vec<Asked> {
        let mut all = Vec::new();
        while !over.is_cancelled() {
            let token = format!("{}-{}", self.name, all.len());
            let (body, mut asked, stopped) = self.make(&token);
            self.calls.board.say(&self.name, format!("prompt {token}: {body}"));
            asked.acknowledged = self.send(&token, &body).await;
            if asked.acknowledged && stopped {
                self.stop(&token).await;
            }
            all.push(asked);
            self.chance.pause(40).await;
        }
        self.calls.board.say(&self.name, format!("is through: {} prompts", all.len()));
        all
    }

    /// A prompt, and whether it is to be stopped.
    fn make(&mut self, token: &str) -> (Value, Asked, bool) {
        let asked = |text: String, token: Option<&str>| Asked {
            session: self.session.clone(),
            text,
            token: token.map(str::to_owned),
            acknowledged: false,
        };
        let effect = format!("!echo {token} >> '{}'", self.effects.display());
        let (then, stopped) = match self.chance.between(1, 12) {
            1..=4 => (format!("echo {token}"), false),
            5 | 6 => (format!("seq 1 {}", self.chance.between(1, 8000)), false),
            7 => (format!("echo {token}; sleep 0.{}; exit 3", self.chance.between(1, 9)), false),
            8 => ("sleep 5".into(), true),
            9 | 10 => return (json!({"preset": "services"}), asked("Services".into(), None), false),
            11 => return (json!({"preset": "triage"}), asked("Triage".into(), None), self.chance.one_in(2)),
            _ => {
                let text = format!("what is {token}? \u{1f6a8}\r\n\"two\" lines");
                return (json!({ "prompt": text }), asked(text, None), false);
            }
        };
        let text = format!("{effect}; {then}");
        // The runbook takes no messages into its turns, so a steered prompt begins a turn or is sent again.
        (json!({ "prompt": text, "steer": self.chance.one_in(5) }), asked(text, Some(token)), stopped)
    }

    /// Sends a prompt until it is acknowledged. False when it gave up, as somebody does who closes the page.
    async fn send(&mut self, key: &str, body: &Value) -> bool {
        let path = format!("/api/session/{}/prompt", self.session);
        let mut tries = if self.chance.one_in(8) { self.chance.between(1, 3) } else { u64::MAX };
        while tries > 0 {
            tries -= 1;
            let patience = patience(&mut self.chance);
            // Two taps at once, or a proxy that repeats a request.
            let copies = if self.chance.one_in(4) { 2 } else { 1 };
            let posts = (0..copies).map(|_| self.calls.post(&path, key, body, patience));
            let told: Vec<_> = futures_util::future::join_all(posts).await.into_iter().flatten().collect();
            for told in told.iter().filter(|told| told.status != 200 && !self.calls.is_again(told)) {
                self.calls.board.fault(format!("{key} was answered {} {}", told.status, told.body));
            }
            if told.iter().any(|told| told.status == 200) {
                if self.chance.one_in(4) {
                    self.repeat(&path, key, body).await;
                }
                return true;
            }
            self.chance.pause(60).await;
        }
        self.calls.board.count("prompts given up");
        false
    }

    /// An acknowledged prompt that is sent again has the same answer.
    async fn repeat(&mut self, path: &str, key: &str, body: &Value) {
        let told = self.calls.until_answered(path, key, body, &mut self.chance).await;
        self.calls.board.count("prompts repeated");
        if (told.status, &told.body) != (200, &json!({"status": "started"})) {
            self.calls.board.fault(format!("{key}, acknowledged and sent again, was answered {told:?}"));
        }
    }

    async fn stop(&mut self, token: &str) {
        self.chance.pause(200).await;
        let (path, key) = (format!("/api/session/{}/cancel", self.session), format!("{token}-stop"));
        let told = self.calls.until_answered(&path, &key, &json!({}), &mut self.chance).await;
        if told.status != 200 {
            self.calls.board.fault(format!("the stop {key} was answered {told:?}"));
        }
    }
}
