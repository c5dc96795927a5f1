//! Scrolling: whoever is within 64 px of the end stays at the end; whoever reads further up stays where they are.
//!
//! The scroller is turned upside down, so its position is 0 at the end and negative above it.

use std::cell::RefCell;

use domain::transcript::Transcript;
use leptos::{prelude::*, wasm_bindgen::JsCast};

use super::{dom, http};
use crate::state::State;

/// How near to the end counts as at the end, in CSS pixels.
const NEAR: f64 = 64.0;

fn scroller() -> Option<web_sys::Element> {
    document().get_element_by_id("transcript")
}

/// Listens to "show earlier", and keeps what is unfolded under the finger that unfolds it: by itself it would grow
/// upwards, from the end.
pub(super) fn listen(state: State) {
    dom::on(&document(), "click", move |event| {
        if dom::acts(&event, "older") {
            event.prevent_default();
            leptos::task::spawn_local(older(state));
        }
        let summary = dom::within(&event, "#transcript summary");
        if let (Some(summary), Some(scroller)) = (summary, scroller()) {
            let before = summary.get_bounding_client_rect().top();
            dom::soon(move || {
                let moved = summary.get_bounding_client_rect().top() - before;
                set_top(&scroller, top(&scroller) + moved);
            });
        }
    });
}

/// The position in fractions of a pixel, which the typed property would round at each step.
fn top(scroller: &web_sys::Element) -> f64 {
    js_sys::Reflect::get(scroller, &"scrollTop".into()).ok().and_then(|top| top.as_f64()).unwrap_or(0.0)
}

fn set_top(scroller: &web_sys::Element, top: f64) {
    let _ = js_sys::Reflect::set(scroller, &"scrollTop".into(), &top.into());
}

/// Where the reader was before a change that is being shown.
struct Place {
    top: f64,
    height: i32,
    opened: Vec<String>,
}

thread_local! {
    /// One place for all changes that are shown together.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// The tools whose output somebody unfolded. A row that is made anew must not fold under the reader.
fn opened() -> Vec<String> {
    let found = document().query_selector_all("#transcript details[open]").ok();
    let found = found.iter().flat_map(|found| (0..found.length()).filter_map(|place| found.item(place)));
    found.filter_map(|details| Some(details.dyn_into::<web_sys::Element>().ok()?.id())).collect()
}

/// Changes what is shown, and puts the reader back where they were.
pub(super) fn keeping(change: impl FnOnce()) {
    if let Some(scroller) = scroller()
        && PLACE.with_borrow(Option::is_none)
    {
        let place = Place { top: top(&scroller), height: scroller.scroll_height(), opened: opened() };
        PLACE.set(Some(place));
        // The components have done their part by then.
        dom::soon(move || settle(&scroller));
    }
    change();
}

fn settle(scroller: &web_sys::Element) {
    let Some(Place { top, height, opened }) = PLACE.take() else { return };
    for id in opened {
        if let Some(details) = document().get_element_by_id(&id) {
            let _ = details.set_attribute("open", "");
        }
    }
    if -top <= NEAR {
        set_top(scroller, 0.0);
    } else {
        // What grew, grew at the end; a browser that anchors by itself is corrected to the same place.
        set_top(scroller, top - f64::from(scroller.scroll_height() - height));
    }
    dom::local_times();
}

async fn older(state: State) {
    let Some(oldest) = state.transcript.with_untracked(Transcript::oldest) else {
        return;
    };
    let url = format!("/api/session/{}/entries?before={oldest}", state.session_id());
    let Some(entries) = http::get(&url).await.body::<domain::call::Entries>().await else {
        return dom::toast(state, "What is older could not be loaded. Try again.".into());
    };
    state.has_older.set(entries.entries.first().is_some_and(|first| first.id.0 > 0));
    // What grows above the reader does not move them: the position is counted from the end.
    let place = scroller().map(|scroller| (top(&scroller), scroller));
    state.transcript.update(|transcript| {
        for entry in &entries.entries {
            transcript.apply(entry);
        }
    });
    dom::soon(move || {
        if let Some((top, scroller)) = place {
            set_top(&scroller, top);
        }
        dom::local_times();
    });
}

/// Goes to the end, as after sending something, whatever is being shown just now.
pub(super) fn to_end() {
    PLACE.with_borrow_mut(|place| {
        if let Some(place) = place {
            place.top = 0.0;
        }
    });
    if let Some(scroller) = scroller() {
        set_top(&scroller, 0.0);
    }
}
