//! The verbs: those that change nothing are one tap; those that mutate say first what will happen and what will be lost.

use domain::{page::Controls, verb::Verb};
use leptos::{either::Either, prelude::*};

use super::{
    RUN_VERB,
    icons::icon,
    lock::lock_form,
    verbs_mark,
    words::{fields, icon_of, title},
};

/// What mutates, the recovery action first.
const POWER: [Verb; 4] = [Verb::Cycle, Verb::Reset, Verb::Start, Verb::Stop];

/// All of them, and the lock.
pub(super) fn verbs(controls: &Controls) -> impl IntoView + use<> {
    let power: Vec<_> = POWER.into_iter().map(|verb| confirmed(verb, controls)).collect();
    let note =
        controls.status.note.clone().map(|note| view! { <p class="target-note">{icon("info")}<span>{note}</span></p> });
    view! {
        <div id="verbs" class="verbs" data-mark=verbs_mark(controls)>
            <details id="inspect" class="group" open>
                <summary id="inspect-summary">"Inspect"</summary>
                <div class="inspect">
                    {inspecting(Verb::Status, "Asks the hypervisor", controls)}
                    {inspecting(Verb::Forensics, "Captures the evidence", controls)}
                </div>
            </details>
            <details id="power" class="group" open>
                <summary id="power-summary">"Power"</summary>
                {note}
                {power}
                {lock_form(controls)}
            </details>
        </div>
    }
}

/// A verb that changes nothing: one tap.
fn inspecting(verb: Verb, words: &'static str, controls: &Controls) -> impl IntoView + use<> {
    view! {
        <form method="post" action=RUN_VERB>
            {fields(controls)}
            <input type="hidden" name="verb" value=verb.as_str()/>
            <button id=format!("run-{verb}") class="verb" title=verb.explains()>
                {icon(icon_of(verb))}
                <span class="verb-words"><strong>{title(verb)}</strong><span>{words}</span></span>
            </button>
        </form>
    }
}

/// A verb that mutates: a tap says what will happen, another does it.
fn confirmed(verb: Verb, controls: &Controls) -> impl IntoView + use<> {
    let recommends = controls.status.verdict.as_ref().and_then(|verdict| verdict.recommends);
    let recommended = recommends == Some(verb);
    // What stands out is what is recommended; else what recovers from most.
    let danger = if verb == Verb::Start { "" } else { " danger" };
    let stands_out = recommends.filter(|verb| verb.mutates()).unwrap_or(Verb::Cycle) == verb;
    let dominant = if stands_out { " dominant" } else { "" };
    let class = format!("verb{danger}{dominant}");
    let badge = match (recommended, verb) {
        (true, _) => Some("recommended"),
        (false, Verb::Cycle) => Some("recovery"),
        _ => None,
    };
    let badge = badge.map(|word| view! { <span class="badge">{word}</span> });
    view! {
        <details id=format!("confirm-{verb}") class="confirm" name="confirm" data-hold>
            <summary id=format!("summary-{verb}") class=class>
                {icon(icon_of(verb))}
                <span class="verb-words"><strong>{title(verb)}{badge}</strong><span>{verb.explains()}</span></span>
            </summary>
            {confirmation(verb, controls)}
        </details>
    }
}

fn confirmation(verb: Verb, controls: &Controls) -> impl IntoView + use<> {
    let target = controls.surroundings.target.clone();
    let id = format!("do-{verb}");
    if let Some(lock) = &controls.status.lock {
        let words = format!("{} locked {target}, so this does not run. Lift the lock above first.", lock.by);
        return Either::Left(view! { <div id=id class="confirmation"><p>{words}</p></div> });
    }
    let practice = if controls.surroundings.practice { " This is practice: no machine is touched." } else { "" };
    let warning = verb.warning(&target).unwrap_or_default();
    Either::Right(view! {
        <form id=id method="post" action=RUN_VERB class="confirmation">
            {fields(controls)}
            <input type="hidden" name="verb" value=verb.as_str()/>
            <p>{format!("{warning} Forensics are captured first.{practice}")}</p>
            // Seen only while nobody knows, which the strip says: see the style sheet.
            <label class="override override-unknown">
                <input type="checkbox" name="override_unknown" value="true"/>
                "Nobody knows what became of the last action. Do it all the same."
            </label>
            <button class="confirm-button">{format!("{} {target} now", title(verb))}</button>
        </form>
    })
}
