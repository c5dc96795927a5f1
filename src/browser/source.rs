//! A stream of server-sent events with its handlers, which are dropped when it is closed, and not while one of them runs.

use std::{cell::RefCell, rc::Rc};

use leptos::wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

use super::dom;

/// A handle to one stream. Copies mean the same one.
#[derive(Clone)]
pub(super) struct Source(Rc<Parts>);

type Handler = Closure<dyn FnMut(MessageEvent)>;

struct Parts {
    source: EventSource,
    handlers: RefCell<Vec<Handler>>,
}

impl Source {
    /// Opens the stream at this address.
    pub(super) fn open(url: &str) -> Option<Self> {
        let source = EventSource::new(url).ok()?;
        Some(Source(Rc::new(Parts { source, handlers: RefCell::default() })))
    }

    /// Calls `handle` with the data of each event of this name; `error` has none.
    pub(super) fn on(&self, event: &str, mut handle: impl FnMut(String) + 'static) {
        let closure = Handler::new(move |event: MessageEvent| {
            handle(event.data().as_string().unwrap_or_default());
        });
        let _ = self.0.source.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        self.0.handlers.borrow_mut().push(closure);
    }

    /// Ends it. No handler is called any more.
    pub(super) fn close(&self) {
        self.0.source.close();
        let handlers = self.0.handlers.take();
        dom::soon(move || drop(handlers));
    }
}
