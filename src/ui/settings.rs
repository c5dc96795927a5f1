//! The settings and the keys, in a dialog that its address (`#settings`) opens, so that it works without script too. It is
//! rendered on the server and stands beside what is hydrated: nothing of it is in what a phone has to load.

use domain::page::{Frame, Theme};
use leptos::prelude::*;

use super::icons::Icon;
use crate::state::State;

/// What a key does, for who has keys.
const KEYS: [(&str, &str); 5] = [
    ("/", "Go to the text field"),
    ("Enter", "Send"),
    ("Shift Enter", "Begin a new line"),
    ("Esc", "Close what is open; else stop the turn, if the text field is empty"),
    ("?", "Show this"),
];

/// The whole dialog.
#[component]
pub(super) fn Settings() -> impl IntoView {
    let Frame { theme: chosen, .. } = expect_context();
    let session = State::current().session_id();
    let themes: Vec<_> = Theme::ALL.into_iter().map(|theme| choice(theme, theme == chosen)).collect();
    let keys = KEYS.map(|(key, does)| view! { <div><dt>{pressed(key)}</dt><dd>{does}</dd></div> });
    view! {
        <dialog id="settings" class="settings" aria-labelledby="settings-title">
            <div class="settings-body">
                <div class="sheet-head">
                    <h2 id="settings-title">"Settings"</h2>
                    <a class="close" href="#console" aria-label="Close the settings"><Icon name="cross"/></a>
                </div>
                <form id="theme" method="post" action="/theme">
                    <input type="hidden" name="session" value=session/>
                    <fieldset class="choices">
                        <legend>"Colours"</legend>
                        {themes}
                    </fieldset>
                </form>
                <label id="tell-row" class="override" hidden>
                    <input id="tell" type="checkbox"/>
                    "Notify me when a turn ends, or waits for my decision, while I look at something else"
                </label>
                <p id="tell-denied" class="warning" hidden>
                    "This browser blocks notifications from the console. Allow them in the browser's settings for this site, then come back."
                </p>
                <label class="override keep-view">
                    <input id="keep-view" type="checkbox" checked/>
                    "Keep the last view on this device, to be read where there is no network"
                </label>
                <section id="install" class="install" aria-label="Install" hidden>
                    <p>"On the home screen the console opens like an app, and shows its last view without a network."</p>
                    <p id="install-by-hand" hidden>"In Safari tap Share, then Add to Home Screen."</p>
                    <div class="install-ways">
                        <button id="install-now" type="button" class="confirm-button">"Install"</button>
                        <button id="install-never" type="button">"Do not offer this again"</button>
                    </div>
                </section>
                <section class="keys" aria-label="Keys">
                    <h3>"Keys"</h3>
                    <dl>{keys}</dl>
                </section>
            </div>
        </dialog>
    }
}

/// One of the themes, as a button that says whether it is the one.
fn choice(theme: Theme, chosen: bool) -> impl IntoView {
    let words = match theme {
        Theme::Auto => "As the device",
        Theme::Dark => "Dark",
        Theme::Light => "Light",
    };
    view! { <button name="theme" value=theme.as_str() aria-pressed=chosen.to_string()>{words}</button> }
}

/// Keys that are pressed together.
fn pressed(keys: &'static str) -> Vec<impl IntoView> {
    keys.split(' ').map(|key| view! { <kbd>{key}</kbd> }).collect()
}
