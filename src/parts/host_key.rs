//! Host keys that are not those that were pinned: both fingerprints, what it means, and the way to accept the new one.

use domain::{
    page::Controls,
    probe::{ChangedKey, KeyHost},
};
use leptos::prelude::*;

use super::{
    ACCEPT_KEY,
    icons::icon,
    words::{clock, fields},
};

/// Those that changed.
pub(super) fn changed_keys(controls: &Controls) -> impl IntoView + use<> {
    controls.status.changed_keys.iter().map(|changed| changed_key(changed, controls)).collect::<Vec<_>>()
}

fn changed_key(changed: &ChangedKey, controls: &Controls) -> impl IntoView + use<> {
    let target = &controls.surroundings.target;
    let (host, headline, means) = match changed.host {
        KeyHost::Target => (
            "target",
            format!("{target} has another host key"),
            "It was set up anew, or something else answers in its place. The console warns and goes on.",
        ),
        KeyHost::Hypervisor => (
            "hypervisor",
            "The hypervisor has another host key".to_owned(),
            "It was set up anew, or something else answers in its place. Nothing is sent to it until the new key is accepted.",
        ),
    };
    let ChangedKey { pinned, seen, .. } = changed.clone();
    view! {
        // Where the console goes on all the same, it stands in nobody's way.
        <details id=format!("key-{host}") class="changed-key" open=changed.host == KeyHost::Hypervisor>
            <summary id=format!("key-{host}-summary") class="headline-row">{icon("alert")}<strong>{headline}</strong></summary>
            <form method="post" action=ACCEPT_KEY>
                {fields(controls)}
                <input type="hidden" name="host" value=host/>
                <input type="hidden" name="fingerprint" value=seen.clone()/>
                <p>{means}</p>
                <dl class="fingerprints">
                    <div><dt>"pinned"</dt><dd><code>{pinned}</code></dd></div>
                    <div><dt>"seen since "{clock(controls, changed.since)}</dt><dd><code>{seen.clone()}</code></dd></div>
                </dl>
                <p>"Compare it with what the machine's own console says before you accept it."</p>
                <button id=format!("accept-{host}")>"Accept the new key"</button>
            </form>
        </details>
    }
}
