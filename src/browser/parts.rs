//! The parts that the server renders: the strip is fetched again and again while somebody looks, the others when the strip
//! says that they changed; what comes is put in the place of what was there. Between two looks the ages are counted on.

use std::cell::Cell;

use domain::{
    ids::age_text,
    text::{joined, parted},
};
use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::{Element, HtmlElement, HtmlTemplateElement};

use super::{dom, http, run, scroll::elements, stream};
use crate::state::State;

/// How often the strip is fetched, and how often while something is under way, in milliseconds.
const OFTEN: f64 = 15_000.0;
const MOVING: f64 = 3_000.0;
/// How long after news it is fetched: several come together.
const NEWS: f64 = 200.0;
const SECOND: f64 = 1_000.0;

thread_local! {
    /// Counts the looks that were planned: of several the last one stands.
    static PLANNED: Cell<u32> = const { Cell::new(0) };
}

/// Looks for as long as the page lives.
pub(super) fn listen(state: State) {
    // The page may have been on its way for a while.
    stamp(window().performance().map_or(0.0, |performance| performance.now()));
    count();
    dom::on(&document(), "visibilitychange", move |_| plan(state, 0.0));
    dom::on(&document(), "click", move |event| {
        if dom::acts(&event, "look") {
            event.prevent_default();
            plan(state, 0.0);
        } else if let Some(link) = dom::within(&event, "a[data-run]") {
            event.prevent_default();
            run::follow(state, link.get_attribute("data-run").unwrap_or_default());
        }
    });
    // By then the look that the page itself began has an answer.
    plan(state, MOVING);
}

/// Something happened that the strip may show.
pub(super) fn news(state: State) {
    plan(state, NEWS);
}

fn plan(state: State, wait: f64) {
    let turn = PLANNED.get() + 1;
    PLANNED.set(turn);
    dom::later(wait, move || {
        if PLANNED.get() == turn && !stream::is_hidden() {
            look(state, turn);
        }
    });
}

fn look(state: State, turn: u32) {
    dom::spawn(async move {
        let looked = fetch(state, "strip").await.is_ok();
        if PLANNED.get() != turn {
            return;
        }
        if looked {
            look_after(state);
        } else {
            for part in elements("#strip, #glance") {
                let _ = part.set_attribute("data-old", "");
            }
        }
        plan(state, if has("strip", "data-moving") { MOVING } else { OFTEN });
    });
}

/// Fetches a part and puts it in its place; else gives the status that came instead, and its body.
pub(super) async fn fetch(state: State, part: &str) -> Result<(), (u16, Option<String>)> {
    let answer = http::get(&format!("/part/{part}?session={}", state.session_id()), None).await;
    let status = answer.status();
    let text = answer.text().await;
    match text {
        Some(html) if status == 200 => {
            put(&html);
            Ok(())
        }
        text => {
            if status == http::SIGNED_OUT {
                stream::signed_out(state);
            }
            Err((status, text))
        }
    }
}

/// Fetches the parts that were made of something else than what is true now.
fn look_after(state: State) {
    for part in ["verbs", "runs"] {
        if attribute("strip", &format!("data-{part}")) != attribute(part, "data-mark") && !is_held(part) {
            dom::spawn(async move {
                let _ = fetch(state, part).await;
            });
        }
    }
    if attribute("strip", "data-run") != attribute("run", "data-mark") {
        let shown = attribute("run", "data-run").or_else(|| attribute("strip", "data-running"));
        if let Some(run_id) = shown {
            run::look_again(state, run_id);
        }
    }
}

pub(super) fn attribute(id: &str, name: &str) -> Option<String> {
    document().get_element_by_id(id)?.get_attribute(name)
}

fn has(id: &str, name: &str) -> bool {
    attribute(id, name).is_some()
}

/// True while somebody is at something in it that must not be taken away.
fn is_held(id: &str) -> bool {
    !elements(&format!("#{id} [data-hold][open]")).is_empty()
}

/// Puts each element of an answer in the place of the one of its id.
fn put(html: &str) {
    let Some(template) =
        document().create_element("template").ok().and_then(|it| it.dyn_into::<HtmlTemplateElement>().ok())
    else {
        return;
    };
    #[expect(clippy::disallowed_methods, reason = "the server rendered it and escaped every text in it")]
    template.set_inner_html(html);
    while let Some(new) = template.content().first_element_child() {
        new.remove();
        if let Some(old) = document().get_element_by_id(&new.id()).filter(|_| !is_held(&new.id())) {
            replace(&old, &new);
        }
    }
    stamp(0.0);
    dom::local_times();
    tell();
}

/// What was folded stays folded, and who was at something by the keyboard still is.
fn replace(old: &Element, new: &Element) {
    let at = document().active_element().filter(|at| old.contains(Some(at))).map(|at| at.id());
    let folds = elements(&format!("details#{0}, #{0} details", old.id()));
    let _ = old.replace_with_with_node_1(new);
    for fold in folds.into_iter().filter(|fold| !fold.id().is_empty()) {
        if let Some(now) = document().get_element_by_id(&fold.id()) {
            let _ = now.toggle_attribute_with_force("open", fold.has_attribute("open"));
        }
    }
    let at = at.and_then(|at| document().get_element_by_id(&at)).and_then(|at| at.dyn_into::<HtmlElement>().ok());
    if let Some(at) = at {
        let _ = at.focus();
    }
}

/// Tells who does not see it what stands there now, when it is something else than before.
fn tell() {
    // How long it takes is not told each time.
    let first = |place: &Element| {
        let words = place.text_content()?;
        Some(parted(&words, " · ").map(|(first, _)| first.to_owned()).unwrap_or(words))
    };
    let words = joined(&mut elements(".headline, .run-words").iter().filter_map(first), ". ");
    if let Some(told) = document().get_element_by_id("told")
        && told.text_content().as_ref() != Some(&words)
    {
        told.set_text_content(Some(&words));
    }
}

/// Notes of each age that came when, by this device's clock, it was nothing. `late` is how long ago they were true. All of it
/// in whole numbers: fractions as text are 16 kB of what a phone has to load.
fn stamp(late: f64) {
    for time in elements("time[data-age]") {
        let from = ((js_sys::Date::now() - late) as u64).saturating_sub(number(&time, "data-age"));
        let _ = time.set_attribute("data-from", &from.to_string());
        let _ = time.remove_attribute("data-age");
    }
}

fn number(element: &Element, name: &str) -> u64 {
    element.get_attribute(name).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Counts the ages on.
fn count() {
    dom::later(SECOND, count);
    for time in elements("time[data-from]") {
        let words = age_text((js_sys::Date::now() as u64).saturating_sub(number(&time, "data-from")));
        if time.text_content().as_ref() != Some(&words) {
            time.set_text_content(Some(&words));
        }
    }
}
