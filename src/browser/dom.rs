//! Small things done to the document, and to the clock on the wall.

use domain::text::parted;
use leptos::{prelude::*, wasm_bindgen::JsCast};
use wasm_bindgen::{JsValue, closure::Closure};

use crate::state::State;

/// Listens to an event for as long as the page lives.
pub(super) fn on(target: &web_sys::EventTarget, event: &str, handle: impl FnMut(web_sys::Event) + 'static) {
    fn boxed(target: &web_sys::EventTarget, event: &str, handle: Box<dyn FnMut(web_sys::Event)>) {
        let closure = Closure::wrap(handle);
        let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        closure.forget();
    }
    boxed(target, event, Box::new(handle));
}

/// Does it when the components have shown what was just set.
pub(super) fn soon(work: impl FnOnce() + 'static) {
    later(0.0, work);
}

/// Does it after so many milliseconds. All that is done later is of one type, and so is all that is awaited: what knew each
/// apart would be a part of what a phone has to load.
pub(super) fn later(millis: f64, work: impl FnOnce() + 'static) {
    fn boxed(millis: f64, work: Box<dyn FnOnce()>) {
        let work = Closure::once_into_js(work);
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(work.unchecked_ref(), millis as i32);
    }
    boxed(millis, Box::new(work));
}

/// Does it beside everything else.
pub(super) fn spawn(work: impl Future<Output = ()> + 'static) {
    fn boxed(work: std::pin::Pin<Box<dyn Future<Output = ()>>>) {
        wasm_bindgen_futures::spawn_local(work);
    }
    boxed(Box::pin(work));
}

/// The element of this kind that an event is on, or inside of.
pub(super) fn within(event: &web_sys::Event, selector: &str) -> Option<web_sys::Element> {
    event.target()?.dyn_into::<web_sys::Element>().ok()?.closest(selector).ok()?
}

/// True for an event on an element of `[data-act=…]`, or inside of one.
pub(super) fn acts(event: &web_sys::Event, act: &str) -> bool {
    within(event, &format!("[data-act={act}]")).is_some()
}

/// What a form without script left is said once: it passes, and a reload does not bring it back.
pub(super) fn pass_flash(state: State) {
    if let Some(words) = state.toast.get_untracked() {
        toast(state, words);
    }
    let location = window().location();
    if location.search().is_ok_and(|search| parted(&search, "flash=").or(parted(&search, "run=")).is_some())
        && let (Ok(path), Ok(hash), Ok(history)) = (location.pathname(), location.hash(), window().history())
    {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{path}{hash}")));
    }
}

/// Puts this device's time of day in place of the server's, in all that is shown.
pub(super) fn local_times() {
    let Ok(times) = document().query_selector_all("time[data-at]") else {
        return;
    };
    for time in (0..times.length()).filter_map(|place| times.item(place)?.dyn_into::<web_sys::Element>().ok()) {
        let Some(at) = time.get_attribute("data-at").and_then(|at| at.parse::<u64>().ok()) else {
            continue;
        };
        time.set_text_content(Some(&clock(at as f64, false)));
        let _ = time.remove_attribute("data-at");
    }
}

/// This device's time of day, with or without seconds.
pub(super) fn clock(at: f64, seconds: bool) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(at));
    let minutes = format!("{:02}:{:02}", date.get_hours(), date.get_minutes());
    if seconds { format!("{minutes}:{:02}", date.get_seconds()) } else { minutes }
}

/// The text field.
pub(super) fn field() -> Option<web_sys::HtmlTextAreaElement> {
    document().get_element_by_id("prompt")?.dyn_into().ok()
}

/// How long a toast stays.
const TOAST: f64 = 4_000.0;

/// Says something that passes.
pub(super) fn toast(state: State, words: String) {
    state.toast.set(Some(words.clone()));
    later(TOAST, move || {
        // A later one has its own time.
        if state.toast.get_untracked().as_ref() == Some(&words) {
            state.toast.set(None);
        }
    });
}

/// Milliseconds between 0 and `most`, at random.
pub(super) fn jitter(most: f64) -> f64 {
    js_sys::Math::random() * most
}
