//! What is done with a text of the transcript: it is copied, shown whole, or asked again.

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use super::{dom, outbox};
use crate::state::State;

/// How long a button says that it has copied, in milliseconds.
const SAID: f64 = 2_000.0;

/// Listens for as long as the page lives.
pub(super) fn listen(state: State) {
    dom::on(&document(), "click", move |event| {
        let Some(button) = dom::within(&event, "#transcript [data-act]") else { return };
        // The text stands first in what the button belongs to.
        let text = button.closest(".sample, li").ok().flatten().and_then(|place| place.first_element_child());
        match (button.get_attribute("data-act").as_deref(), text) {
            (Some("copy"), Some(text)) => copy(button, text),
            (Some("retry"), Some(text)) => {
                outbox::put(state, text.text_content().unwrap_or_default());
                if let Some(field) = dom::field() {
                    let _ = field.focus();
                }
            }
            (Some("whole"), _) => {
                let is_whole = button.get_attribute("aria-pressed").as_deref() == Some("true");
                let _ = button.set_attribute("aria-pressed", if is_whole { "false" } else { "true" });
            }
            _ => {}
        }
    });
}

/// Copies the text. Where the browser does not do that, which is on plain http, the text is selected for who does it by hand.
fn copy(button: Element, text: Element) {
    dom::spawn(async move {
        let navigator = window().navigator();
        let can = Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| clipboard.is_object());
        let words = text.text_content().unwrap_or_default();
        let words = if can && JsFuture::from(navigator.clipboard().write_text(&words)).await.is_ok() {
            "Copied"
        } else {
            if let Ok(Some(selection)) = window().get_selection() {
                let _ = selection.select_all_children(&text);
            }
            "Selected"
        };
        // It says so beside its icon, to who hears it too.
        let Ok(said) = document().create_element("span") else { return };
        let _ = said.set_attribute("role", "status");
        let _ = button.append_child(&said);
        said.set_text_content(Some(words));
        dom::later(SAID, move || said.remove());
    });
}
