//! A tapper: one power verb after the other, each with a key, sent again until it is answered, often several at once. It
//! counts what the host did for each key by what the host itself leaves behind, not by what the server says.

use std::{collections::BTreeSet, path::PathBuf};

use domain::ids::SessionId;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    calls::{Calls, Told, patience},
    chance::Chance,
    server::host_at_work,
};

/// A tap that was answered.
#[derive(Clone, Debug)]
pub struct Tap {
    pub key: String,
    pub verb: &'static str,
    /// Every final answer that its key was given.
    pub answers: Vec<Told>,
    /// How often the host began it: the captures that it took before acting.
    pub begun: usize,
    /// How often a fresh QEMU process was made meanwhile.
    pub started: u64,
}

/// A tapper.
pub struct Tapper {
    pub calls: Calls,
    pub chance: Chance,
    pub session: SessionId,
    /// The server's data directory.
    pub data: PathBuf,
}

/// By how much the practice host's PIDs go up with each start.
const PID_STEP: u64 = 37;

impl Tapper {
    /// Taps until it is over. The last one is still seen through.
    pub async fn run(mut self, over: CancellationToken) -> Vec<Tap> {
        let mut taps = Vec::new();
        while !over.is_cancelled() {
            let key = format!("tap-{}", taps.len());
            taps.push(self.tap(key).await);
        }
        self.calls.board.say("tapper", format!("is through: {} taps", taps.len()));
        taps
    }

    async fn tap(&mut self, key: String) -> Tap {
        let verb = self.chance.pick(&["cycle", "cycle", "reset"]);
        let path = format!("/api/pve/{verb}");
        // Who says so from the beginning need not look after an unknown outcome.
        let body = json!({ "session_id": self.session, "override": self.chance.one_in(2) });
        let (captures, pid) = (self.captures(verb), self.pid());
        let mut answers = Vec::new();
        let mut repeats = self.chance.between(0, 2);
        while answers.is_empty() || repeats > 0 {
            self.calls.board.say("tapper", format!("{key}: {verb} {body}, answered {} times", answers.len()));
            repeats = repeats.saturating_sub(u64::from(!answers.is_empty()));
            let patience = patience(&mut self.chance) * self.chance.pick(&[1, 3]);
            let copies = self.chance.between(1, 3);
            let posts = (0..copies).map(|_| self.calls.post(&path, &key, &body, patience));
            for told in futures_util::future::join_all(posts).await.into_iter().flatten() {
                match (told.status, told.code()) {
                    (409, "outcome_unknown") => self.look().await,
                    (409, _) if self.calls.is_again(&told) => {}
                    (200 | 502, _) => answers.push(told),
                    _ => self.calls.board.fault(format!("{key} was answered {told:?}")),
                }
            }
            self.chance.pause(60).await;
        }
        // What the host was told it carries through; the next tap must not be taken for it.
        while host_at_work(&self.data) {
            self.chance.pause(20).await;
        }
        self.calls.board.count(match answers[0].body["outcome"].as_str() {
            Some("done") => "taps done",
            Some("unknown") => "taps unknown",
            _ => "taps refused",
        });
        let begun = self.captures(verb).difference(&captures).count();
        Tap { key, verb, answers, begun, started: (self.pid() - pid) / PID_STEP }
    }

    /// Asks for the state, as one does who does not know what became of the last one.
    async fn look(&mut self) {
        let key = format!("look-{}", self.chance.between(0, u64::MAX - 1));
        self.calls.until_answered("/api/pve/status", &key, &json!({}), &mut self.chance).await;
    }

    fn captures(&self, verb: &str) -> BTreeSet<String> {
        let folder = std::fs::read_dir(self.data.join("practice/captures")).into_iter().flatten().flatten();
        let names = folder.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(&format!("-{verb}."))).collect()
    }

    /// The PID of the VM's QEMU process.
    fn pid(&self) -> u64 {
        let state = std::fs::read_to_string(self.data.join("practice/state/vm")).unwrap_or_default();
        state.split(' ').nth(1).and_then(|pid| pid.parse().ok()).unwrap_or(4102)
    }
}
