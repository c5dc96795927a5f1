//! Scrolling: whoever is within 64 px of the end stays at the end; whoever reads further up stays where they are.
//!
//! The scroller is turned upside down, so its position is 0 at the end and negative above it.

use domain::transcript::Transcript;
use gloo_net::http::Request;
use leptos::prelude::*;

use super::dom;
use crate::state::State;

/// How near to the end counts as at the end, in CSS pixels.
const NEAR: i32 = 64;

fn scroller() -> Option<web_sys::Element> {
    document().get_element_by_id("transcript")
}

/// Listens to "show earlier".
pub(super) fn listen(state: State) {
    dom::on(&document(), "click", move |event| {
        if dom::acts(&event, "older") {
            event.prevent_default();
            leptos::task::spawn_local(older(state));
        }
    });
}

/// Changes what is shown, and puts the reader back where they were.
pub(super) fn keeping(change: impl FnOnce()) {
    let Some(scroller) = scroller() else { return change() };
    let (top, height) = (scroller.scroll_top(), scroller.scroll_height());
    change();
    // The components have done their part before the next frame.
    let settle = move || {
        if -top <= NEAR {
            scroller.set_scroll_top(0);
        } else {
            // What grew, grew at the end; a browser that anchors by itself is corrected to the same place.
            scroller.set_scroll_top(top - (scroller.scroll_height() - height));
        }
        dom::local_times();
    };
    dom::soon(settle);
}

async fn older(state: State) {
    let Some(oldest) = state.transcript.with_untracked(Transcript::oldest) else {
        return;
    };
    let url = format!("/api/session/{}/entries?before={oldest}", state.session_id());
    let entries = match Request::get(&url).send().await {
        Ok(answer) if answer.ok() => super::body::<domain::call::Entries>(answer).await,
        _ => None,
    };
    let Some(entries) = entries else {
        return dom::toast(state, "What is older could not be loaded. Try again.".into());
    };
    state.has_older.set(entries.entries.first().is_some_and(|first| first.id.0 > 0));
    // What grows above the reader does not move them: the position is counted from the end.
    let top = scroller().map(|scroller| scroller.scroll_top());
    state.transcript.update(|transcript| {
        for entry in &entries.entries {
            transcript.apply(entry);
        }
    });
    dom::soon(move || {
        if let (Some(scroller), Some(top)) = (scroller(), top) {
            scroller.set_scroll_top(top);
        }
        dom::local_times();
    });
}

/// Goes to the end, as after sending something.
pub(super) fn to_end() {
    if let Some(scroller) = scroller() {
        scroller.set_scroll_top(0);
    }
}
