//! Keys: Enter sends, Shift+Enter makes a new line, Escape closes the VM sheet.

use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::{HtmlElement, KeyboardEvent};

use super::{dom, sheet};

/// Listens for as long as the page lives.
pub(super) fn listen() {
    dom::on(&document(), "keydown", move |event| {
        let Ok(event) = event.dyn_into::<KeyboardEvent>() else {
            return;
        };
        // Enter that ends a word of an input method is no Enter.
        if event.is_composing() {
            return;
        }
        match event.key().as_str() {
            "Enter" if !event.shift_key() && is_in_field(&event) => {
                event.prevent_default();
                press(".send");
            }
            "Escape" => sheet::close(),
            _ => {}
        }
    });
}

fn is_in_field(event: &KeyboardEvent) -> bool {
    let field = dom::field().map(web_sys::EventTarget::from);
    field.is_some() && event.target() == field
}

fn press(selector: &str) {
    let button = document().query_selector(selector).ok().flatten();
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        button.click();
    }
}
