//! Calls whose answer may be lost: the server is killed under them, or their caller gives up. It knows no rules of its
//! own; what is done about an answer is the caller's.

use std::time::Duration;

use serde_json::Value;

use super::{board::Board, chance::Chance};
use crate::harness::console::TOKEN;

/// Makes calls.
#[derive(Clone)]
pub struct Calls {
    http: reqwest::Client,
    address: String,
    pub board: Board,
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub status: u16,
    pub body: Value,
}

impl Told {
    /// The fixed word of a refusal.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Refusals after which the same call is made again: they leave the key free, or say that its call is under way.
const AGAIN: [(u16, &str); 5] = [
    (409, "turn_running"),
    (409, "key_in_progress"),
    (409, "mutation_running"),
    (409, "outcome_unknown"),
    (429, "too_many_turns"),
];

impl Calls {
    pub fn new(address: &str, board: Board) -> Self {
        // A redirect in place of an answer is a proxy's page to sign in on, and no answer.
        let none = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        Calls { http, address: address.to_owned(), board }
    }

    /// A POST by key. Nothing when its answer was lost or did not come in time.
    pub async fn post(&self, path: &str, key: &str, body: &Value, patience: Duration) -> Option<Told> {
        let request = self.http.post(format!("http://{}{path}", self.address)).bearer_auth(TOKEN);
        let request = request.header("idempotency-key", key).json(body).timeout(patience);
        let answered = async {
            let response = request.send().await.ok()?;
            let (status, wait) = (response.status().as_u16(), response.headers().contains_key("retry-after"));
            if status == 429 && !wait {
                self.board.fault(format!("{path}: 429 without Retry-After"));
            }
            Some(Told { status, body: serde_json::from_slice(&response.bytes().await.ok()?).ok()? })
        };
        let told = answered.await;
        match &told {
            None => self.board.count("answers lost"),
            Some(told) if self.is_again(told) => self.board.count("told to try again"),
            Some(_) => {}
        }
        told
    }

    /// Whether an answer says to try again with the same key.
    pub fn is_again(&self, told: &Told) -> bool {
        AGAIN.contains(&(told.status, told.code()))
    }

    /// The same call until it is answered by neither silence nor "try again". The waits are shorter than `Retry-After`
    /// says: they are there for people, and the load must go on.
    pub async fn until_answered(&self, path: &str, key: &str, body: &Value, chance: &mut Chance) -> Told {
        loop {
            let patience = patience(chance);
            match self.post(path, key, body, patience).await {
                Some(told) if !self.is_again(&told) => return told,
                _ => chance.pause(60).await,
            }
        }
    }

    /// The JSON of a GET, from a server that listens.
    pub async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("http://{}{path}", self.address)).bearer_auth(TOKEN);
        request.send().await.unwrap().json().await.unwrap()
    }
}

/// How long somebody waits for an answer: often not long enough, so that it is lost though all went well.
pub fn patience(chance: &mut Chance) -> Duration {
    match chance.between(1, 4) {
        1 => chance.millis(15),
        _ => Duration::from_millis(chance.between(300, 3000)),
    }
}
