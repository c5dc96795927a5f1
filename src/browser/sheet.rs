//! The VM sheet opens and closes by its address. What the address cannot do: a Close that leaves nothing for Back to
//! reopen, and a confirmation that comes into sight.

use std::cell::Cell;

use leptos::{prelude::*, wasm_bindgen::JsCast};

use super::dom;

thread_local! {
    /// True while the sheet is open because of a tap, so that the entry before it in the history is the page without it.
    static OPENED: Cell<bool> = const { Cell::new(false) };
}

/// Listens for as long as the page lives.
pub(super) fn listen() {
    dom::on(&document(), "click", |event| {
        if dom::within(&event, ".vm-button, .glance").is_some() {
            OPENED.set(true);
        } else if dom::within(&event, ".vm a[href='#console']").is_some() {
            event.prevent_default();
            close();
        } else if let Some(verb) = dom::within(&event, "a[data-opens]").and_then(|it| it.get_attribute("data-opens")) {
            event.prevent_default();
            lead_to(&verb);
        } else if let Some(details) =
            dom::within(&event, "details.confirm > summary").and_then(|it| it.parent_element())
        {
            dom::soon(move || {
                if details.has_attribute("open") {
                    details.scroll_into_view_with_bool(false);
                }
            });
        }
    });
}

/// Opens the confirmation of a verb, or goes to the button of one that needs none; the keyboard is there then.
fn lead_to(verb: &str) {
    let found = |id: String| document().get_element_by_id(&id);
    if let Some(details) = found(format!("confirm-{verb}")) {
        let _ = details.set_attribute("open", "");
        details.scroll_into_view_with_bool(false);
    }
    let place = found(format!("summary-{verb}")).or_else(|| found(format!("run-{verb}")));
    if let Some(place) = place.and_then(|place| place.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = place.focus();
    }
}

/// Closes the sheet, if it is open.
pub(super) fn close() {
    // Without script the recommended verb has an address of its own, inside of the sheet.
    if !window().location().hash().is_ok_and(|hash| hash == "#vm" || hash.starts_with("#do-")) {
        return;
    }
    match window().history() {
        Ok(history) if OPENED.take() => drop(history.back()),
        _ => drop(window().location().set_hash("console")),
    }
}
