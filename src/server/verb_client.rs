//! Asks a running console for a verb, from another process: the agent's `ssh pve VERB`, and `breakglass verb` in a
//! terminal. It goes the way of a tap, with a key per intent, so that a lost answer may be asked for again.

use std::{process::ExitCode, time::Duration};

use domain::{
    call::{Health, VerbAnswer},
    verb::{Outcome, Verb},
};
use serde::Deserialize;

use super::fresh;

/// How long an answer is waited for: longer than any verb takes.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often it is asked again when no answer came.
const TRIES: usize = 3;
/// How long to wait for one that is still running.
const PAUSE: Duration = Duration::from_secs(1);
/// The exit codes for what is no exit code of the host's, after `sysexits.h`: try later; nobody knows.
const REFUSED: u8 = 75;
const UNKNOWN: u8 = 70;

/// What the console answers: to a verb, or to a call that it did not take.
#[derive(Deserialize)]
pub struct Answer {
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    exit_code: Option<i32>,
    outcome: Option<Outcome>,
    detail: Option<String>,
    code: Option<String>,
}

/// Runs a verb and says what came of it.
pub fn run(console: &str, token: &str, verb: Verb) -> ExitCode {
    let key = fresh::key();
    let mut trouble = String::new();
    let mut tries = 0;
    while tries < TRIES {
        match ask(console, token, verb, &key) {
            // The answer to an earlier try was lost, and that one still runs.
            Ok(Answer { code: Some(code), .. }) if code == "key_in_progress" => std::thread::park_timeout(PAUSE),
            Ok(answer) => return tell(verb, &answer),
            Err(error) => {
                trouble = error.to_string();
                tries += 1;
            }
        }
    }
    eprintln!("{verb}: the console did not answer ({trouble}): whether it ran is not known; look with `status`");
    ExitCode::from(UNKNOWN)
}

/// True when a console answers there: it says so itself, so that no token is shown to another program on its port.
pub fn answers(console: &str) -> bool {
    let answered = agent(Duration::from_secs(2)).get(format!("{console}/health")).call();
    let health = answered.and_then(|mut answer| answer.body_mut().read_json::<Health>());
    health.is_ok_and(|health| health.service == "breakglass")
}

fn ask(console: &str, token: &str, verb: Verb, key: &str) -> Result<Answer, ureq::Error> {
    let mut answer = agent(PATIENCE)
        .post(format!("{console}/api/pve/{verb}"))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", key)
        .content_type("application/json")
        .send("{}")?;
    answer.body_mut().read_json()
}

/// Never through a proxy: the console is on this machine.
fn agent(patience: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).timeout_global(Some(patience));
    config.build().into()
}

impl From<VerbAnswer> for Answer {
    fn from(answer: VerbAnswer) -> Self {
        let VerbAnswer { stdout, stderr, exit_code, outcome, detail, .. } = answer;
        Answer { stdout, stderr, exit_code, outcome: Some(outcome), detail, code: None }
    }
}

/// Says what a verb came to, as a command on the host would: its output on ours, and its exit code.
pub fn tell(verb: Verb, answer: &Answer) -> ExitCode {
    use std::io::Write;
    // Who does not read it is not interested.
    let _ = write!(std::io::stdout(), "{}", answer.stdout);
    let _ = write!(std::io::stderr(), "{}", answer.stderr);
    let detail = answer.detail.as_deref().unwrap_or_default();
    match (answer.outcome, answer.exit_code) {
        (Some(Outcome::Done), Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        (Some(Outcome::Refused) | None, _) => {
            eprintln!("{verb}: refused, nothing was done: {detail}");
            ExitCode::from(REFUSED)
        }
        (Some(Outcome::Unknown) | Some(Outcome::Done), _) => {
            eprintln!("{verb}: nobody knows what became of it: {detail}. look with `status` before anything else");
            ExitCode::from(UNKNOWN)
        }
    }
}
