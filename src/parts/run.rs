//! The run that is looked at: how far it is, what the host said last, the evidence that was taken first, and all output.

use domain::{
    call::Run,
    evidence::Evidence,
    ids::duration_text,
    page::Controls,
    verb::{Outcome, Verb},
};
use leptos::prelude::*;

use super::{
    RUN_VERB,
    icons::icon,
    run_mark, way,
    way::way_up,
    words::{age, clock, fields, icon_of, output, title},
};

/// The place of the run, with it, if there is one to be looked at.
pub(super) fn run(controls: &Controls) -> impl IntoView + use<> {
    let id = controls.run.as_ref().map(|run| run.run_id.to_string());
    let shown = controls.run.as_ref().map(|run| one(run, controls));
    view! { <div id="run" class="run-place" data-run=id data-mark=run_mark(controls)>{shown}</div> }
}

fn one(run: &Run, controls: &Controls) -> impl IntoView + use<> {
    let (look, words) = match run.outcome {
        None => ("running", "running".to_owned()),
        Some(outcome) => outcome.told(run.exit_code),
    };
    let exit = run.exit_code.filter(|_| look == "ended").map(|code| format!(" · exit code {code}"));
    let took = run.ended.map(|_| format!(" · {}", duration_text(run.duration_ms())));
    let elapsed = run.ended.is_none().then(|| view! { " · "{age(controls, run.started)} });
    let newest = controls.runs.iter().find(|other| other.run_id != run.run_id);
    let name = if newest.is_some_and(|other| other.started > run.started) { "Earlier run" } else { "Last run" };
    let way = way(controls).map(|way| way_up(way, controls));
    let last = last_words(run).map(|line| view! { <p class="run-last">{line}</p> });
    let detail = run.detail.clone().map(|detail| view! { <p class="run-detail">{detail}</p> });
    view! {
        <section class="run" data-state=look aria-label=name>
            <p class="run-head">
                {icon(icon_of(run.verb))}
                <strong>{title(run.verb)}</strong>
                <span class="run-words">{words}{exit}{took}{elapsed}</span>
            </p>
            <p class="meta">{format!("{} · ", run.by)}{clock(controls, run.started)}</p>
            {last}
            {detail}
            {(run.outcome == Some(Outcome::Unknown)).then(|| unknown(run, controls))}
            {way}
            {outputs(run)}
        </section>
    }
}

/// The last thing that the host said is what one looks for; of a status it is the state. The rest is evidence.
fn last_words(run: &Run) -> Option<String> {
    let state = run.stdout.lines().find(|line| run.verb == Verb::Status && line.starts_with("status:"));
    let line = state.or_else(|| run.stdout.lines().rfind(|line| !line.trim().is_empty()))?;
    Some(line.to_owned())
}

/// What is being done about an outcome that nobody knows, and what a person can do.
fn unknown(run: &Run, controls: &Controls) -> impl IntoView + use<> {
    let words = if run.verb.mutates() {
        "The host carries it through by itself, whatever becomes of the connection. Until its end is known, or somebody has \
         looked, nothing else is begun."
    } else {
        "It changes nothing, so it can be asked again."
    };
    view! {
        <p class="run-detail">{words}</p>
        <form method="post" action=RUN_VERB>
            {fields(controls)}
            <input type="hidden" name="verb" value=Verb::Status.as_str()/>
            <button id="check-status" class="check-status">"Check with status"</button>
        </form>
    }
}

/// The evidence in a block of its own, and under it what was done. While it runs, all of it as it comes.
fn outputs(run: &Run) -> impl IntoView + use<> {
    let found = match run.outcome {
        None => Evidence { rest: run.stdout.clone(), ..Evidence::default() },
        Some(_) => Evidence::of(&run.stdout),
    };
    let evidence = (!found.forensics.is_empty()).then(|| evidence(&found));
    let mut text = found.rest;
    if !run.stderr.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&run.stderr);
    }
    let nothing = if run.outcome.is_none() { "" } else { "(nothing)" };
    let text = if text.is_empty() { nothing.to_owned() } else { text };
    let cut = run.truncated.then(|| view! { <p class="cut">"Output cut: there was more."</p> });
    view! {
        {evidence}
        <details id="run-output" class="run-output" open>
            <summary id="run-output-summary">"Output"</summary>
            {output("Output", text)}
            {cut}
        </details>
    }
}

/// The forensics with their picture, and the way to the whole capture.
fn evidence(found: &Evidence<'_>) -> impl IntoView + use<> {
    let capture = found.capture.map(|id| format!("/api/pve/captures/{id}"));
    let picture = capture.clone().filter(|_| found.has_screenshot()).map(|capture| {
        let picture = format!("{capture}/screenshot");
        view! {
            <a class="screenshot" href=picture.clone() target="_blank" rel="noopener">
                <img loading="lazy" src=picture.clone() alt="What stood on the VM's screen"/>
            </a>
        }
    });
    let looked = match found.headings() {
        1 => "1 look".to_owned(),
        looks => format!("{looks} looks"),
    };
    let facts = if picture.is_some() { format!("{looked} and a picture") } else { looked };
    let download = match capture {
        Some(capture) => leptos::either::Either::Left(view! {
            <a class="download" href=capture download="">{icon("save")}"Download the capture"</a>
        }),
        None => leptos::either::Either::Right(view! {
            <p class="cut">"The host could not keep this capture: what stands here is all of it."</p>
        }),
    };
    view! {
        <details id="run-evidence" class="evidence">
            <summary id="run-evidence-summary">
                {icon("search")}
                <span>"Forensics"</span>
                <span class="evidence-facts">{facts}</span>
            </summary>
            {picture}
            {output("Forensics", found.forensics.to_owned())}
            {download}
        </details>
    }
}
