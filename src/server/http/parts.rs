//! The parts of the page that the server renders by itself, one at a time: `GET /part/…` gives the HTML that is put in the
//! place of the older one. What they show is assembled here.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{
    call::Run,
    ids::{RunId, SessionId},
    page::{Controls, PageParts, Part},
};
use serde::Deserialize;

use super::params::{Name, Params};
use crate::server::{auth::Operator, console::Console, failure::Failure, fresh, sessions::session::Session};

/// How many runs the history shows.
const RUNS: u64 = 20;
/// How long after its end a run is still shown unasked, in milliseconds.
const RECENT_RUN: u64 = 10 * 60 * 1000;
/// How long the strip waits for a look. A browser has six connections to a console for all its pages, so a look that takes
/// longer is asked for again.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How much of each of a run's outputs is shown, in bytes. Of its beginning, where the evidence is, as much as of its end.
const RUN_OUTPUT: usize = 96 << 10;

/// Whose forms are wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Here {
    #[serde(default)]
    session: String,
}

impl Here {
    /// An id, or nothing: what else stands there is not repeated.
    fn session(self) -> String {
        self.session.parse().map_or_else(|_| String::new(), |id: SessionId| id.to_string())
    }
}

pub(super) async fn strip(_: Operator, State(console): State<Console>, Params(here): Params<Here>) -> Response {
    let looking = match console.prober.refresh() {
        Some(look) => tokio::time::timeout(PATIENCE, console.prober.until(look)).await.is_err(),
        None => false,
    };
    let controls = controls(&console, here.session(), None, fresh::key()).await;
    answer(&console, Part::Strip, &Controls { looking, ..controls })
}

pub(super) async fn runs(_: Operator, State(console): State<Console>, Params(here): Params<Here>) -> Response {
    answer(&console, Part::Runs, &controls(&console, here.session(), None, fresh::key()).await)
}

pub(super) async fn verbs(_: Operator, State(console): State<Console>, Params(here): Params<Here>) -> Response {
    answer(&console, Part::Verbs, &controls(&console, here.session(), None, fresh::key()).await)
}

pub(super) async fn run(
    _: Operator,
    State(console): State<Console>,
    Name(id): Name,
    Params(here): Params<Here>,
) -> Result<Response, Failure> {
    let id: RunId = id.parse()?;
    let run = console.power.run(&id).await?.ok_or(Failure::UnknownRun(id))?;
    Ok(answer(&console, Part::Run, &controls(&console, here.session(), Some(run), fresh::key()).await))
}

fn answer(console: &Console, part: Part, controls: &Controls) -> Response {
    as_part((console.renderer.part)(part, controls))
}

/// A part as an answer. It says that it is one, so that a login page in its place is not taken for it.
pub(super) fn as_part(html: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (HeaderName::from_static("x-breakglass-part"), HeaderValue::from_static("1")),
    ];
    (headers, html).into_response()
}

/// All parts of a page. `asked` is the run that it is to show.
pub(super) async fn of_page(
    console: &Console,
    session: Option<&Session>,
    asked: Option<String>,
    key: String,
) -> PageParts {
    let session = session.map(|session| session.id.to_string()).unwrap_or_default();
    let run = shown_run(console, asked).await;
    (console.renderer.parts)(&controls(console, session, run, key).await)
}

/// What the parts show now. A record that cannot be read costs them their history and nothing else.
async fn controls(console: &Console, session: String, run: Option<Run>, key: String) -> Controls {
    Controls {
        surroundings: console.surroundings.clone(),
        status: console.target_status(),
        run: run.map(|run| Run { stdout: cut(run.stdout), stderr: cut(run.stderr), ..run }),
        runs: console.power.runs(RUNS).await.unwrap_or_default(),
        session,
        key,
        looking: false,
        now: fresh::now(),
    }
}

/// The run that the page was asked for, else the newest if it is recent.
async fn shown_run(console: &Console, asked: Option<String>) -> Option<Run> {
    let asked: Option<RunId> = asked.and_then(|id| id.parse().ok());
    let id = match asked {
        Some(id) => id,
        None => {
            let newest = console.power.runs(1).await.ok()?.into_iter().next()?;
            let now = fresh::now();
            newest.ended.is_none_or(|ended| now.since(ended) < RECENT_RUN).then_some(newest.run_id)?
        }
    };
    console.power.run(&id).await.ok()?
}

/// A text without its middle, where it is too long for a page.
fn cut(text: String) -> String {
    if text.len() <= RUN_OUTPUT {
        return text;
    }
    let half = RUN_OUTPUT / 2;
    let (mut until, mut from) = (half, text.len() - half);
    while !text.is_char_boundary(until) {
        until -= 1;
    }
    while !text.is_char_boundary(from) {
        from += 1;
    }
    format!("{}\n… the middle is left out here …\n{}", &text[..until], &text[from..])
}
