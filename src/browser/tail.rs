//! The last view, kept on this device for the page that a service worker shows where there is no way to the console: the
//! newest rows as text, the last run, and when that was. Whoever shares a device can switch it off.

use domain::text::joined;
use leptos::{prelude::*, wasm_bindgen::JsCast};

use super::{dom, kept, scroll::elements};
use crate::state::State;

/// How many rows are kept at most, and how many bytes of them.
const ROWS: usize = 200;
const BYTES: usize = 64 << 10;
/// The switch's name, and how often what is shown is kept, in milliseconds.
const SWITCH: &str = "keep-view";
const OFTEN: f64 = 5_000.0;

/// Keeps the view for as long as the page lives.
pub(super) fn listen(state: State) {
    if let Some(switch) = switch() {
        switch.set_checked(kept::get(SWITCH).is_none());
        dom::on(&switch.clone(), "change", move |_| {
            kept::set(SWITCH, if switch.checked() { "" } else { "no" });
            if !switch.checked() {
                for name in kept::names("kept:") {
                    kept::set(&format!("kept:{name}"), "");
                }
            }
        });
    }
    dom::on(&document(), "visibilitychange", move |_| keep(state));
    again(state);
}

fn switch() -> Option<web_sys::HtmlInputElement> {
    document().get_element_by_id(SWITCH)?.dyn_into().ok()
}

fn again(state: State) {
    keep(state);
    dom::later(OFTEN, move || again(state));
}

fn text(selector: &str) -> String {
    joined(&mut elements(selector).iter().filter_map(|element| element.text_content()), " ")
}

fn keep(state: State) {
    let session = state.session_id();
    // Only what is up to date is called the last view.
    if session.is_empty() || state.in_past() || kept::get(SWITCH).is_some() || !state.link.get_untracked().is_live() {
        return;
    }
    let mut view = String::new();
    for row in elements("#transcript .rows .row:not(.tools)").iter().rev().take(ROWS) {
        // Of what folds out, the line that says what it was.
        let line = row.query_selector("summary").ok().flatten();
        let words = line.as_ref().unwrap_or(row).text_content().unwrap_or_default();
        if view.len() + words.len() > BYTES {
            break;
        }
        view.insert_str(0, &format!("\u{1e}{}\u{1f}{words}", row.class_name()));
    }
    let run = text(".headline, .run-head, .run > .meta, .run-last");
    kept::set(&format!("kept:{session}"), &format!("{}\u{1e}{run}{view}", js_sys::Date::now() as u64));
}
