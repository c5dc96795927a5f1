//! The browser's part: takes the embedded page up, follows the stream, and sends the page's own forms by fetch. It writes
//! [`crate::state::State`] and lets the components show it; where something has no signal (scrolling, the text field),
//! it touches the document itself.

mod dom;
mod forms;
mod keys;
mod run;
mod scroll;
mod stream;

use domain::page::Page;
use leptos::prelude::*;

use crate::{state::State, ui::App};

/// Takes the rendered page over. When it is done the document says so with `data-hydrated`.
pub(crate) fn start() {
    console_error_panic_hook::set_once();
    let Some(page) = embedded_page() else {
        leptos::logging::error!("the page carries no data; it works as it is, without script");
        return;
    };
    leptos::mount::hydrate_body(move || {
        let state = State::new(page);
        provide_context(state);
        // After the components have taken the page as it is: what follows may change it.
        leptos::prelude::request_animation_frame(move || attach(state));
        view! { <App/> }
    });
}

fn attach(state: State) {
    dom::local_times();
    scroll::follow(state);
    forms::intercept(state);
    keys::listen(state);
    stream::attach(state);
    run::resume(state);
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

fn embedded_page() -> Option<Page> {
    decoded(&document().get_element_by_id("page")?.text_content()?)
}

/// JSON as a type of ours. The browser parses it: a parser of our own would be a fifth of what a phone has to load.
fn decoded<T: serde::de::DeserializeOwned>(json: &str) -> Option<T> {
    serde_wasm_bindgen::from_value(js_sys::JSON::parse(json).ok()?).ok()
}

/// The body of an answer as a type of ours.
async fn body<T: serde::de::DeserializeOwned>(answer: gloo_net::http::Response) -> Option<T> {
    decoded(&answer.text().await.ok()?)
}
