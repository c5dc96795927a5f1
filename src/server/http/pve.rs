//! The JSON and SSE API of power.

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use domain::{
    call::{Run, Runs, VerbInput, Verbs},
    ids::RunId,
    verb::Verb,
};

use super::{call::Call, params::Name, stream};
use crate::server::{
    auth::{Operator, agents::VerbCaller},
    console::Console,
    failure::Failure,
    idempotency::{Answer, answer},
    store::{Form, StoredAnswer},
};

/// How many runs the history lists.
const RUNS: u64 = 100;

pub(super) async fn verbs(_: Operator) -> Json<Verbs> {
    let sorted = |verbs: &mut dyn Iterator<Item = Verb>| {
        let mut names: Vec<_> = verbs.map(|verb| verb.to_string()).collect();
        names.sort();
        names
    };
    Json(Verbs {
        verbs: sorted(&mut Verb::ALL.into_iter()),
        mutating: sorted(&mut Verb::ALL.into_iter().filter(|verb| verb.mutates())),
    })
}

pub(super) async fn verb(
    State(console): State<Console>,
    Name(verb): Name,
    call: Call<VerbCaller>,
) -> Result<StoredAnswer, Failure> {
    let verb: Verb = verb.parse()?;
    let mut input: VerbInput = call.json()?;
    let Call { operator: VerbCaller { operator, session }, intent, .. } = call;
    if session.is_some() {
        // An agent's runs are told where its turn is, and it takes nothing for known that nobody has looked at.
        input = VerbInput { session_id: session, override_unknown: false };
    }
    let (here, recorded) = (console.clone(), intent.clone());
    let recorded = recorded.map(|intent| (intent, answer_of as Form<Run>));
    let work = async move {
        match here.begin_verb(&operator, verb, input, recorded).await? {
            Ok(live) => {
                let run = live.wait().await;
                Ok(Answer { stored: answer_of(&run), executed: !run.rejected })
            }
            Err(rejected) => {
                let told = rejected.answer(verb);
                let status = if told.code.is_some() { 409 } else { 502 };
                Ok(Answer { stored: answer(status, &told), executed: false })
            }
        }
    };
    console.once.run(&console.store, intent, work).await
}

/// The answer to a verb that was run: 200 when the host says that all went well, else 502.
fn answer_of(run: &Run) -> StoredAnswer {
    answer(if run.exit_code == Some(0) { 200 } else { 502 }, &run.answer())
}

pub(super) async fn runs(_: Operator, State(console): State<Console>) -> Result<Json<Runs>, Failure> {
    Ok(Json(Runs { runs: console.power.runs(RUNS).await? }))
}

pub(super) async fn run(_: Operator, State(console): State<Console>, Name(id): Name) -> Result<Json<Run>, Failure> {
    let id: RunId = id.parse()?;
    Ok(Json(console.power.run(&id).await?.ok_or(Failure::UnknownRun(id))?))
}

pub(super) async fn stream(
    _: Operator,
    State(console): State<Console>,
    Name(id): Name,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id: RunId = id.parse()?;
    let cursor = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let from = cursor.map_or(0, |cursor| cursor.saturating_add(1));
    if let Some(live) = console.power.live(&id) {
        return Ok(stream::answer(stream::run(live, from, console.rhythm())));
    }
    let run = console.power.run(&id).await?.ok_or(Failure::UnknownRun(id))?;
    Ok(stream::answer(stream::ended_run(&run, from)))
}
