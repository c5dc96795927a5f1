//! The browser's part: takes the embedded page up, follows the stream, and sends the page's own forms by fetch. It writes
//! [`crate::state::State`] and lets the components show it; where something has no signal (scrolling, the text field),
//! it touches the document itself.

mod decode;
mod dom;
mod entries;
mod forms;
mod http;
mod kept;
mod outbox;
mod parts;
mod run;
mod samples;
mod scroll;
mod source;
mod stream;
mod tail;
mod window;
mod words;

use std::{cell::Cell, rc::Rc};

use domain::page::Page;
use leptos::prelude::*;

use self::decode::decoded;
use crate::{state::State, ui::App};

/// What gives out memory. The standard allocator is 2 kB more of what a phone has to load.
#[global_allocator]
static MEMORY: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Takes the rendered page over. When it is done the document says so with `data-hydrated`.
pub(crate) fn start() {
    console_error_panic_hook::set_once();
    let Some(page) = embedded_page() else {
        leptos::logging::error!("the page carries no data; it works as it is, without script");
        return;
    };
    let made = Rc::new(Cell::new(None));
    let state = Rc::clone(&made);
    leptos::mount::hydrate_body(move || {
        let state = State::new(page);
        made.set(Some(state));
        provide_context(state);
        view! { <App/> }
    });
    // Reached only when the components have taken the page as it is; what follows may change it.
    if let Some(state) = state.get() {
        attach(state);
    }
}

fn attach(state: State) {
    words::keep(state);
    dom::local_times();
    dom::pass_flash(state);
    scroll::listen(state);
    forms::intercept(state);
    stream::attach(state);
    outbox::resume(state);
    parts::listen(state);
    run::resume(state);
    samples::listen(state);
    tail::listen(state);
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

fn embedded_page() -> Option<Page> {
    decoded(&document().get_element_by_id("page")?.text_content()?)
}
