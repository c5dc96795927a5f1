//! The history: what was run on the target, by whom, when, and what became of it.

use domain::{call::RunSummary, ids::duration_text, page::Controls};
use leptos::prelude::*;

use super::{
    icons::icon,
    runs_mark,
    words::{age, clock, icon_of, title},
};

/// How many are shown before the rest is folded.
const SHOWN: usize = 5;

/// The history, newest first.
pub(super) fn runs(controls: &Controls) -> impl IntoView + use<> {
    let mut rows: Vec<_> = controls.runs.iter().map(|run| row(run, controls)).collect();
    let earlier = rows.split_off(rows.len().min(SHOWN));
    let earlier = (!earlier.is_empty()).then(|| {
        let count = earlier.len();
        view! {
            <details id="runs-earlier">
                <summary id="runs-earlier-summary">{format!("{count} earlier")}</summary>
                <ol>{earlier}</ol>
            </details>
        }
    });
    let none = controls.runs.is_empty().then(|| {
        view! { <p class="nothing">"Nothing was run yet. What anybody runs stands here, agents included."</p> }
    });
    view! {
        <details id="runs" class="group runs" data-mark=runs_mark(controls) open>
            <summary id="runs-summary">"History"</summary>
            {none}
            <ol>{rows}</ol>
            {earlier}
        </details>
    }
}

fn row(run: &RunSummary, controls: &Controls) -> impl IntoView + use<> {
    let (look, words) = match run.outcome {
        None => ("running", "running".to_owned()),
        Some(outcome) => outcome.told(run.exit_code),
    };
    // The rest of it is said where the run is shown.
    let words = words.split([',', ':']).next().unwrap_or_default().to_owned();
    let took = run.ended.map(|ended| format!(" · {}", duration_text(ended.since(run.started))));
    let elapsed = run.ended.is_none().then(|| view! { " · "{age(controls, run.started)} });
    let id = run.run_id.to_string();
    view! {
        <li>
            <a id=format!("to-{id}") class="run-link" href=format!("?run={id}#vm") data-run=id data-state=look>
                {icon(icon_of(run.verb))}
                <span class="run-what"><strong>{title(run.verb)}</strong>{format!(" {words}{}", took.unwrap_or_default())}{elapsed}</span>
                <span class="meta">{format!("{} · ", run.by)}{clock(controls, run.started)}</span>
            </a>
        </li>
    }
}
