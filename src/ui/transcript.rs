//! The transcript: bubbles, tool lines, notes, and what is being written now.
//!
//! It stands in a scroller that is turned upside down (`column-reverse`), so that it begins at its end before any
//! script runs and stays there while it grows.

use std::sync::Arc;

use domain::{
    ids::{EntryId, Millis, duration_text},
    transcript::{Item, Row, RunEnd, Tone, ToolEnd, Transcript},
    verb::{Outcome, Verb},
};
use leptos::{either::EitherOf6, prelude::*};

use super::{
    icons::Icon,
    prose::{prose, shown},
};
use crate::state::State;

/// The scroller with all rows.
#[component]
pub(super) fn TranscriptView() -> impl IntoView {
    let state = State::current();
    let rows = move || state.transcript.with(|transcript| transcript.rows().cloned().collect::<Vec<_>>());
    view! {
        <main id="transcript" class="scroller" tabindex="0" aria-label="Transcript">
            <div class="transcript">
                <Older/>
                {move || state.transcript.with(Transcript::is_empty).then(|| view! { <Empty/> })}
                <ol class="rows" aria-live="polite">
                    <For each=rows key=|row| (row.id, is_ended(&row.item)) children=|row| view! { <RowView row/> }/>
                </ol>
                <Now/>
            </div>
        </main>
    }
}

/// A row is made anew when its second half has come.
fn is_ended(item: &Item) -> bool {
    match item {
        Item::Tool { end, abandoned, .. } => end.is_some() || *abandoned,
        Item::Run { end, .. } => end.is_some(),
        _ => true,
    }
}

/// The way to what is older than what is shown.
#[component]
fn Older() -> impl IntoView {
    let state = State::current();
    let href = move || {
        let oldest = state.transcript.with(|transcript| transcript.oldest().map_or(0, |id| id.0));
        format!("/s/{}?before={oldest}", state.session_id())
    };
    move || state.has_older.get().then(|| view! { <a class="older" data-act="older" href=href()>"Show earlier"</a> })
}

/// What a new session says: what can be done here.
#[component]
fn Empty() -> impl IntoView {
    let state = State::current();
    let (target, configured, hypervisor) = state.page.with_value(|page| {
        let surroundings = &page.surroundings;
        (surroundings.target.clone(), surroundings.target_configured, surroundings.hypervisor_configured)
    });
    view! {
        <section class="empty">
            <h1>"What is wrong with "{target.clone()}"?"</h1>
            <p>
                "Tap " <strong>"Triage"</strong> " below. It runs plain commands on " {target.clone()}
                ", shows each with its output, and ends in a verdict."
            </p>
            <p>"Type a line that begins with " <code>"!"</code> " to run it there yourself."</p>
            <p>
                "Open " <strong>"VM"</strong>
                " above to power-cycle it through its hypervisor. That works when nothing inside answers."
            </p>
            {(!configured).then(|| view! {
                <p class="warning">
                    "No target is configured yet: set " <code>"BREAKGLASS_DEVVM_HOST"</code> " or "
                    <code>"BREAKGLASS_SSH_CONFIG"</code> "."
                </p>
            })}
            {(!hypervisor).then(|| view! {
                <p class="warning">
                    "No hypervisor is configured yet: set " <code>"BREAKGLASS_PVE_HOST"</code> " or "
                    <code>"BREAKGLASS_SSH_CONFIG"</code> "."
                </p>
            })}
        </section>
    }
}

/// What happens now: the draft, or that something is at work and for how long.
#[component]
fn Now() -> impl IntoView {
    let state = State::current();
    let words = move || {
        let what = if state.stopping.get() { "stopping" } else { "working" };
        match state.progress.get() {
            Some(seconds) => format!("{what} · {seconds} s"),
            None => what.to_owned(),
        }
    };
    view! {
        {move || state.draft.get().map(|draft| view! { <div class="bubble agent draft">{shown(&draft)}</div> })}
        {move || state.working().then(|| view! {
            <p class="now"><span class="pulse" aria-hidden="true"></span>{words()}</p>
        })}
    }
}

/// A cost in dollars and cents. Formatting a float by itself would load more code than this page's style.
fn cents(dollars: f64) -> String {
    let cents = (dollars * 100.0).round() as u64;
    format!(" · ${}.{:02}", cents / 100, cents % 100)
}

/// One row. Each kind has its own static view: erased ones would be half of what a phone has to load.
#[component]
fn RowView(row: Arc<Row>) -> impl IntoView {
    let at = row.at;
    match &row.item {
        Item::Prompt { text, by, .. } => EitherOf6::A(view! {
            <li class="row prompt">
                <div class="bubble operator">{shown(text)}</div>
                <p class="meta">{by.clone()}" · "<Clock at/></p>
            </li>
        }),
        Item::Text { text } => EitherOf6::B(view! {
            <li class="row"><div class="bubble agent prose">{prose(text)}</div></li>
        }),
        Item::Tool { name, line, title, end, abandoned, .. } => {
            EitherOf6::C(tool_row(row.id, name.clone(), line.clone(), title.clone(), end.clone(), *abandoned))
        }
        Item::Permission { line, .. } => EitherOf6::F(view! {
            <li class="row note finished"><Icon name="alert"/><span>{shown(line)}" · "<Clock at/></span></li>
        }),
        Item::Run { verb, by, end, .. } => EitherOf6::D(run_row(*verb, by.clone(), end.clone(), at)),
        Item::Note { tone, text } => {
            let (class, icon) = match tone {
                Tone::Info => ("row note", "info"),
                Tone::Warning => ("row note warning", "alert"),
                Tone::Error => ("row note error", "alert"),
                Tone::Stopped => ("row note stopped", "stop"),
            };
            EitherOf6::E(view! { <li class=class><Icon name=icon/><span>{shown(text)}</span></li> })
        }
        Item::Finished { duration_ms, cost_usd, .. } => {
            let cost = cost_usd.map(cents).unwrap_or_default();
            let words = format!("Finished in {}{cost}", duration_text(*duration_ms));
            EitherOf6::F(view! {
                <li class="row note finished"><Icon name="check"/><span>{words}" · "<Clock at/></span></li>
            })
        }
    }
}

/// One line for a tool, with its state, duration and exit code; what it ran and what came of it fold out.
fn tool_row(
    id: EntryId,
    name: String,
    line: String,
    title: Option<String>,
    end: Option<ToolEnd>,
    abandoned: bool,
) -> impl IntoView {
    let state = match &end {
        None if abandoned => "failed",
        None => "running",
        Some(end) if end.is_error => "failed",
        Some(_) => "ended",
    };
    let facts = end.as_ref().map(|end| {
        let mut facts: Vec<String> = Vec::new();
        if let Some(code) = end.exit_code.filter(|code| *code != 0) {
            facts.push(format!("exit {code}"));
        }
        facts.extend(end.duration_ms.map(duration_text));
        facts.join(" · ")
    });
    let icon = match state {
        "running" => "dots",
        "failed" => "cross",
        _ => "check",
    };
    let label = title.unwrap_or_else(|| line.lines().next().unwrap_or_default().to_owned());
    let output = end.map(|end| {
        let cut = end.truncated.then(|| view! { <p class="cut">"Output cut here: there was more."</p> });
        let text = if end.output.is_empty() { "(no output)".to_owned() } else { end.output };
        view! { <Output text/>{cut} }
    });
    view! {
        <li class="row tool" data-state=state>
            // Named, so that what somebody opened can be opened again when its second half makes it anew.
            <details id=format!("tool-{id}")>
                <summary>
                    <Icon name=icon/>
                    <span class="tool-label">{shown(&label)}</span>
                    <span class="tool-facts">{facts.unwrap_or_else(|| if abandoned { "no result" } else { "running" }.into())}</span>
                </summary>
                <pre class="command" aria-label=name><code>{shown(line.trim())}</code></pre>
                {output}
            </details>
        </li>
    }
}

/// What a command or a host wrote. It stands in an element of its own, because a parser drops the first line end of `pre`.
#[component]
pub(super) fn Output(text: String) -> impl IntoView {
    view! { <pre class="output" tabindex="0"><samp>{shown(&text)}</samp></pre> }
}

fn run_row(verb: Verb, by: String, end: Option<RunEnd>, at: Millis) -> impl IntoView {
    let (state, words) = match &end {
        None => ("running", "running".to_owned()),
        Some(end) => outcome_words(end.outcome, end.exit_code),
    };
    let icon = if state == "unknown" { "alert" } else { "power" };
    view! {
        <li class="row note run-row" data-state=state>
            <Icon name=icon/>
            <span><strong>{verb.as_str()}</strong>" "{words}" · "{by}" · "<Clock at/></span>
        </li>
    }
}

/// An outcome as a person reads it, and under which look.
pub(super) fn outcome_words(outcome: Outcome, exit_code: Option<i32>) -> (&'static str, String) {
    match (outcome, exit_code) {
        (Outcome::Done, Some(0) | None) => ("ended", "done".into()),
        (Outcome::Done, Some(code)) => ("failed", format!("failed, exit code {code}")),
        (Outcome::Refused, _) => ("failed", "refused, nothing was done".into()),
        (Outcome::Unknown, _) => ("unknown", "outcome unknown: check with status".into()),
    }
}

/// A time of day. The server says it in UTC; the browser's part puts its own in place.
#[component]
pub(super) fn Clock(at: Millis) -> impl IntoView {
    view! { <time data-at=at.0.to_string()>{at.utc_clock()}" UTC"</time> }
}
