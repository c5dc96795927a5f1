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
mod regions;
mod run;
mod samples;
mod scroll;
mod source;
mod stream;
mod tail;
mod window;
mod words;

use domain::page::Page;
use leptos::prelude::*;

use self::decode::decoded;
use crate::state::State;

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
    // A second start finds what the first one has set.
    let _ = any_spawner::Executor::init_wasm_bindgen();
    let owner = Owner::new();
    let state = owner.with(|| State::new(page));
    // First the page is taken as it is; what follows may change it.
    owner.with(|| regions::keep(state));
    attach(state);
    // The page has it for as long as it lives.
    std::mem::forget(owner);
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
