//! The transcript: bubbles, tool lines, notes, and what is being written now.
//!
//! It stands in a scroller that is turned upside down (`column-reverse`), so that it begins at its end before any
//! script runs and stays there while it grows.

pub(super) mod coming;
mod fold;
mod run;

use std::sync::Arc;

use domain::{
    ids::{EntryId, Millis, duration_text},
    transcript::{Item, Row, Tone, Transcript},
};
use leptos::prelude::*;

use super::{
    html::Html,
    part::{Part, part},
    prose::prose,
    region::region,
    sample::act,
};
use crate::state::State;

/// The scroller with all rows.
#[component]
pub(super) fn TranscriptView() -> impl IntoView {
    let state = State::current();
    view! {
        <main id="transcript" class="scroller" tabindex="0" aria-label="Transcript">
            <div class="transcript">
                {region("older", state)}
                {region("none", state)}
                <ol class="rows" aria-live="polite">{region("rows", state)}</ol>
                {region("outbox", state)}
                {region("draft", state)}
                {region("now", state)}
            </div>
        </main>
    }
}

/// What a new session says.
pub(super) fn none(state: State) -> Option<Part> {
    state.transcript.with(Transcript::is_empty).then(|| part(move |html| empty(html, state)))
}

/// All rows; tools that follow one another are one.
pub(super) fn rows(state: State) -> Vec<Part> {
    let working = state.working();
    state.shown(|transcript| {
        let began = |row: &&Arc<Row>| matches!(row.item, Item::Prompt { steered: false, .. });
        // What comes after this is of the turn that runs. Who reads in the past sees none of it.
        let now = transcript.rows().rev().find(began).map_or(EntryId(0), |row| row.id);
        let working = working && !state.in_past();
        let (mut parts, mut tools) = (Vec::new(), Vec::<Arc<Row>>::new());
        let end = |tools: &mut Vec<Arc<Row>>| {
            let works = working && tools.last().is_some_and(|row| row.id > now);
            run::run(state, std::mem::take(tools), works)
        };
        for row in transcript.rows() {
            if run::joins(&row.item) {
                tools.push(Arc::clone(row));
            } else {
                parts.extend(end(&mut tools));
                parts.push(one(state, Arc::clone(row)));
            }
        }
        parts.extend(end(&mut tools));
        parts
    })
}

/// A row is made anew when its second half has come.
fn is_ended(item: &Item) -> bool {
    match item {
        Item::Tool { end, abandoned, .. } => end.is_some() || *abandoned,
        Item::Run { end, .. } => end.is_some(),
        Item::Permission { end, .. } => end.is_some(),
        _ => true,
    }
}

/// The way to what is older than what is shown.
pub(super) fn older(state: State) -> Option<Part> {
    let oldest = state.shown(Transcript::oldest).map_or(0, |id| id.0);
    let way = part(move |html| {
        let markup = r#"<a class="older" data-act="older" href="/s/{}?before={}">Show earlier</a>"#;
        html.fill(markup, &[&state.session_id(), &oldest.to_string()]);
    });
    (oldest > 0).then(|| way.keyed(oldest))
}

/// What a new session says: what can be done here.
fn empty(html: &mut Html, state: State) {
    let (target, configured, hypervisor, has_ai) = state.page.with_untracked(|page| {
        let surroundings = &page.surroundings;
        let (configured, hypervisor) = (surroundings.target_configured, surroundings.hypervisor_configured);
        (surroundings.target.clone(), configured, hypervisor, surroundings.has_ai)
    });
    html.fill(
        r#"<section class="empty"><h1>What is wrong with {}?</h1><p>Tap <strong>Triage</strong> below"#,
        &[&target],
    );
    // What is done when the switch is tapped, and what a line of one's own does.
    let words = if has_ai {
        concat!(
            ", or say what is wrong. The agent goes into {}, finds the cause, repairs what it can and says what it did. ",
            "The smaller button under a preset runs its plain commands without AI.</p><p>Type a line that begins with ",
            "<code>!</code> to run it there as it stands, without AI.</p>",
        )
    } else {
        concat!(
            ". It runs plain commands on {}, shows each with its output, and ends in a verdict.</p>",
            "<p>Type a line that begins with <code>!</code> to run it there yourself.</p>",
        )
    };
    html.fill(words, &[&target]);
    let vm = "<p>Open <strong>VM</strong> above to power-cycle it through its hypervisor. That works when nothing inside answers.</p>";
    html.fill(vm, &[]);
    let mut missing = |what, setting| {
        let markup = r#"<p class="warning">No {} is configured yet: set <code>{}</code> or <code>BREAKGLASS_SSH_CONFIG</code>.</p>"#;
        html.fill(markup, &[what, setting]);
    };
    if !configured {
        missing("target", "BREAKGLASS_DEVVM_HOST");
    }
    if !hypervisor {
        missing("hypervisor", "BREAKGLASS_PVE_HOST");
    }
    html.fill("</section>", &[]);
}

/// A cost in dollars and cents. Formatting a float by itself would load more code than this page's style.
fn cents(dollars: f64) -> String {
    let cents = (dollars * 100.0).round() as u64;
    format!(" · ${}.{:02}", cents / 100, cents % 100)
}

/// One row that is no tool's.
fn one(state: State, row: Arc<Row>) -> Part {
    let key = row.id.0 * 2 + u64::from(is_ended(&row.item));
    let part = part(move |html| match &row.item {
        Item::Prompt { text, by, steered } => prompt(html, state, &row, text, by, *steered),
        Item::Text { text } => {
            html.fill(r#"<li class="row"><div class="bubble agent prose">"#, &[]);
            prose(html, text);
            html.fill("</div></li>", &[]);
        }
        Item::Figures { figures } => {
            html.fill(r#"<li class="row figures-row">"#, &[]);
            html.bars(figures);
            html.fill("</li>", &[]);
        }
        item => note(html, item, row.at),
    });
    part.keyed(key)
}

fn prompt(html: &mut Html, state: State, row: &Row, text: &str, by: &str, steered: bool) {
    // What a preset asks is longer than its name, so it is tapped again, not typed again.
    let is_preset = state.page.with_untracked(|page| page.presets.iter().any(|preset| preset.label == text));
    let way = if steered { " · into the running turn" } else { "" };
    let markup = concat!(
        r#"<li class="row prompt"><div class="bubble operator">{}</div>"#,
        r#"<div class="prompt-foot"><p class="meta">{}{} · "#
    );
    html.fill(markup, &[text, by, way]);
    html.clock(row.at);
    html.fill("</p>", &[]);
    if !is_preset {
        act(html, "retry", "Ask again");
    }
    act(html, "copy", "Copy");
    html.fill("</div></li>", &[]);
}

/// A line between the bubbles.
fn note(html: &mut Html, item: &Item, at: Millis) {
    let (class, look, icon, what, words, at) = match item {
        Item::Run { verb, by, end, .. } => {
            let (look, words) = match end {
                None => ("running", "running".to_owned()),
                Some(end) => end.outcome.told(end.exit_code),
            };
            let icon = if look == "unknown" { "alert" } else { "power" };
            ("row note run-row", look, icon, verb.as_str(), format!(" {words} · {by}"), Some(at))
        }
        Item::Note { tone, text } => {
            let (class, icon) = match tone {
                Tone::Info => ("row note", "info"),
                Tone::Warning => ("row note warning", "alert"),
                Tone::Error => ("row note error", "alert"),
                Tone::Stopped => ("row note stopped", "stop"),
            };
            (class, "", icon, "", text.clone(), None)
        }
        Item::Finished { duration_ms, cost_usd, .. } => {
            let cost = cost_usd.map(cents).unwrap_or_default();
            let words = format!("Finished in {}{cost}", duration_text(*duration_ms));
            ("row note finished", "", "check", "", words, Some(at))
        }
        _ => return,
    };
    html.fill(r#"<li class="{}" data-state="{}">"#, &[class, look]);
    html.icon(icon);
    html.fill(if what.is_empty() { "<span>{}{}" } else { "<span><strong>{}</strong>{}" }, &[what, &words]);
    if let Some(at) = at {
        html.text(" · ");
        html.clock(at);
    }
    html.fill("</span></li>", &[]);
}
