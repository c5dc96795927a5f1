//! Following the session: the stream is opened at the cursor, each entry is folded in by its id, and a stream that ends
//! is opened again. A browser's own retry gives up for good on the first answer that is no stream, so it is not used.
//!
//! A stream can be dead without having ended: after a tunnel, or a phone's sleep. It is opened anew whenever the page
//! comes back or hears of a network, and when something was sent and no news of it came.

use std::{cell::RefCell, time::Duration};

use domain::{
    event::{Event, Live, Streamed},
    transcript::Transcript,
};
use leptos::prelude::*;

use super::{dom, forms, http, scroll, source::Source};
use crate::state::{Link, State};

/// The first and the longest wait before the stream is opened again, in milliseconds.
const FIRST_WAIT: f64 = 500.0;
const LONGEST_WAIT: f64 = 15_000.0;
/// How long after something was sent its news must have come.
const NEWS: Duration = Duration::from_secs(4);
/// How long a page must have been hidden before its stream is not trusted any more, in milliseconds.
const TRUSTED: f64 = 5_000.0;

/// How often a stream is looked after while a turn runs, and how long it may then be silent, in milliseconds.
const WATCH: Duration = Duration::from_secs(5);
const SILENT: f64 = 15_000.0;

#[derive(Default)]
struct Follower {
    source: Option<Source>,
    wait: f64,
    /// Counts the streams that were opened, so that what was meant for an older one is dropped.
    generation: u32,
    hidden_at: f64,
    heard_at: f64,
}

thread_local! {
    /// The page's one stream.
    static FOLLOWER: RefCell<Follower> = RefCell::default();
}

fn with<T>(change: impl FnOnce(&mut Follower) -> T) -> T {
    FOLLOWER.with_borrow_mut(change)
}

/// Opens the stream, and keeps it open. Where there is no session yet, there is nothing to follow.
pub(super) fn attach(state: State) {
    if state.session_id().is_empty() {
        state.link.set(Link::Attached);
        return;
    }
    with(|follower| follower.wait = FIRST_WAIT);
    open(state);
    dom::on(&document(), "click", move |event| {
        if dom::acts(&event, "reconnect") {
            open(state);
        }
    });
    dom::on(&window(), "online", move |_| open(state));
    dom::on(&window(), "pageshow", move |event| {
        // The first one tells of the page's own loading; one from the back/forward cache comes with a dead stream.
        let persisted = js_sys::Reflect::get(&event, &"persisted".into());
        if persisted.is_ok_and(|persisted| persisted.is_truthy()) {
            open(state);
        }
    });
    // A turn is never silent for long: its tools say each second that they are at work.
    let watch = move || {
        let silent = js_sys::Date::now() - with(|follower| follower.heard_at) > SILENT;
        if silent && state.link.get_untracked() == Link::Attached && untrack(|| state.working()) {
            with(|follower| follower.heard_at = js_sys::Date::now());
            open(state);
        }
    };
    set_interval(watch, WATCH);
    dom::on(&document(), "visibilitychange", move |_| {
        let now = js_sys::Date::now();
        if document().visibility_state() == web_sys::VisibilityState::Hidden {
            with(|follower| follower.hidden_at = now);
        } else if with(|follower| now - follower.hidden_at > TRUSTED) {
            open(state);
        }
    });
}

/// Something was sent: its entry must come soon, else the stream is dead and does not know it.
pub(super) fn expect_news(state: State) {
    let (newest, generation) =
        (state.transcript.with_untracked(Transcript::newest), with(|follower| follower.generation));
    set_timeout(
        move || {
            let none_came = state.transcript.with_untracked(Transcript::newest) == newest;
            if none_came && with(|follower| follower.generation == generation) {
                open(state);
            }
        },
        NEWS,
    );
}

fn open(state: State) {
    close();
    let after = state.transcript.with_untracked(Transcript::newest);
    let id = state.session_id();
    let url = match after {
        Some(after) => format!("/api/session/{id}/stream?after={after}"),
        None => format!("/api/session/{id}/stream"),
    };
    let Some(source) = Source::open(&url) else { return };
    let generation = with(|follower| follower.generation);
    source.on("message", move |data| take(state, &data));
    source.on("reset", move |_| {
        // Our record is of another log: begin anew with the one that follows.
        state.transcript.set(Transcript::default());
        state.has_older.set(false);
        state.draft.set(None);
        state.progress.set(None);
        state.stopping.set(false);
        waits(state);
    });
    source.on("caught-up", move |_| {
        with(|follower| {
            follower.wait = FIRST_WAIT;
            follower.heard_at = js_sys::Date::now();
        });
        state.link.set(Link::Attached);
    });
    source.on("error", move |_| {
        if with(|follower| follower.generation == generation) {
            retry(state);
        }
    });
    with(|follower| follower.source = Some(source));
}

fn close() {
    let source = with(|follower| {
        follower.generation += 1;
        follower.source.take()
    });
    if let Some(source) = source {
        source.close();
    }
}

fn retry(state: State) {
    close();
    let (wait, generation) = with(|follower| {
        let wait = follower.wait;
        follower.wait = (wait * 2.0).min(LONGEST_WAIT);
        (wait, follower.generation)
    });
    if state.link.get_untracked() != Link::SignedOut {
        state.link.set(Link::Down);
    }
    // What the stream cannot say, a call can: that the sign-in is over, or that the session is gone.
    let id = state.session_id();
    leptos::task::spawn_local(async move {
        let answer = http::get(&format!("/api/session/{id}/entries?limit=0")).await;
        if with(|follower| follower.generation != generation) {
            return;
        }
        match answer.status() {
            401 => state.link.set(Link::SignedOut),
            404 => {
                close();
                state.link.set(Link::Gone);
            }
            _ => {}
        }
    });
    let millis = wait + dom::jitter(wait);
    set_timeout(
        move || {
            if with(|follower| follower.generation == generation) {
                open(state);
            }
        },
        Duration::from_millis(millis as u64),
    );
}

fn take(state: State, data: &str) {
    with(|follower| follower.heard_at = js_sys::Date::now());
    match super::decode::decoded(data) {
        Some(Streamed::Entry(entry)) => scroll::keeping(|| {
            forms::arrived(&entry.event);
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
            waits(state);
        }),
        Some(Streamed::Live(live)) => scroll::keeping(|| match live {
            // With nothing in it, it says that nothing is being written any more.
            Live::Draft { text } => state.draft.set(Some(text).filter(|text| !text.is_empty())),
            Live::Progress { seconds, .. } => state.progress.set(Some(seconds)),
        }),
        None => {}
    }
}

/// Shows what waits for a decision now. A card is never changed into another one: nothing that was typed or chosen for one
/// may be sent with the other.
fn waits(state: State) {
    let waiting = state.transcript.with_untracked(|transcript| transcript.waiting().map(|row| row.id.0));
    if waiting == state.waiting.get_untracked() {
        return;
    }
    dom::title(waiting.is_some());
    state.waiting.set(None);
    if waiting.is_some() {
        dom::soon(move || {
            let now = state.transcript.with_untracked(|transcript| transcript.waiting().map(|row| row.id.0));
            if now == waiting {
                state.waiting.set(waiting);
            }
        });
    }
}
