//! What changes in place: the lamp, what happens now, the field and the buttons. Their elements stay the same ones, for who
//! has a finger on them and for who has them read aloud; all else is made anew (`ui::part`).

use leptos::prelude::*;

use super::scroll::elements;
use crate::state::State;

/// Keeps them up to date for as long as the page lives.
pub(super) fn keep(state: State) {
    let kept = RenderEffect::new(move |_| {
        let (look, words) = state.lamp();
        mark(".lamp", "data-state", look);
        say(".lamp-words", &words);
        say(".now-words", &state.now());
        say(".since", &state.since.get().unwrap_or_default());
        mark("#prompt", "placeholder", state.placeholder());
        let (words, steer) = state.send();
        mark(".send", "value", steer);
        mark(".send", "aria-label", words);
        mark(".send", "title", words);
        let working = state.working();
        for element in elements(".presets, .new-session button") {
            let _ = element.toggle_attribute_with_force("disabled", working);
        }
    });
    std::mem::forget(kept);
}

/// Changes an attribute, if it is another one.
fn mark(selector: &str, name: &str, value: &str) {
    for element in elements(selector) {
        if element.get_attribute(name).as_deref() != Some(value) {
            let _ = element.set_attribute(name, value);
        }
    }
}

/// Changes an element's words, if they are others: what is said again is read aloud again.
fn say(selector: &str, words: &str) {
    for element in elements(selector) {
        if element.text_content().as_deref() != Some(words) {
            element.set_text_content(Some(words));
        }
    }
}
