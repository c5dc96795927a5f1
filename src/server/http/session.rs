//! The JSON and SSE API of sessions.

use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use domain::{
    attach::{self, Asked},
    call::{Archived, Cancelled, Decided, DecisionInput, Entries, PromptInput, SessionOpened, Sessions, Started},
    ids::{EntryId, SessionId},
    report,
};
use serde::Deserialize;

use super::{
    call::Call,
    params::{Name, Names, Params},
    stream,
};
use crate::server::{
    agent::outputs,
    auth::Operator,
    console::Console,
    export::{self, Around, Form},
    failure::Failure,
    idempotency::{Answer, answer},
    store::{Form as AnswerForm, StoredAnswer, Wanted},
};

/// What of the list is wanted.
#[derive(Deserialize)]
pub(super) struct Listed {
    archived: Option<bool>,
    q: Option<String>,
    limit: Option<String>,
}

/// How many sessions are listed where nobody says how many, and the most.
pub(super) const SESSIONS: u64 = 100;
const MOST_SESSIONS: u64 = 1000;
/// The longest text that is searched for, in bytes.
const LONGEST_SEARCH: usize = 200;

/// The text that is searched for, if it is one.
pub(super) fn searched(text: Option<String>) -> Result<Option<String>, Failure> {
    let text = text.filter(|text| !text.trim().is_empty());
    match &text {
        Some(long) if long.len() > LONGEST_SEARCH => {
            Err(Failure::BadInput(format!("q is longer than {LONGEST_SEARCH} bytes: search for less")))
        }
        _ => Ok(text),
    }
}

pub(super) async fn list(
    _: Operator,
    State(console): State<Console>,
    Params(listed): Params<Listed>,
) -> Result<Json<Sessions>, Failure> {
    let text = searched(listed.q)?;
    let limit = bounded_number("limit", listed.limit, SESSIONS, MOST_SESSIONS)?;
    let wanted = Wanted { archived: listed.archived.unwrap_or(false), text, limit };
    Ok(Json(Sessions { sessions: console.sessions.list(wanted).await? }))
}

pub(super) async fn archive(
    State(console): State<Console>,
    Name(id): Name,
    call: Call,
) -> Result<StoredAnswer, Failure> {
    let session = console.session(&id).await?;
    let input: Archived = call.json()?;
    let here = console.clone();
    let work = async move {
        here.sessions.archive(&session, input.archived).await?;
        Ok(Answer { stored: answer(200, &input), executed: true })
    };
    console.once.run(&console.store, call.intent, work).await
}

fn number(name: &str, text: Option<String>) -> Result<Option<u64>, Failure> {
    text.map(|text| {
        text.parse().map_err(|_| Failure::BadInput(format!("{name} is {text:?}, not a number: send digits only")))
    })
    .transpose()
}

fn bounded_number(name: &str, text: Option<String>, default: u64, most: u64) -> Result<u64, Failure> {
    match number(name, text)?.unwrap_or(default) {
        limit if limit > most => Err(Failure::BadInput(format!("{name} is {limit}: send at most {most}"))),
        limit => Ok(limit),
    }
}

pub(super) async fn create(State(console): State<Console>, call: Call) -> Result<StoredAnswer, Failure> {
    let (here, intent) = (console.clone(), call.intent.clone());
    let opened = |id: &SessionId| answer(200, &SessionOpened { session_id: id.clone() });
    let work = async move {
        let id = here.open_session(intent.map(|intent| (intent, opened as AnswerForm<SessionId>))).await?;
        Ok(Answer { stored: opened(&id), executed: true })
    };
    console.once.run(&console.store, call.intent, work).await
}

pub(super) async fn prompt(
    State(console): State<Console>,
    Name(id): Name,
    call: Call,
) -> Result<StoredAnswer, Failure> {
    let session = console.session(&id).await?;
    let input: PromptInput = call.json()?;
    let prompt = console.checked_prompt(input)?;
    let Call { operator, intent, .. } = call;
    let here = console.clone();
    let started = answer(200, &Started { status: "started".into() });
    let recorded = intent.clone().map(|intent| (intent, started.clone()));
    let work = async move {
        here.prompt(&operator, &session, prompt, recorded).await?;
        Ok(Answer { stored: started, executed: true })
    };
    console.once.run(&console.store, intent, work).await
}

pub(super) async fn cancel(
    State(console): State<Console>,
    Name(id): Name,
    call: Call,
) -> Result<StoredAnswer, Failure> {
    let session = console.session(&id).await?;
    let Call { operator, intent, .. } = call;
    let here = console.clone();
    let work = async move {
        let cancelled: Cancelled = here.cancel(&operator, &session);
        // A Stop that came too late did nothing; one that came in time must not stop the next turn when repeated.
        Ok(Answer { stored: answer(200, &cancelled), executed: cancelled.cancelled })
    };
    console.once.run(&console.store, intent, work).await
}

pub(super) async fn permission(
    State(console): State<Console>,
    Name(id): Name,
    call: Call,
) -> Result<StoredAnswer, Failure> {
    let session = console.session(&id).await?;
    let input: DecisionInput = call.json()?;
    let Call { operator, intent, .. } = call;
    let here = console.clone();
    let decided = answer(200, &Decided { decision: input.decision });
    let recorded = intent.clone().map(|intent| (intent, decided.clone()));
    let work = async move {
        here.decide(&operator, &session, input, recorded).await?;
        Ok(Answer { stored: decided, executed: true })
    };
    console.once.run(&console.store, intent, work).await
}

/// The `limit` of older entries where none is given, and the largest.
const ENTRIES: u64 = 200;
const MOST_ENTRIES: u64 = 1000;
/// About how many bytes of older entries are given at once; who wants more asks again.
const ENTRIES_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
pub(super) struct Older {
    before: Option<String>,
    limit: Option<String>,
}

pub(super) async fn entries(
    _: Operator,
    State(console): State<Console>,
    Name(id): Name,
    Params(older): Params<Older>,
) -> Result<Json<Entries>, Failure> {
    let session = console.session(&id).await?;
    let before = number("before", older.before)?.map(EntryId);
    let limit = bounded_number("limit", older.limit, ENTRIES, MOST_ENTRIES)?;
    Ok(Json(Entries { entries: session.entries_before(before, limit, ENTRIES_BYTES).await? }))
}

#[derive(Deserialize)]
pub(super) struct Exported {
    format: Option<String>,
}

/// A session as a file: the report that a person would send, or its log.
pub(super) async fn export(
    _: Operator,
    State(console): State<Console>,
    Name(id): Name,
    Params(exported): Params<Exported>,
) -> Result<Response, Failure> {
    let session = console.session(&id).await?;
    let form: Form = exported.format.as_deref().unwrap_or("markdown").parse().map_err(Failure::BadInput)?;
    let (kind, ending, body) = match form {
        Form::Markdown => {
            let around = Around {
                target: console.surroundings.target.clone(),
                practice: console.surroundings.practice,
                status: Some(console.target_status()),
                redactor: console.redactor.clone(),
            };
            let report = export::report(&console.store, session.summary(), around).await?;
            ("text/markdown; charset=utf-8", "md", Body::from(report))
        }
        Form::Jsonl => {
            let lines = export::lines(console.store.clone(), session.id.clone());
            ("application/jsonl; charset=utf-8", "jsonl", Body::from_stream(lines))
        }
    };
    let named = format!(
        "attachment; filename=\"{}.{ending}\"",
        report::file_name(&session.summary(), &console.surroundings.target)
    );
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, named)], body).into_response())
}

/// The whole output of one of the agent's tools, where the transcript holds only its beginning.
pub(super) async fn output(
    _: Operator,
    State(console): State<Console>,
    Names([id, tool_id]): Names<2>,
) -> Result<Response, Failure> {
    let session = console.session(&id).await?;
    let path = outputs::path(&console.sessions_dir, &session.id, &tool_id).ok_or(Failure::UnknownOutput)?;
    let file = outputs::open(&path).await.map_err(|_| Failure::UnknownOutput)?;
    let body = Body::from_stream(tokio_util::io::ReaderStream::new(file));
    // A command wrote it: it is never anything but text, whatever it looks like.
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response())
}

#[derive(Deserialize)]
pub(super) struct Cursor {
    after: Option<String>,
    tail: Option<String>,
}

pub(super) async fn stream(
    _: Operator,
    State(console): State<Console>,
    Name(id): Name,
    Params(cursor): Params<Cursor>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let session = console.session(&id).await?;
    let asked = Asked {
        last_event_id: headers.get("last-event-id").and_then(|value| value.to_str().ok()),
        after: cursor.after.as_deref(),
        tail: cursor.tail.as_deref(),
    };
    let head = session.head();
    let start = attach::start(asked, head);
    let mut response = stream::answer(stream::session(session, start, console.rhythm()));
    // Said before the entries, so that who has far to go can say how far.
    if let Some(head) = head.0 {
        response.headers_mut().insert("x-breakglass-head", head.0.into());
    }
    Ok(response)
}
