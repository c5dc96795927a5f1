//! The JSON API of the target: its lock, and whose host keys are believed.

use axum::extract::State;
use domain::call::{AcceptKey, LockInput};

use super::call::Call;
use crate::server::{
    console::Console,
    failure::Failure,
    idempotency::{Answer, answer},
    store::StoredAnswer,
};

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

/// Accepts a host key that changed.
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
