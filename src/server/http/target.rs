//! The JSON API of the target: what is known of it, at once; its lock; and whose host keys are believed.

use std::time::Duration;

use axum::{Json, extract::State};
use domain::{
    call::{AcceptKey, LockInput},
    probe::TargetStatus,
};
use serde::Deserialize;

use super::{call::Call, params::Params};
use crate::server::{
    auth::Operator,
    console::Console,
    failure::Failure,
    idempotency::{Answer, answer},
    store::StoredAnswer,
};

/// How long a caller who wants to wait for a look waits for it.
const PATIENCE: Duration = Duration::from_secs(12);

/// How what is known is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    wait: Option<String>,
}

/// What is known, at once. If it is old a look begins, for whose end `?wait=true` waits.
pub(super) async fn status(
    _: Operator,
    State(console): State<Console>,
    Params(asked): Params<Asked>,
) -> Json<TargetStatus> {
    let look = console.prober.refresh();
    if let (Some(look), Some("true")) = (look, asked.wait.as_deref()) {
        // A look that takes longer goes on, and who asks again finds what it saw.
        let _ = tokio::time::timeout(PATIENCE, console.prober.until(look)).await;
    }
    Json(console.target_status())
}

/// Forbids mutations, or allows them again.
pub(super) async fn lock(State(console): State<Console>, call: Call) -> Result<StoredAnswer, Failure> {
    let input: LockInput = call.json()?;
    let Call { operator, intent, .. } = call;
    let here = console.clone();
    let work = async move {
        let locked = here.set_lock(&operator, input).await?;
        Ok(Answer { stored: answer(200, &locked), executed: true })
    };
    console.once.run(&console.store, intent, work).await
}

/// Believes a host key that changed.
pub(super) async fn host_key(State(console): State<Console>, call: Call) -> Result<StoredAnswer, Failure> {
    let input: AcceptKey = call.json()?;
    let Call { operator, intent, .. } = call;
    let here = console.clone();
    let work = async move {
        here.accept_host_key(&operator, &input).await?;
        Ok(Answer { stored: answer(200, &input), executed: true })
    };
    console.once.run(&console.store, intent, work).await
}
