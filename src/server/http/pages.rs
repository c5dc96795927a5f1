//! The console's page: what is known now, rendered, with the same data embedded for the browser.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{
    ids::EntryId,
    page::{EMBEDDED_BYTES, EMBEDDED_ENTRIES, Page, SessionList},
};
use serde::Deserialize;

use super::{
    look::theme_of,
    params::{Name, Params},
    parts, session,
};
use crate::server::{
    auth::{self, Operator},
    console::Console,
    failure::Failure,
    fresh,
    sessions::{SessionError, session::Session},
    store::Wanted,
};

/// The cookie that remembers which session an operator looked at last.
const LAST_SESSION: &str = "breakglass_session";

/// What the address of a page may say beside its path.
#[derive(Debug, Default, Deserialize)]
pub(super) struct View {
    /// A flash that a form left.
    flash: Option<String>,
    /// A run to show.
    run: Option<String>,
    /// Show the entries before this one.
    before: Option<String>,
}

/// True when a person's browser asks.
pub(super) fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}

/// `/`: the operator's last session, else the newest, else a page whose first prompt opens one.
pub(super) async fn home(
    operator: Operator,
    State(console): State<Console>,
    Params(view): Params<View>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let last = auth::cookie(&headers, LAST_SESSION).and_then(|id| id.parse().ok());
    let session = match last {
        Some(id) => console.sessions.get(&id).await.ok(),
        None => None,
    };
    let session = match session {
        Some(session) => Some(session),
        None => console.sessions.newest().await?,
    };
    let page = page_of(&console, &operator, session.as_deref(), view).await?;
    Ok(console.render(page, theme_of(&headers)).await)
}

/// `/s/{id}`: one session.
pub(super) async fn session(
    operator: Operator,
    State(console): State<Console>,
    Name(id): Name,
    Params(view): Params<View>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let session = match console.session(&id).await {
        Ok(session) => session,
        // A person with an old link is not left in front of JSON.
        Err(Failure::NotAnId(_) | Failure::Session(SessionError::Unknown(_))) if wants_html(&headers) => {
            return Ok(axum::response::Redirect::to("/").into_response());
        }
        Err(failure) => return Err(failure),
    };
    let page = page_of(&console, &operator, Some(&session), view).await?;
    let mut response = console.render(page, theme_of(&headers)).await;
    let secure = if console.gate.is_https() { "; Secure" } else { "" };
    let cookie = format!("{LAST_SESSION}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}", session.id);
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What of the list of sessions is wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Listed {
    q: Option<String>,
    archived: Option<String>,
}

/// `/sessions`: all of them, or those in which something stands.
pub(super) async fn sessions(
    _: Operator,
    State(console): State<Console>,
    Params(listed): Params<Listed>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let archived = listed.archived.as_deref() == Some("true");
    let list = self::listed(&console, listed.q, archived, session::SESSIONS).await?;
    Ok(console.render_sessions(list, theme_of(&headers)).await)
}

/// How many sessions stand beside the console.
const BESIDE: u64 = 30;

/// The list beside the console.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Beside {
    #[serde(default)]
    session: String,
    q: Option<String>,
}

/// `/part/sessions`: the newest sessions, or those in which something stands, as a part of the page.
pub(super) async fn side(
    _: Operator,
    State(console): State<Console>,
    Params(asked): Params<Beside>,
) -> Result<Response, Failure> {
    let list = listed(&console, asked.q, false, BESIDE).await?;
    Ok(parts::as_part((console.renderer.side)(&list, &asked.session)))
}

async fn listed(console: &Console, q: Option<String>, archived: bool, limit: u64) -> Result<SessionList, Failure> {
    let text = session::searched(q)?;
    let wanted = Wanted { archived, text: text.clone(), limit };
    Ok(SessionList {
        sessions: console.sessions.list(wanted).await?,
        q: text.unwrap_or_default(),
        archived,
        most: limit,
        key: fresh::key(),
        practice: console.surroundings.practice,
    })
}

async fn page_of(
    console: &Console,
    operator: &Operator,
    session: Option<&Session>,
    view: View,
) -> Result<Page, Failure> {
    let before = view.before.and_then(|text| text.parse().ok()).map(EntryId);
    // A page without script has what was seen by then at its next load.
    console.prober.refresh();
    // Before its entries, which may then reach further and never less far: a page that fell short of what it says is
    // the newest would take itself for an older one.
    let summary = session.map(Session::summary);
    let entries = match session {
        Some(session) => session.entries_before(before, EMBEDDED_ENTRIES, EMBEDDED_BYTES).await?,
        None => Vec::new(),
    };
    let key = fresh::key();
    Ok(Page {
        session: summary,
        entries,
        presets: console.presets.summaries(),
        surroundings: console.surroundings.clone(),
        operator: operator.name().to_owned(),
        key: key.clone(),
        flash: view.flash.and_then(|id| console.flashes.read(operator.name(), &id)),
        disk: console.disk.warning(),
        parts: parts::of_page(console, session, view.run, key).await,
    })
}
