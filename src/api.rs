//! Server functions: the endpoints of the page's forms. Each body is one call into `server/`. They work without script;
//! the page's script posts the same forms with `Accept: application/json` and gets the [`FormAnswer`] itself.

use domain::{call::FormAnswer, permission::Choice, probe::KeyHost};
use leptos::prelude::*;

/// Begins a turn: with what was typed; or with a preset, whose button sends its id; or with a preset's runbook, whose
/// button sends the preset's id. The latter two leave what was typed where it is. `steer` delivers it into the turn that
/// runs.
#[server(prefix = "/do", endpoint = "prompt")]
pub async fn submit_prompt(
    #[server(default)] session: String,
    #[server(default)] key: String,
    #[server(default)] prompt: String,
    #[server(default)] preset: String,
    #[server(default)] runbook: String,
    #[server(default)] steer: bool,
) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.prompt(session, key, prompt, preset, runbook, steer).await)
}

/// Decides a permission, or answers the agent's questions: `answers` has for each of `questions` what was chosen and
/// what was written.
#[server(prefix = "/do", endpoint = "decide")]
pub async fn decide(
    #[server(default)] session: String,
    #[server(default)] key: String,
    request: String,
    decision: Choice,
    #[server(default)] message: String,
    #[server(default)] questions: Vec<String>,
    #[server(default)] answers: Vec<Vec<String>>,
) -> Result<FormAnswer, ServerFnError> {
    use crate::server::http::forms::{DecisionForm, FormCall};
    let form = DecisionForm { session, key, request, decision, message, questions, answers };
    Ok(FormCall::current()?.decide(form).await)
}

/// Stops the running turn.
#[server(prefix = "/do", endpoint = "stop")]
pub async fn stop_turn(#[server(default)] session: String) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.stop(session).await)
}

/// Opens a session.
#[server(prefix = "/do", endpoint = "session")]
pub async fn new_session(
    #[server(default)] session: String,
    #[server(default)] key: String,
) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.open(session, key).await)
}

/// Puts a session away, or back. `q` is what the list was searched for, which it goes back to.
#[server(prefix = "/do", endpoint = "archive")]
pub async fn archive_session(
    session: String,
    #[server(default)] key: String,
    archived: bool,
    #[server(default)] q: String,
) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.archive(session, key, archived, q).await)
}

/// Begins a run of a verb.
#[server(prefix = "/do", endpoint = "verb")]
pub async fn run_verb(
    #[server(default)] session: String,
    #[server(default)] key: String,
    #[server(default)] verb: String,
    #[server(default)] override_unknown: bool,
) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.verb(session, key, verb, override_unknown).await)
}

/// Sets the lock that forbids mutations, or lifts it.
#[server(prefix = "/do", endpoint = "lock")]
pub async fn set_lock(
    #[server(default)] session: String,
    #[server(default)] key: String,
    locked: bool,
    #[server(default)] why: String,
) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.lock(session, key, locked, why).await)
}

/// Accepts a host key in place of the one that was pinned, by its fingerprint: what changed since is not accepted with it.
#[server(prefix = "/do", endpoint = "accept_key")]
pub async fn accept_host_key(
    #[server(default)] session: String,
    #[server(default)] key: String,
    host: KeyHost,
    fingerprint: String,
) -> Result<FormAnswer, ServerFnError> {
    Ok(crate::server::http::forms::FormCall::current()?.accept_key(session, key, host, fingerprint).await)
}
