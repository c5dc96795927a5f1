//! The sessions beside the console: the newest of them, or those in which something stands.

use domain::{call::SessionSummary, page::SessionList};
use leptos::prelude::*;

/// The rows of the list. `here` is the id of the session that is shown.
pub(super) fn side(list: &SessionList, here: &str) -> impl IntoView + use<> {
    let nothing = list.sessions.is_empty().then(|| {
        let words = match list.q.as_str() {
            "" => "There is no session yet. Your first prompt opens one.".to_owned(),
            q => format!("No open session has “{q}” in it."),
        };
        view! { <li class="nothing">{words}</li> }
    });
    let rows: Vec<_> = list.sessions.iter().map(|session| row(session, here)).collect();
    view! { {nothing}{rows} }
}

fn row(session: &SessionSummary, here: &str) -> impl IntoView + use<> {
    let SessionSummary { id, created, title, turn_active, .. } = session;
    let (look, state) = if *turn_active { ("working", "working") } else { ("attached", "idle") };
    let title = title.clone().unwrap_or_else(|| "Nothing was asked yet".to_owned());
    let current = (id.as_str() == here).then_some("page");
    // The browser puts its own time of day in place of the server's.
    view! {
        <li>
            <a class="side-session" href=format!("/s/{id}") aria-current=current>
                <strong>{title}</strong>
                <span class="meta">
                    <span class="session-state" data-state=look><span class="lamp-dot" aria-hidden="true"></span>{state}</span>
                    <time data-created=created.0.to_string()>{created.utc_date_time()}</time>
                </span>
            </a>
        </li>
    }
}
