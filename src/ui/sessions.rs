//! The list of sessions: searched, opened, put away, sent to somebody. It is rendered on the server and has no script.

use domain::{
    call::SessionSummary,
    page::{Frame, SessionList},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    icons::Icon,
    reveal::shown,
    shell::{Metas, chosen},
};
use crate::api::ArchiveSession;

/// The whole document.
#[component]
pub fn SessionsShell() -> impl IntoView {
    let list: SessionList = expect_context();
    let Frame { names, theme } = expect_context();
    let SessionList { archived, practice, most, .. } = list;
    let count = list.sessions.len();
    let none = list.sessions.is_empty().then(|| nothing(&list.q, archived));
    let cut = (count as u64 >= most).then(|| {
        view! { <p class="cut">{format!("The newest {most}. Search to find older ones.")}</p> }
    });
    let (here, other) = if archived { ("Archived sessions", "Open sessions") } else { ("Sessions", "Archived") };
    let away = if archived { "/sessions" } else { "/sessions?archived=true" };
    let rows: Vec<_> = list.sessions.iter().map(|session| row(session, &list)).collect();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen(theme)>
            <head>
                <Metas title=format!("{here} · breakglass") theme=theme/>
                <link rel="manifest" href="/manifest.webmanifest" crossorigin="use-credentials"/>
                <link rel="stylesheet" href=names.css.clone()/>
            </head>
            <body class="sessions">
                <header class="bar">
                    <span class="mark"><Icon name="mark"/><span class="mark-name">"breakglass"</span></span>
                    {practice.then(|| view! { <strong class="practice">"PRACTICE"</strong> })}
                    <a class="back" href="/">"Back to the console"</a>
                </header>
                <main>
                    <h1>{here}</h1>
                    <form id="search" class="search" method="get" action="/sessions" role="search">
                        {archived.then(|| view! { <input type="hidden" name="archived" value="true"/> })}
                        <input
                            class="words" type="search" name="q" value=list.q.clone() maxlength="200" aria-label="Search in sessions"
                            placeholder="Search in all that was said" enterkeyhint="search"
                        />
                        <button aria-label="Search"><Icon name="search"/></button>
                    </form>
                    <a class="away" href=away>{other}</a>
                    {none}
                    <ol class="session-list">{rows}</ol>
                    {cut}
                </main>
            </body>
        </html>
    }
}

/// What there is to say of a list in which nothing stands.
fn nothing(q: &str, archived: bool) -> impl IntoView + use<> {
    let words = match (q.is_empty(), archived) {
        (false, false) => format!("No open session has “{}” in it.", shown(q)),
        (false, true) => format!("No archived session has “{}” in it.", shown(q)),
        (true, true) => "Nothing was put away yet.".to_owned(),
        (true, false) => "There is no session yet. Your first prompt opens one.".to_owned(),
    };
    let elsewhere = (!q.is_empty() && !archived).then(|| {
        view! { <button form="search" name="archived" value="true" class="elsewhere">"Search the archive"</button> }
    });
    view! { <p class="nothing">{words}</p>{elsewhere} }
}

fn row(session: &SessionSummary, list: &SessionList) -> impl IntoView + use<> {
    let SessionSummary { id, created, title, turn_active, last_event_id, archived } = session;
    let title = title.as_deref().map_or_else(|| "Nothing was asked yet".to_owned(), shown);
    let (look, state) = if *turn_active { ("working", "working") } else { ("attached", "idle") };
    let entries = match last_event_id.len() {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    let facts = format!("{} · {entries} · {}", created.utc_date_time(), id.short());
    let what = if *archived { "Bring back" } else { "Archive" };
    let named = |what: &str| format!("{what}: {title}");
    view! {
        <li class="session">
            <a class="session-open" href=format!("/s/{id}")>
                <strong>{title.clone()}</strong>
                <span class="meta">
                    <span class="session-state" data-state=look>
                        <span class="lamp-dot" aria-hidden="true"></span>{state}
                    </span>
                    {facts}
                </span>
            </a>
            <div class="ways">
                <a href=format!("/api/session/{id}/export") aria-label=named("Report") download="">"Report"</a>
                <form method="post" action=ArchiveSession::PATH>
                    <input type="hidden" name="session" value=id.to_string()/>
                    // A key is of one intent, and each of these is one.
                    <input type="hidden" name="key" value=format!("{}-{}", list.key, id.short())/>
                    <input type="hidden" name="archived" value=(!archived).to_string()/>
                    <input type="hidden" name="q" value=list.q.clone()/>
                    <button aria-label=named(what)>{what}</button>
                </form>
            </div>
        </li>
    }
}
