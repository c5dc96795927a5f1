//! Following the session: the stream is opened at the cursor, each entry is folded in by its id, and a stream that ends
//! is opened again. A browser's own retry gives up for good on the first answer that is no stream, so it is not used.

use std::{cell::RefCell, rc::Rc, time::Duration};

use domain::{
    event::{Event, Live, Streamed},
    transcript::Transcript,
};
use gloo_net::http::Request;
use leptos::{prelude::*, wasm_bindgen::JsCast};
use wasm_bindgen::closure::Closure;
use web_sys::{EventSource, MessageEvent};

use super::{dom, scroll};
use crate::state::{Link, State};

/// The first and the longest wait before the stream is opened again, in milliseconds.
const FIRST_WAIT: f64 = 500.0;
const LONGEST_WAIT: f64 = 15_000.0;

struct Follower {
    state: State,
    source: Option<EventSource>,
    wait: f64,
    /// Counts the streams that were opened, so that a retry that was planned for an older one is dropped.
    generation: u32,
    handlers: Vec<Closure<dyn FnMut(MessageEvent)>>,
}

type Shared = Rc<RefCell<Follower>>;

/// Opens the stream, and keeps it open. Where there is no session yet, there is nothing to follow.
pub(super) fn attach(state: State) {
    if state.session_id().is_empty() {
        state.link.set(Link::Attached);
        return;
    }
    let follower = Rc::new(RefCell::new(Follower {
        state,
        source: None,
        wait: FIRST_WAIT,
        generation: 0,
        handlers: Vec::new(),
    }));
    open(&follower);

    let again = Rc::clone(&follower);
    dom::on(&document(), "click", move |event: web_sys::Event| {
        let act = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        if act.and_then(|act| act.closest("[data-act=reconnect]").ok().flatten()).is_some() {
            open(&again);
        }
    });
    // A phone that comes back, or hears of a network again, should not wait for the next try.
    let again = Rc::clone(&follower);
    dom::on(&window(), "online", move |_: web_sys::Event| reopen_if_down(&again));
    let again = Rc::clone(&follower);
    dom::on(&document(), "visibilitychange", move |_: web_sys::Event| reopen_if_down(&again));
    dom::on(&window(), "pageshow", move |_: web_sys::Event| reopen_if_down(&follower));
}

fn reopen_if_down(follower: &Shared) {
    let closed = follower.borrow().source.as_ref().is_none_or(|source| source.ready_state() == EventSource::CLOSED);
    if closed && document().visibility_state() == web_sys::VisibilityState::Visible {
        open(follower);
    }
}

fn open(follower: &Shared) {
    let state = follower.borrow().state;
    close(follower);
    if state.link.get_untracked() != Link::Down {
        state.link.set(Link::Connecting);
    }
    let after = state.transcript.with_untracked(Transcript::newest);
    let id = state.session_id();
    let url = match after {
        Some(after) => format!("/api/session/{id}/stream?after={after}"),
        None => format!("/api/session/{id}/stream"),
    };
    let Ok(source) = EventSource::new(&url) else { return };
    let mut handlers = Vec::new();
    let mut on = |event: &str, handle: Box<dyn FnMut(MessageEvent)>| {
        let closure = Closure::<dyn FnMut(MessageEvent)>::new(handle);
        let _ = source.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        handlers.push(closure);
    };
    on("message", Box::new(move |event| take(state, &event)));
    on("reset", Box::new(move |_| {
        // Our record is of another log: begin anew with the one that follows.
        state.transcript.set(Transcript::default());
        state.has_older.set(false);
    }));
    let well = Rc::clone(follower);
    on("caught-up", Box::new(move |_| {
        well.borrow_mut().wait = FIRST_WAIT;
        state.link.set(Link::Attached);
        dom::local_times();
    }));
    let broken = Rc::clone(follower);
    let generation = follower.borrow().generation;
    on("error", Box::new(move |_| {
        if broken.borrow().generation == generation {
            retry(&broken);
        }
    }));
    let mut follower = follower.borrow_mut();
    follower.source = Some(source);
    follower.handlers = handlers;
}

fn close(follower: &Shared) {
    let mut follower = follower.borrow_mut();
    follower.generation += 1;
    if let Some(source) = follower.source.take() {
        source.close();
    }
    // The handlers may be the ones that run right now, so they are dropped later.
    let handlers = std::mem::take(&mut follower.handlers);
    set_timeout(move || drop(handlers), Duration::ZERO);
}

fn retry(follower: &Shared) {
    close(follower);
    let (state, wait, generation) = {
        let mut follower = follower.borrow_mut();
        let wait = follower.wait;
        follower.wait = (wait * 2.0).min(LONGEST_WAIT);
        (follower.state, wait, follower.generation)
    };
    state.link.set(Link::Down);
    // What the stream cannot say, a call can: that the sign-in is over.
    let id = state.session_id();
    leptos::task::spawn_local(async move {
        let answer = Request::get(&format!("/api/session/{id}/entries?limit=0")).send().await;
        if answer.is_ok_and(|answer| answer.status() == 401) {
            state.link.set(Link::SignedOut);
        }
    });
    let follower = Rc::clone(follower);
    let millis = wait + dom::jitter(wait);
    set_timeout(
        move || {
            if follower.borrow().generation == generation {
                open(&follower);
            }
        },
        Duration::from_millis(millis as u64),
    );
}

fn take(state: State, event: &MessageEvent) {
    let streamed = event.data().as_string().and_then(|data| super::decoded(&data));
    match streamed {
        Some(Streamed::Entry(entry)) => scroll::keeping(|| {
            if matches!(entry.event, Event::Text { .. } | Event::TurnEnd) {
                state.draft.set(None);
            }
            if matches!(entry.event, Event::ToolResult { .. } | Event::TurnEnd) {
                state.progress.set(None);
            }
            if matches!(entry.event, Event::TurnEnd) {
                state.stopping.set(false);
            }
            state.transcript.update(|transcript| {
                transcript.apply(&entry);
            });
        }),
        Some(Streamed::Live(live)) => scroll::keeping(|| match live {
            Live::Draft { text } => state.draft.set(Some(text)),
            Live::Progress { seconds, .. } => state.progress.set(Some(seconds)),
        }),
        None => {}
    }
}
