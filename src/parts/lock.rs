//! The lock that forbids mutations: who set it, since when and why; the way to lift it, and the way to set one.

use domain::page::Controls;
use leptos::prelude::*;

use super::{
    SET_LOCK,
    icons::icon,
    words::{age, clock, fields},
};

/// The lock, while there is one.
pub(super) fn locked(controls: &Controls) -> impl IntoView + use<> {
    let target = controls.surroundings.target.clone();
    controls.status.lock.as_ref().map(|lock| {
        let why = (!lock.why.trim().is_empty()).then(|| view! { <p class="lock-why">{lock.why.clone()}</p> });
        view! {
            <form method="post" action=SET_LOCK class="lock">
                {fields(controls)}
                <input type="hidden" name="locked" value="false"/>
                <p class="headline-row">{icon("lock")}<strong>{format!("{target} is locked: no power action runs")}</strong></p>
                {why}
                <p class="meta">
                    {format!("{} · ", lock.by)}{clock(controls, lock.since)}" · for "{age(controls, lock.since)}
                </p>
                <button id="lift-lock">"Lift the lock"</button>
            </form>
        }
    })
}

/// The way to set a lock, while there is none. What somebody writes in it is left alone (`data-hold`).
pub(super) fn lock_form(controls: &Controls) -> impl IntoView + use<> {
    let target = &controls.surroundings.target;
    let button = format!("Lock {target}");
    let explains = format!("No power action runs on {target} until somebody lifts the lock. Looking is not affected.");
    controls.status.lock.is_none().then(|| {
        view! {
            <details class="lock-form" id="lock-form" data-hold>
                <summary id="lock-summary">{icon("lock")}"Lock"</summary>
                <form method="post" action=SET_LOCK class="confirmation">
                    {fields(controls)}
                    <input type="hidden" name="locked" value="true"/>
                    <p>{explains}</p>
                    <input
                        class="words" name="why" maxlength="200" autocomplete="off" aria-label="Why"
                        placeholder="Why, for those who come later"
                    />
                    <button class="confirm-button">{button}</button>
                </form>
            </details>
        }
    })
}
