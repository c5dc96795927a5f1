//! The API of the status strip: what is known of the target, at once, and the host keys that an operator accepts.

use std::time::Duration;

use axum::{Json, extract::State};
use domain::{
    probe::{HostKeyAccepted, HostKeyInput, KeyHost, TargetStatus},
    verb::Mutation,
};
use serde::Deserialize;

use super::{call::Call, params::Params};
use crate::server::{
    auth::Operator,
    console::Console,
    failure::Failure,
    idempotency::{Answer, answer},
    power::Power,
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
    Json(status_of(&console))
}

/// All that is known of the target.
pub(super) fn status_of(console: &Console) -> TargetStatus {
    let (running, unknown) = standing(&console.power);
    TargetStatus { running, unknown, ..console.prober.status() }
}

/// The mutation that runs, and the last one if nobody knows what became of it.
fn standing(power: &Power) -> (Option<Mutation>, Option<Mutation>) {
    (None, power.unknown_mutation())
}

/// Pins the host key that was seen.
pub(super) async fn accept_host_key(State(console): State<Console>, call: Call) -> Result<StoredAnswer, Failure> {
    let HostKeyInput { host, fingerprint } = call.json()?;
    let Call { operator, intent, .. } = call;
    let here = console.clone();
    let work = async move {
        match host {
            KeyHost::Target => {
                let accepted = here.prober.accept_key(&fingerprint).await;
                accepted.map_err(|not| Failure::HostKeyNotSeen(not.to_string()))?;
            }
            KeyHost::Hypervisor => here.accept_hypervisor_key(&fingerprint).await?,
        }
        tracing::info!(by = operator.name(), ?host, fingerprint, "a host key was accepted");
        Ok(Answer { stored: answer(200, &HostKeyAccepted { host, fingerprint }), executed: true })
    };
    console.once.run(&console.store, intent, work).await
}
