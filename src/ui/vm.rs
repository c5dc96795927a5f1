//! The VM sheet: the verbs, each with a line that says what it does; a confirmation for those that mutate; and the run
//! with its output. It opens by its address (`#vm`), confirms by `<details>` and acts by forms, so that none of it needs
//! a script.

use domain::{call::Run, ids::duration_text, verb::Verb};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    icons::Icon,
    prose::shown,
    transcript::{Clock, Output, outcome_words, unconfigured},
};
use crate::{api::RunVerb, state::State};

/// What mutates, the recovery action first.
const POWER: [Verb; 4] = [Verb::Cycle, Verb::Reset, Verb::Start, Verb::Stop];

/// The sheet on a phone, the side column on a desktop.
#[component]
pub(super) fn VmSheet() -> impl IntoView {
    let state = State::current();
    let power: Vec<_> = POWER.into_iter().map(|verb| view! { <Confirmed verb/> }).collect();
    let configured = state.page.with_untracked(|page| page.surroundings.hypervisor_configured);
    view! {
        <div id="vm" class="vm">
            <a class="backdrop" href="#console" tabindex="-1" aria-hidden="true"></a>
            <aside class="sheet" aria-label="VM controls">
                <a class="grip" href="#console" tabindex="-1" aria-hidden="true"><span></span></a>
                <div class="sheet-head">
                    <h2>"VM "<span class="target">{state.target()}</span></h2>
                    <a class="close" href="#console" aria-label="Close"><Icon name="cross"/></a>
                </div>
                <div class="sheet-body">
                    {(!configured).then(|| unconfigured("hypervisor", "BREAKGLASS_PVE_HOST"))}
                    <RunView/>
                    <details class="group" open>
                        <summary>"Inspect"</summary>
                        <VerbForm verb=Verb::Status class="verb"/>
                        <VerbForm verb=Verb::Forensics class="verb"/>
                    </details>
                    <details class="group" open>
                        <summary>"Power"</summary>
                        {power}
                    </details>
                    <label class="override keep-view">
                        <input id="keep-view" type="checkbox" checked/>
                        "Keep the last view on this device, to be read where there is no network"
                    </label>
                </div>
            </aside>
        </div>
    }
}

fn title(verb: Verb) -> &'static str {
    match verb {
        Verb::Status => "Status",
        Verb::Forensics => "Forensics",
        Verb::Start => "Start",
        Verb::Stop => "Stop",
        Verb::Reset => "Reset",
        Verb::Cycle => "Cycle",
    }
}

fn icon(verb: Verb) -> &'static str {
    match verb {
        Verb::Status => "pulse",
        Verb::Forensics => "search",
        Verb::Start => "play",
        Verb::Stop => "stop",
        Verb::Reset => "reset",
        Verb::Cycle => "cycle",
    }
}

/// The hidden fields of a form that runs a verb.
fn fields(state: State, verb: Verb) -> impl IntoView {
    view! {
        <input type="hidden" name="session" value=state.session_id()/>
        <input type="hidden" name="key" value=state.key()/>
        <input type="hidden" name="verb" value=verb.as_str()/>
    }
}

/// A verb that changes nothing: one tap.
#[component]
fn VerbForm(verb: Verb, class: &'static str) -> impl IntoView {
    let state = State::current();
    view! {
        <form method="post" action=RunVerb::PATH>
            {fields(state, verb)}
            <button class=class>
                <Icon name=icon(verb)/>
                <span class="verb-words"><strong>{title(verb)}</strong><span>{verb.explains()}</span></span>
            </button>
        </form>
    }
}

/// A verb that mutates: a tap says what will happen, another does it.
#[component]
fn Confirmed(verb: Verb) -> impl IntoView {
    let state = State::current();
    let target = state.target();
    let class = match verb {
        Verb::Cycle => "verb dominant",
        Verb::Start => "verb",
        _ => "verb danger",
    };
    let practice = state
        .page
        .with_untracked(|page| page.surroundings.practice)
        .then_some(" This is practice: no machine is touched.");
    let recovery = (verb == Verb::Cycle).then(|| view! { <span class="badge">"recovery"</span> });
    view! {
        <details class="confirm" name="confirm">
            <summary class=class>
                <Icon name=icon(verb)/>
                <span class="verb-words">
                    <strong>{title(verb)}{recovery}</strong>
                    <span>{verb.explains()}</span>
                </span>
            </summary>
            <form method="post" action=RunVerb::PATH class="confirmation">
                {fields(state, verb)}
                <p>{verb.warning(&target)}" Forensics are captured first."{practice}</p>
                {move || state.unknown.get().then(|| view! {
                    <label class="override">
                        <input type="checkbox" name="override_unknown" value="true"/>
                        "Nobody knows what became of the last action. Do it all the same."
                    </label>
                })}
                <button class="confirm-button">{title(verb)}" "{target.clone()}" now"</button>
            </form>
        </details>
    }
}

/// The run that was begun last, with its output so far.
#[component]
fn RunView() -> impl IntoView {
    let state = State::current();
    view! {
        <div class="run-place" aria-live="polite">
            {move || state.run.get().map(|run| run_view(state, run))}
        </div>
    }
}

fn run_view(state: State, run: Run) -> impl IntoView {
    let Run { verb, stdout, stderr, truncated, detail, .. } = &run;
    let (look, words) = match run.outcome {
        None => ("running", "running".to_owned()),
        Some(outcome) => outcome_words(outcome, run.exit_code),
    };
    let took = run.ended.map(|_| format!(" · {}", duration_text(run.duration_ms())));
    let exit = run.exit_code.filter(|_| look == "ended").map(|code| format!(" · exit code {code}"));
    // The last thing that the host said is what one looks for; of a status it is the state. The rest is evidence.
    let state_line = stdout.lines().find(|line| *verb == Verb::Status && line.starts_with("status:"));
    let last = state_line.or_else(|| stdout.lines().rfind(|line| !line.trim().is_empty())).map(|line| {
        view! { <p class="run-last">{shown(line)}</p> }
    });
    let mut output = stdout.clone();
    if !stderr.is_empty() {
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        output.push_str(stderr);
    }
    let check = (look == "unknown").then(|| {
        view! {
            <form method="post" action=RunVerb::PATH>
                {fields(state, Verb::Status)}
                <button class="check-status">"Check with status"</button>
            </form>
        }
    });
    view! {
        <section class="run" data-state=look aria-label="Last run">
            <p class="run-head">
                <Icon name=icon(*verb)/>
                <strong>{title(*verb)}</strong>
                <span class="run-words">{words}{exit}{took}</span>
            </p>
            <p class="meta">{run.by.clone()}" · "<Clock at=run.started/></p>
            {last}
            {detail.clone().map(|detail| view! { <p class="run-detail">{detail}</p> })}
            {check}
            <details open>
                <summary>"Output"</summary>
                <Output text=if output.is_empty() { "(nothing yet)".to_owned() } else { output }/>
                {truncated.then(|| view! { <p class="cut">"Output cut: there was more."</p> })}
            </details>
        </section>
    }
}
