//! Following the session. The stream is opened at the cursor and each entry is folded in by its id; a stream that ends is
//! opened again, and one that is silent for longer than its heartbeats are apart is not believed.
//!
//! The link (`state::Link`) says what is known, and nothing better than that: it is live once the stream has caught up,
//! which the console says at once; where that does not come, a call says why.

use std::cell::{RefCell, RefMut};

use domain::{call::Entries, ids::duration_text};
use leptos::prelude::*;

use super::{
    dom, entries, http, outbox,
    source::{News, Source},
    window as shown,
};
use crate::state::{Link, State};

/// The first and the longest wait before the stream is opened again, in milliseconds.
const FIRST_WAIT: f64 = 500.0;
const LONGEST_WAIT: f64 = 15_000.0;
/// How long after something was sent its news must have come.
const NEWS: f64 = 4_000.0;
/// How long a page must have been hidden before its stream is not trusted any more, in milliseconds.
const TRUSTED: f64 = 5_000.0;

/// How often the link is looked after.
const WATCH: f64 = 1_000.0;
/// How long a stream may be silent while a turn runs, in milliseconds: its tools say each second that they are at work.
const SILENT: f64 = 15_000.0;
/// How long a stream that has not caught up may be silent before a call asks what is wrong, how often calls stand in for a
/// stream that is held back, and after which silence nothing is believed to answer at all, in milliseconds.
const LOOK: f64 = 3_000.0;
const NOBODY: f64 = 12_000.0;
/// How long calls stand in for the stream before it is tried anew, in milliseconds.
const HELD: f64 = 30_000.0;
/// How long a console that said it restarts is believed to, in milliseconds.
const RESTART: f64 = 60_000.0;

#[derive(Default)]
struct Follower {
    source: Option<Source>,
    /// Counts the streams that were opened, so that what was meant for an older one is dropped.
    generation: u32,
    wait: f64,
    /// True once this stream has said that it has caught up.
    caught_up: bool,
    /// True while a call asks in the stream's place.
    asking: bool,
    /// When it was opened, when something was heard of the console, when the link was lost, when the console said that it
    /// restarts, when the page was hidden, and when the clock was last looked at.
    tried_at: f64,
    heard_at: f64,
    lost_at: f64,
    restart_at: f64,
    hidden_at: f64,
    looked_at: f64,
}

thread_local! {
    /// The page's one stream. It is there for as long as the page lives.
    static FOLLOWER: &'static RefCell<Follower> = Box::leak(Box::default());
}

fn with<T>(change: impl FnOnce(&mut Follower) -> T) -> T {
    change(&mut follower())
}

fn follower() -> RefMut<'static, Follower> {
    FOLLOWER.with(|follower| follower.borrow_mut())
}

fn is_current(generation: u32) -> bool {
    with(|follower| follower.generation == generation)
}

/// Opens the stream, and keeps it open. Where there is no session yet, there is nothing to follow.
pub(super) fn attach(state: State) {
    if state.session_id().is_empty() {
        state.link.set(Link::Live);
        return;
    }
    with(|follower| follower.wait = FIRST_WAIT);
    open(state);
    dom::on(&document(), "click", move |event| {
        if dom::acts(&event, "reconnect") {
            open(state);
        }
    });
    // After a freeze, or out of the back/forward cache, the stream is dead. The first `pageshow` tells of the page's own
    // loading, when the stream has just been opened.
    for event in ["online", "pageshow"] {
        dom::on(&window(), event, move |_| come_back(state));
    }
    dom::on(&document(), "resume", move |_| come_back(state));
    dom::on(&window(), "offline", move |_| {
        if !is_online() {
            lose(state, Link::Offline);
        }
    });
    dom::on(&document(), "visibilitychange", move |_| {
        let now = js_sys::Date::now();
        if is_hidden() {
            with(|follower| follower.hidden_at = now);
        } else if with(|follower| now - follower.hidden_at > TRUSTED) {
            come_back(state);
        }
    });
    with(|follower| follower.looked_at = js_sys::Date::now());
    dom::later(WATCH, move || watch(state));
}

/// True while nobody sees the page.
pub(super) fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

fn is_online() -> bool {
    window().navigator().on_line()
}

/// The page was away, or the network was: what was true then need not be true now.
fn come_back(state: State) {
    let now = js_sys::Date::now();
    // Several things say so at once.
    if with(|follower| now - follower.tried_at < FIRST_WAIT) {
        return;
    }
    with(|follower| follower.wait = FIRST_WAIT);
    doubt(state);
    open(state);
}

/// A link of which nothing was heard for longer than a heartbeat is not called live.
fn doubt(state: State) {
    let silent = js_sys::Date::now() - with(|follower| follower.heard_at);
    if state.link.get_untracked() == Link::Live && silent > keepalive(state) * 1.1 {
        tell(state, Link::Lost);
    }
}

fn keepalive(state: State) -> f64 {
    state.page.with_untracked(|page| page.surroundings.keepalive_ms as f64)
}

/// Something was sent: its entry must come soon, else the stream is dead and does not know it.
pub(super) fn expect_news(state: State) {
    let (known, generation) = (state.newest(), with(|follower| follower.generation));
    dom::later(NEWS, move || {
        if state.newest() == known && is_current(generation) {
            open(state);
        }
    });
}

/// Looks after the link, once a second.
fn watch(state: State) {
    dom::later(WATCH, move || watch(state));
    let now = js_sys::Date::now();
    let (quiet, slept, tried, caught_up, open_now, asking) = with(|follower| {
        let slept = now - std::mem::replace(&mut follower.looked_at, now);
        let quiet = now - follower.heard_at.max(follower.tried_at);
        let Follower { tried_at, caught_up, source, asking, .. } = follower;
        (quiet, slept, now - *tried_at, *caught_up, source.is_some(), *asking)
    });
    count(state);
    if !open_now {
        return;
    }
    if slept > TRUSTED && !is_hidden() {
        // The clock stood still, and so did this page: its device slept.
        return come_back(state);
    }
    let held = state.link.get_untracked() == Link::Held;
    if caught_up {
        let silent = 2.2 * keepalive(state) + 1_000.0;
        if quiet > silent || quiet > SILENT && untrack(|| state.working()) {
            doubt(state);
            open(state);
        }
    } else if quiet > NOBODY {
        unanswered(state, http::NONE);
    } else if held && tried > HELD {
        open(state);
    } else if quiet > LOOK && !asking {
        ask(state);
    }
}

/// Asks by a call for what the stream should have brought.
fn ask(state: State) {
    let began = js_sys::Date::now();
    let generation = with(|follower| {
        follower.asking = true;
        follower.generation
    });
    dom::spawn(async move {
        let url = format!("/api/session/{}/entries?limit=200", state.session_id());
        let answer = http::get(&url, None).await;
        let status = answer.status();
        let found = if status == 200 { answer.body::<Entries>().await } else { None };
        with(|follower| follower.asking = false);
        if with(|follower| follower.generation != generation || follower.caught_up) {
            return;
        }
        let Some(Entries { entries }) = found else { return unanswered(state, status) };
        let now = js_sys::Date::now();
        with(|follower| follower.heard_at = now);
        // The console answers at once, and not one byte of its stream comes: somebody keeps them.
        if now - began < LOOK / 2.0 {
            tell(state, Link::Held);
        }
        shown::fetched(state, entries);
    });
}

fn open(state: State) {
    let id = state.session_id();
    let url = match state.newest() {
        Some(after) => format!("/api/session/{id}/stream?after={after}"),
        None => format!("/api/session/{id}/stream"),
    };
    let generation = close();
    let source = Source::open(url, move |news| {
        if is_current(generation) {
            hear(state, news);
        }
    });
    with(|follower| {
        follower.source = Some(source);
        follower.tried_at = js_sys::Date::now();
    });
}

/// Ends the stream, and gives the number of the next.
fn close() -> u32 {
    with(|follower| {
        follower.generation += 1;
        follower.source = None;
        follower.caught_up = false;
        follower.generation
    })
}

fn hear(state: State, news: News) {
    match news {
        News::Answered(head) => {
            let behind =
                head.map_or(0, |head| (head + 1).saturating_sub(state.newest().map_or(0, |newest| newest + 1)));
            if behind > 0 && state.link.get_untracked() != Link::Held {
                tell(state, Link::CatchingUp(behind));
            }
        }
        News::Frames(frames) => {
            with(|follower| {
                follower.heard_at = js_sys::Date::now();
                // One that gets on, if only from cut to cut, need not wait longer each time.
                if !frames.is_empty() {
                    follower.wait = FIRST_WAIT;
                }
            });
            let came = entries::take(state, frames);
            if let Link::CatchingUp(behind) = state.link.get_untracked() {
                tell(state, Link::CatchingUp(behind.saturating_sub(came).max(1)));
            }
        }
        News::Ended(200) => {
            let restarts = js_sys::Date::now() - with(|follower| follower.restart_at) < RESTART;
            lose(state, if restarts { Link::Restarting } else { Link::Lost });
        }
        News::Ended(status) => unanswered(state, status),
    }
}

/// What was tried got no answer of the console's.
fn unanswered(state: State, status: u16) {
    let restarts = js_sys::Date::now() - with(|follower| follower.restart_at) < RESTART;
    let link = match status {
        http::SIGNED_OUT => Link::SignedOut,
        404 => {
            close();
            return tell(state, Link::Gone);
        }
        http::NONE if !is_online() => Link::Offline,
        _ if restarts => Link::Restarting,
        _ => Link::Down,
    };
    lose(state, link);
}

/// The stream is gone: says so, and tries again after a while.
fn lose(state: State, link: Link) {
    let signed_out = link == Link::SignedOut;
    tell(state, link);
    let generation = close();
    let wait = with(|follower| {
        let wait = if signed_out { LONGEST_WAIT } else { follower.wait };
        follower.wait = (follower.wait * 2.0).min(LONGEST_WAIT);
        wait
    });
    dom::later(wait + dom::jitter(wait), move || {
        if is_current(generation) {
            open(state);
        }
    });
}

/// Says how the link is.
fn tell(state: State, link: Link) {
    if state.link.with_untracked(|now| *now == link) {
        return;
    }
    let well = matches!(link, Link::Live | Link::CatchingUp(_));
    with(|follower| match well {
        true => follower.lost_at = 0.0,
        false if follower.lost_at == 0.0 => follower.lost_at = js_sys::Date::now(),
        false => {}
    });
    let reached = matches!(link, Link::Live | Link::Held);
    state.link.set(link);
    count(state);
    if reached {
        outbox::flush(state);
    }
}

/// A call was answered that the sign-in is over.
pub(super) fn signed_out(state: State) {
    if state.session_id().is_empty() {
        tell(state, Link::SignedOut);
    } else {
        unanswered(state, http::SIGNED_OUT);
    }
}

/// Says since when the link is not well, and how long that is.
fn count(state: State) {
    let lost = with(|follower| follower.lost_at);
    let words = (lost > 0.0).then(|| {
        let seconds = ((js_sys::Date::now() - lost) / 1000.0) as u64;
        let whole = if seconds < 10 { format!("{seconds} s") } else { duration_text(seconds * 1000) };
        format!("since {} · {whole}", dom::clock(lost, true))
    });
    if state.since.with_untracked(|now| *now != words) {
        state.since.set(words);
    }
}

/// What the stream says of itself.
pub(super) fn sign(state: State, event: &str, data: &str) {
    let now = js_sys::Date::now();
    match event {
        "caught-up" => {
            let late = with(|follower| {
                follower.caught_up = state.link.get_untracked() != Link::Held || now - follower.tried_at < LOOK;
                follower.restart_at = 0.0;
                !follower.caught_up
            });
            // One that was held back until now will be again.
            if !late {
                tell(state, Link::Live);
            }
        }
        // Our record is of another log: begin anew with the one that follows.
        "reset" => {
            state.draft.set(None);
            state.progress.set(None);
            state.stopping.set(false);
            shown::begin_anew(state);
        }
        "restart" => {
            let wait: Option<u32> = data.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok();
            with(|follower| {
                follower.restart_at = now;
                follower.wait = wait.map_or(FIRST_WAIT, f64::from);
            });
        }
        _ => {}
    }
}
