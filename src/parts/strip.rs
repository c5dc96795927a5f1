//! The status strip: is it up, what was seen, what stands in the way. It needs no AI and no tap.

use domain::page::Controls;
use leptos::prelude::*;

use super::{
    host_key::changed_keys,
    icons::icon,
    lock::locked,
    looks::looks,
    run_mark, runs_mark, verbs_mark,
    verdict::verdict,
    words::{age, clock, icon_of, title},
};

/// The whole strip. Its attributes tell the browser's part how often to look, and the style sheet whether an override is
/// asked for.
pub(super) fn strip(controls: &Controls) -> impl IntoView + use<> {
    let status = &controls.status;
    let coming_up = status.way_up.as_ref().is_some_and(|way| !way.over);
    let running = status.running.as_ref().map(|running| running.run_id.to_string());
    let moving = (coming_up || running.is_some() || controls.looking).then_some("");
    view! {
        <section
            id="strip"
            class="strip"
            aria-label="Target"
            data-moving=moving
            data-running=running
            data-unknown=status.unknown.is_some().then_some("")
            data-runs=runs_mark(controls)
            data-run=run_mark(controls)
            data-verbs=verbs_mark(controls)
        >
            {locked(controls)}
            {changed_keys(controls)}
            {under_way(controls)}
            {verdict(controls)}
            {looks(controls)}
        </section>
    }
}

/// The mutation that runs, or the last one, while nobody knows what became of it.
fn under_way(controls: &Controls) -> impl IntoView + use<> {
    let running = controls.status.running.as_ref().map(|running| {
        let run = running.run_id.to_string();
        view! {
            <p class="under-way">
                {icon(icon_of(running.verb))}
                <span>
                    <strong>{title(running.verb)}</strong>
                    {format!(" runs for {} · ", running.by)}
                    {age(controls, running.started)}
                </span>
                <a class="again" href=format!("?run={run}#vm") data-run=run>"Show it"</a>
            </p>
        }
    });
    let unknown = controls.status.unknown.as_ref().map(|unknown| {
        let run = unknown.run_id.to_string();
        view! {
            <p class="under-way" data-look="unknown">
                {icon("alert")}
                <span>
                    {format!("Nobody knows what became of the {} that {} began at ", unknown.verb, unknown.by)}
                    {clock(controls, unknown.started)}
                    ". Status shows how it stands."
                </span>
                <a class="again" href=format!("?run={run}#vm") data-run=run>"Show it"</a>
            </p>
        }
    });
    (running, unknown)
}
