//! The VM sheet opens and closes by its address. What the address cannot do: a Close that leaves nothing for Back to
//! reopen, and a confirmation that comes into sight.

use std::cell::Cell;

use leptos::prelude::*;

use super::dom;

thread_local! {
    /// True while the sheet is open because of a tap, so that the entry before it in the history is the page without it.
    static OPENED: Cell<bool> = const { Cell::new(false) };
}

/// Listens for as long as the page lives.
pub(super) fn listen() {
    dom::on(&document(), "click", |event| {
        if dom::within(&event, ".vm-button").is_some() {
            OPENED.set(true);
        } else if dom::within(&event, ".vm a[href='#console']").is_some() {
            event.prevent_default();
            close();
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

/// Closes the sheet, if it is open.
pub(super) fn close() {
    if window().location().hash().as_deref() != Ok("#vm") {
        return;
    }
    match window().history() {
        Ok(history) if OPENED.take() => drop(history.back()),
        _ => drop(window().location().set_hash("console")),
    }
}
