//! Which part of the session is on the page. The transcript follows the end; who reads far above it is shown a part of its
//! own (`past`), to which older and newer entries are fetched as they scroll. Neither grows for ever: what is far from the
//! reader is forgotten, and fetched again when they come back to it.

use std::cell::{Cell, RefCell};

use domain::{call::Entries, event::Entry, transcript::Transcript};
use leptos::prelude::*;

use super::{dom, entries as came, http, scroll};
use crate::state::{State, Watched};

/// How many rows there may be at most, and how many are left when the oldest of them are forgotten.
const MOST: usize = 600;
const LEFT: usize = 300;
/// How many entries are fetched at a time.
const FETCHED: u64 = 200;

thread_local! {
    /// True while entries are being fetched.
    static FETCHING: Cell<bool> = const { Cell::new(false) };
    /// What came while newer entries were being fetched, which may be newer still.
    static MEANWHILE: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

fn fold(into: Watched<Transcript>, entries: &[Entry]) {
    into.update(|transcript| {
        for entry in entries {
            transcript.apply(entry);
        }
    });
}

fn rows(state: State) -> usize {
    state.transcript.with_untracked(Transcript::len)
}

fn forget_oldest(from: Watched<Transcript>, rows: usize) {
    from.update(|transcript| transcript.forget_oldest(rows));
}

/// The newest entries came.
pub(super) fn arrived(state: State, entries: Vec<Entry>) {
    let newest = state.newest();
    let entries: Vec<_> = entries.into_iter().filter(|entry| Some(entry.id.0) > newest).collect();
    if entries.is_empty() {
        return;
    }
    scroll::hold(state);
    for entry in &entries {
        came::note(state, entry);
    }
    let following = state.below.get_untracked().is_none();
    let before = rows(state);
    fold(state.transcript, &entries);
    let now = rows(state);
    if !following {
        state.below.update(|below| *below = Some(below.unwrap_or(0) + now.saturating_sub(before) as u64));
    }
    if now > MOST {
        if !following {
            leave(state);
        }
        forget_oldest(state.transcript, LEFT);
    }
    if FETCHING.get() {
        MEANWHILE.with_borrow_mut(|meanwhile| meanwhile.extend(entries));
    }
    came::waits(state);
}

/// A call brought the newest entries, which need not join what is here: what is between is fetched by who goes there.
pub(super) fn fetched(state: State, entries: Vec<Entry>) {
    let gap = entries.first().is_some_and(|first| first.id.0 > state.newest().map_or(0, |newest| newest + 1));
    if gap {
        leave(state);
        state.transcript.set(Transcript::default());
    }
    arrived(state, entries);
}

/// From now on the reader is shown a part of their own, which begins as what they see now.
fn leave(state: State) {
    if !state.in_past() && state.below.get_untracked().is_some() {
        let mut past = state.transcript.get_untracked();
        past.forget_newest(MOST);
        state.past.set(past);
    }
}

/// The reader is at the end again.
pub(super) fn come_back(state: State) {
    if state.in_past() {
        state.past.set(Transcript::default());
    }
    state.below.set(None);
}

/// What was shown is of another log.
pub(super) fn begin_anew(state: State) {
    come_back(state);
    state.transcript.set(Transcript::default());
    came::waits(state);
}

/// Shows what is older, or what is newer, than what is shown.
pub(super) fn fetch(state: State, older: bool) {
    if FETCHING.replace(true) {
        return;
    }
    MEANWHILE.take();
    dom::spawn(async move {
        let done = if older { fetch_older(state).await } else { fetch_newer(state).await };
        if done.is_none() {
            dom::toast(state, "The rest could not be loaded. Scroll again to try again.".into());
        }
        FETCHING.set(false);
    });
}

async fn entries(state: State, before: u64, limit: u64) -> Option<Vec<Entry>> {
    let url = format!("/api/session/{}/entries?before={before}&limit={limit}", state.session_id());
    Some(http::get(&url, None).await.body::<Entries>().await?.entries)
}

async fn fetch_older(state: State) -> Option<()> {
    let oldest = untrack(|| state.shown(Transcript::oldest))?.0;
    let entries = entries(state, oldest, FETCHED).await?;
    scroll::hold(state);
    if state.in_past() {
        fold(state.past, &entries);
    } else {
        fold(state.transcript, &entries);
        if rows(state) > MOST {
            leave(state);
            forget_oldest(state.transcript, LEFT);
        }
    }
    state.past.update(|past| past.forget_newest(MOST));
    Some(())
}

async fn fetch_newer(state: State) -> Option<()> {
    let newest = state.past.with_untracked(Transcript::newest)?.0;
    let mut before = newest + 1 + FETCHED;
    let mut found = Vec::new();
    // An answer is cut at its beginning when it grows too long.
    while before > newest + 1 {
        let mut earlier = entries(state, before, before - newest - 1).await?;
        let Some(first) = earlier.first() else { break };
        before = first.id.0;
        earlier.append(&mut found);
        found = earlier;
    }
    // What came meanwhile may be the next, or lie far ahead.
    let mut next = found.last().map_or(newest, |last| last.id.0) + 1;
    for entry in MEANWHILE.take() {
        if entry.id.0 == next {
            next += 1;
            found.push(entry);
        }
    }
    scroll::hold(state);
    fold(state.past, &found);
    forget_oldest(state.past, MOST);
    if Some(next) > state.newest() {
        state.transcript.set(state.past.get_untracked());
        state.past.set(Transcript::default());
    }
    Some(())
}
