//! The VM sheet: on a phone a sheet that its address (`#vm`) opens, from 900 px a column that is always there.

use domain::page::Controls;
use leptos::prelude::*;

use super::{icons::icon, run::run, runs::runs, strip::strip, verbs::verbs};

/// The way to the report on the session that is open, once there is one.
fn report(controls: &Controls) -> impl IntoView + use<> {
    (!controls.session.is_empty()).then(|| {
        let href = format!("/api/session/{}/export", controls.session);
        view! {
            <a id="report" class="report" href=href download="">
                {icon("save")}
                <span>
                    <strong>"Download the report"</strong>
                    <span class="report-words">"What was asked, done and found, to send to others. Passwords and keys are taken out."</span>
                </span>
            </a>
        }
    })
}

/// All that is in it.
pub(super) fn sheet(controls: &Controls) -> impl IntoView + use<> {
    let surroundings = &controls.surroundings;
    let unconfigured = (!surroundings.hypervisor_configured).then(|| {
        view! {
            <p class="warning">
                "No hypervisor is configured yet: set " <code>"BREAKGLASS_PVE_HOST"</code> " or "
                <code>"BREAKGLASS_SSH_CONFIG"</code> "."
            </p>
        }
    });
    view! {
        <a class="backdrop" href="#console" tabindex="-1" aria-hidden="true"></a>
        <aside class="sheet" aria-label="VM controls">
            <a class="grip" href="#console" tabindex="-1" aria-hidden="true"><span></span></a>
            <div class="sheet-head">
                <h2>"VM "<span class="target">{surroundings.target.clone()}</span></h2>
                <a class="close" href="#console" aria-label="Close">{icon("cross")}</a>
            </div>
            <div class="sheet-body">
                {unconfigured}
                {strip(controls)}
                {run(controls)}
                {verbs(controls)}
                {runs(controls)}
                {report(controls)}
                // What changes above is told here once, in a line, to who does not see it.
                <p id="told" class="unseen" role="status"></p>
            </div>
        </aside>
    }
}
