//! Scrolling: whoever is within 64 px of the end stays at the end; whoever reads further up stays where they are, whatever
//! comes or goes around them.
//!
//! The scroller is turned upside down, so its position is 0 at the end and negative above it.

use std::cell::RefCell;

use domain::transcript::Transcript;
use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::Element;

use super::{dom, window as shown};
use crate::state::State;

/// How near to the end counts as at the end, in CSS pixels.
const NEAR: f64 = 64.0;
/// How near to where what is shown ends more of it is fetched.
const AHEAD: f64 = 1500.0;

fn scroller() -> Option<Element> {
    document().get_element_by_id("transcript")
}

/// Listens to the scroller, to "show earlier" and "to the end", and keeps what is unfolded under the finger that unfolds
/// it: by itself it would grow upwards, from the end.
pub(super) fn listen(state: State) {
    dom::on(&document(), "click", move |event| {
        if dom::acts(&event, "older") {
            event.prevent_default();
            shown::fetch(state, true);
        }
        if dom::acts(&event, "end") {
            to_end(state);
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
    if let Some(scroller) = scroller() {
        dom::on(&scroller.clone(), "scroll", move |_| scrolled(state, &scroller));
    }
}

fn scrolled(state: State, scroller: &Element) {
    // What is being shown just now moves everything; who reads is put back first.
    if PLACE.with_borrow(Option::is_some) {
        return;
    }
    follow(state, scroller);
    let top = top(scroller);
    let above = f64::from(scroller.scroll_height() - scroller.client_height()) + top;
    if above < AHEAD && untrack(|| state.shown(has_older)) {
        shown::fetch(state, true);
    } else if -top < AHEAD && state.in_past() {
        shown::fetch(state, false);
    }
}

/// Says whether the reader is at the end, and gives it.
fn follow(state: State, scroller: &Element) -> bool {
    let following = -top(scroller) <= NEAR && !state.in_past();
    if following != state.below.get_untracked().is_none() {
        state.below.set((!following).then_some(0));
    }
    following
}

fn has_older(transcript: &Transcript) -> bool {
    transcript.oldest().is_some_and(|oldest| oldest.0 > 0)
}

/// The position in fractions of a pixel, which the typed property would round at each step.
fn top(scroller: &Element) -> f64 {
    js_sys::Reflect::get(scroller, &"scrollTop".into()).ok().and_then(|top| top.as_f64()).unwrap_or(0.0)
}

fn set_top(scroller: &Element, top: f64) {
    let _ = js_sys::Reflect::set(scroller, &"scrollTop".into(), &top.into());
}

/// Where the reader was before a change that is being shown.
struct Place {
    /// True for who was at the end.
    following: bool,
    /// The first row in sight and where its top was; and in case it is made anew, the position and the height of all.
    row: Option<(Element, f64)>,
    top: f64,
    height: i32,
    opened: Vec<String>,
}

thread_local! {
    /// One place for all changes that are shown together.
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
    /// The row that the last change was counted from, and where its top was to stand.
    static STOOD: RefCell<Option<(Element, f64)>> = const { RefCell::new(None) };
}

pub(super) fn elements(selector: &str) -> Vec<Element> {
    let found = document().query_selector_all(selector).ok();
    let found = found.iter().flat_map(|found| (0..found.length()).filter_map(|place| found.item(place)));
    found.filter_map(|node| node.dyn_into().ok()).collect()
}

fn first_in_sight(scroller: &Element) -> Option<(Element, f64)> {
    let edge = scroller.get_bounding_client_rect().top();
    // Of tools that are folded into one line, that line stands for all.
    let rows = elements("#transcript .rows > .row:not(.tools), .tools > [open] .row, .tools > :not([open])");
    let place = rows.partition_point(|row| row.get_bounding_client_rect().bottom() <= edge);
    let row = rows.into_iter().nth(place)?;
    let top = row.get_bounding_client_rect().top();
    // What a browser rounds off each time must not add up.
    let before = STOOD.take().filter(|(other, before)| *other == row && (top - before).abs() < 1.0);
    Some((row, before.map_or(top, |(_, before)| before)))
}

/// Called before what is shown changes: puts the reader back where they were when it has.
pub(super) fn hold(state: State) {
    if let Some(scroller) = scroller()
        && PLACE.with_borrow(Option::is_none)
    {
        // They may have scrolled a moment ago, of which no event has come yet.
        let following = follow(state, &scroller);
        PLACE.set(Some(Place {
            following,
            row: if following { None } else { first_in_sight(&scroller) },
            top: top(&scroller),
            height: scroller.scroll_height(),
            // The tools whose output somebody unfolded. A row that is made anew must not fold under the reader.
            opened: elements("#transcript details[open]").iter().map(Element::id).collect(),
        }));
        // The components have done their part by then.
        dom::soon(move || settle(state, &scroller));
    }
}

fn settle(state: State, scroller: &Element) {
    let Some(Place { following, row, top: before, height, opened }) = PLACE.take() else { return };
    for id in opened {
        if let Some(details) = document().get_element_by_id(&id) {
            let _ = details.set_attribute("open", "");
            // What it stands in folded at the end of its turn.
            if let Ok(Some(tools)) = details.closest(".tools > details") {
                let _ = tools.set_attribute("open", "");
            }
        }
    }
    if following {
        set_top(scroller, 0.0);
    } else if let Some((row, there)) = row.filter(|(row, _)| row.is_connected()) {
        // It may have been folded away just now.
        let row = row.closest(".tools > :not([open])").ok().flatten().unwrap_or(row);
        let moved = row.get_bounding_client_rect().top() - there;
        if moved != 0.0 {
            set_top(scroller, top(scroller) + moved);
        }
        STOOD.set(Some((row, there)));
    } else {
        // What grew, grew at the end; a browser that anchors by itself is corrected to the same place.
        set_top(scroller, before - f64::from(scroller.scroll_height() - height));
    }
    dom::local_times();
    scrolled(state, scroller);
}

/// Goes to the end, as after sending something, whatever is being shown just now.
pub(super) fn to_end(state: State) {
    shown::come_back(state);
    PLACE.with_borrow_mut(|place| {
        if let Some(place) = place {
            place.following = true;
        }
    });
    if let Some(scroller) = scroller() {
        set_top(&scroller, 0.0);
        // Another part may just be taking its place.
        dom::soon(move || {
            set_top(&scroller, 0.0);
            dom::local_times();
        });
    }
}
