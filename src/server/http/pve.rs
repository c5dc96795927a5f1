//! The JSON and SSE API of power.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{
    call::{Run, Runs, VerbInput, Verbs},
    host::{CaptureId, NotACapture, Part},
    ids::RunId,
    verb::Verb,
};

use serde::Deserialize;

use super::{
    call::Call,
    params::{Name, Names},
    stream,
};
use crate::server::{
    auth::{Operator, agents::VerbCaller},
    console::Console,
    failure::Failure,
    fresh,
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
    let told = console.once.run(&console.store, intent.clone(), work).await?;
    let Some(id) = run_of(&told) else { return Ok(told) };
    // What a key was to be answered should the server die is no answer while the host is asked what is true.
    if let Some(live) = console.power.live(&id) {
        return Ok(answer_of(&live.wait().await));
    }
    // And none when that came to be known just now, between the two looks.
    let Some(intent) = intent else { return Ok(told) };
    match console.store.key(intent, fresh::now()).await {
        Ok(Some((_, known))) => Ok(known),
        Ok(None) => Ok(console.power.run(&id).await.ok().flatten().map_or(told, |run| answer_of(&run))),
        // Kept in memory, because the record cannot be written.
        Err(_) => Ok(told),
    }
}

fn run_of(told: &StoredAnswer) -> Option<RunId> {
    #[derive(Deserialize)]
    struct OfRun {
        run_id: RunId,
    }
    serde_json::from_str(&told.body).ok().map(|OfRun { run_id }| run_id)
}

/// The answer to a verb that was run: 200 when the host says that all went well, else 502.
pub(crate) fn answer_of(run: &Run) -> StoredAnswer {
    answer(if run.exit_code == Some(0) { 200 } else { 502 }, &run.answer())
}

pub(super) async fn runs(_: Operator, State(console): State<Console>) -> Result<Json<Runs>, Failure> {
    Ok(Json(Runs { runs: console.power.runs(RUNS).await? }))
}

pub(super) async fn run(_: Operator, State(console): State<Console>, Name(id): Name) -> Result<Json<Run>, Failure> {
    let id: RunId = id.parse()?;
    Ok(Json(console.power.run(&id).await?.ok_or(Failure::UnknownRun(id))?))
}

/// A capture as a tar archive.
pub(super) async fn capture(_: Operator, State(console): State<Console>, Name(id): Name) -> Result<Response, Failure> {
    let id: CaptureId = id.parse()?;
    let file = HeaderValue::try_from(format!("attachment; filename=\"{id}.tar\""));
    let bytes = console.power.capture(id, None).await?;
    let mut response = ([(header::CONTENT_TYPE, "application/x-tar")], bytes).into_response();
    if let Ok(file) = file {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
    }
    Ok(response)
}

/// A part of a capture: text, or the screenshot as a picture. It never changes, so a browser may keep it.
pub(super) async fn capture_part(
    _: Operator,
    State(console): State<Console>,
    Names([id, part]): Names<2>,
) -> Result<Response, Failure> {
    let (id, part): (CaptureId, _) = (id.parse()?, Part::named(&part).ok_or(NotACapture)?);
    let bytes = console.power.capture(id, Some(part)).await?;
    let content_type = match part.is_picture() {
        false => "text/plain; charset=utf-8",
        true if bytes.starts_with(b"\x89PNG") => "image/png",
        // A host without a compressor keeps the picture as QEMU draws it, which no browser shows.
        true => "image/x-portable-pixmap",
    };
    let kept = "private, max-age=86400, immutable";
    Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, kept)], bytes).into_response())
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
