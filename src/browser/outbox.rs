//! Prompts on their way. Each has one key from the tap on, and is kept on this device until the console has answered it, or
//! its entry came; so a prompt whose fate nobody knows is sent again by itself, after a reload too, and runs once.
//!
//! What is being typed is kept as well: a tunnel, a reload or a sign-in that is over cost none of it.

use std::cell::RefCell;

use domain::{
    call::FormAnswer,
    event::{Entry, Event},
    transcript::Item,
};
use leptos::prelude::*;

use super::{
    dom,
    forms::{self, Trouble},
    kept, scroll, stream,
};
use crate::state::{Link, Outgoing, State, Step};

/// A prompt, with what is needed to send it.
#[derive(Clone)]
struct Prompt {
    shown: Outgoing,
    /// The session in which it was said; empty where it opens one.
    session: String,
    /// The form's fields, encoded, without the key and without how it is delivered.
    fields: String,
    /// True when it is to go into the running turn.
    steer: bool,
    /// When it was sent first, in milliseconds since the epoch.
    at: f64,
    /// The newest entry then: its own is newer.
    after: Option<u64>,
    /// True when an earlier try of it may have arrived.
    tried: bool,
}

thread_local! {
    static OUTBOX: RefCell<Vec<Prompt>> = const { RefCell::new(Vec::new()) };
}

/// Changes the outbox, and shows it.
fn change(state: State, change: &mut dyn FnMut(&mut Vec<Prompt>)) {
    let shown = OUTBOX.with_borrow_mut(|outbox| {
        change(outbox);
        outbox.iter().map(|prompt| prompt.shown.clone()).collect()
    });
    scroll::hold(state);
    state.outbox.set(shown);
}

/// Changes one of them, while it is there.
fn change_one(state: State, key: &str, one: &mut dyn FnMut(&mut Prompt)) {
    change(state, &mut |outbox| {
        if let Some(prompt) = outbox.iter_mut().find(|prompt| prompt.shown.key == key) {
            one(prompt);
        }
    });
}

fn find(is: &mut dyn FnMut(&Prompt) -> bool) -> Option<Prompt> {
    OUTBOX.with_borrow(|outbox| outbox.iter().find(|prompt| is(prompt)).cloned())
}

/// For how long a prompt is sent again by itself, in milliseconds. Later nobody would expect it: they are asked.
const AGAIN: f64 = 10.0 * 60_000.0;
/// How long after a try that failed, while the link is well, the next one is made.
const SOON: f64 = 3_000.0;

/// Takes up what an earlier page of this session left, and what was being typed.
pub(super) fn resume(state: State) {
    let session = state.session_id();
    // A first prompt was sent before its session had an id.
    let before = Some("").filter(|_| !session.is_empty());
    for session in before.into_iter().chain([session.as_str()]) {
        let beginning = format!("out:{session}:");
        for key in kept::names(&beginning) {
            let found = kept::get(&format!("{beginning}{key}"));
            if let Some(prompt) = found.and_then(|text| read(state, key, session, &text)) {
                change(state, &mut |outbox| {
                    let place = outbox.partition_point(|other| other.at <= prompt.at);
                    outbox.insert(place, prompt.clone());
                });
            }
        }
    }
    look(state);
    if let Some(field) = dom::field() {
        if field.value().is_empty() {
            field.set_value(&kept::get(&format!("draft:{session}")).unwrap_or_default());
        }
        dom::on(&field, "input", move |_| keep_draft(state));
    }
    dom::on(&document(), "click", move |event| {
        let Some(button) = dom::within(&event, "[data-key]") else { return };
        let key = button.get_attribute("data-key").unwrap_or_default();
        if dom::acts(&event, "again") {
            let steer = untrack(|| state.working());
            change_one(state, &key, &mut |prompt| prompt.steer = steer);
            dom::spawn(send(state, key));
        } else {
            take_back(state, &key);
        }
    });
    if state.link.get_untracked() == Link::Live {
        flush(state);
    }
}

/// Keeps what stands in the field.
pub(super) fn keep_draft(state: State) {
    if let Some(field) = dom::field() {
        kept::set(&format!("draft:{}", state.session_id()), &field.value());
    }
}

/// One that was kept, as [`write()`] wrote it.
fn read(state: State, key: String, session: &str, text: &str) -> Option<Prompt> {
    let mut parts = text.splitn(4, ' ');
    let at: u64 = parts.next()?.parse().ok()?;
    let after = parts.next()?.parse().ok();
    let steer = parts.next()? == "true";
    let fields = parts.next()?.to_owned();
    let (words, typed) = words_of(state, &fields);
    let shown = Outgoing { key, words, typed, step: Step::Unsure };
    Some(Prompt { shown, session: session.to_owned(), fields, steer, at: at as f64, after, tried: true })
}

fn write(prompt: &Prompt) {
    let Prompt { shown, session, fields, steer, at, after, .. } = prompt;
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    kept::set(&format!("out:{session}:{}", shown.key), &format!("{} {after} {steer} {fields}", *at as u64));
}

fn forget(prompt: &Prompt) {
    kept::set(&format!("out:{}:{}", prompt.session, prompt.shown.key), "");
}

/// What a prompt's fields say, as its entry will, and whether somebody typed it.
fn words_of(state: State, fields: &str) -> (String, bool) {
    let params = web_sys::UrlSearchParams::new_with_str(fields).ok();
    let field = |name: &str| params.as_ref().and_then(|params| params.get(name));
    match field("prompt") {
        Some(text) => (text, true),
        None => {
            let id = field("preset").or_else(|| field("runbook")).unwrap_or_default();
            let label = state.page.with_untracked(|page| {
                page.presets.iter().find(|preset| preset.id.to_string() == id).map(|preset| preset.label.clone())
            });
            (label.unwrap_or(id), false)
        }
    }
}

/// Sends a prompt. What was typed leaves the field: it stands at the end of the transcript now.
pub(super) fn post(state: State, fields: String, steer: bool, key: Option<String>) {
    let (words, typed) = words_of(state, &fields);
    if typed && words.trim().is_empty() {
        return;
    }
    // A second tap on a preset is the same tap.
    let same = |other: &Prompt| other.fields == fields && matches!(other.shown.step, Step::Sending | Step::Sent);
    if !typed && find(&mut { same }).is_some() {
        return;
    }
    let tried = key.is_some();
    let key = key.unwrap_or_else(forms::new_key);
    let shown = Outgoing { key: key.clone(), words, typed, step: Step::Sending };
    let (session, at, after) = (state.session_id(), js_sys::Date::now(), state.newest());
    let prompt = Prompt { shown, session, fields, steer, at, after, tried };
    write(&prompt);
    change(state, &mut |outbox| outbox.push(prompt.clone()));
    if let Some(field) = dom::field().filter(|_| typed) {
        field.set_value("");
        keep_draft(state);
    }
    scroll::to_end(state);
    dom::spawn(send(state, key));
}

/// Sends what nobody knows the fate of.
pub(super) fn flush(state: State) {
    let now = js_sys::Date::now();
    for prompt in OUTBOX.with_borrow(Vec::clone) {
        let key = prompt.shown.key;
        if prompt.shown.step != Step::Unsure {
            continue;
        }
        if now - prompt.at < AGAIN {
            dom::spawn(send(state, key));
        } else {
            let words = "No answer came to this. It may have arrived: look above before you send it again.";
            step(state, &key, Step::Failed(words.into()));
        }
    }
}

fn step(state: State, key: &str, step: Step) {
    change_one(state, key, &mut |prompt| prompt.shown.step = step.clone());
}

/// Takes it out of the outbox.
fn remove(state: State, key: &str) -> Option<Prompt> {
    let removed = find(&mut |prompt| prompt.shown.key == key)?;
    forget(&removed);
    change(state, &mut |outbox| outbox.retain(|prompt| prompt.shown.key != key));
    Some(removed)
}

async fn send(state: State, key: String) {
    let Some(Prompt { fields, steer, tried, shown, .. }) = find(&mut |prompt| prompt.shown.key == key) else { return };
    change_one(state, &key, &mut |prompt| {
        prompt.shown.step = Step::Sending;
        prompt.tried = true;
    });
    let answered = forms::post("/do/prompt", &format!("{fields}&steer={steer}&key={key}")).await;
    // Its entry may have come before its answer.
    let there = find(&mut |prompt| prompt.shown.key == key);
    match answered {
        Ok(FormAnswer::Started { session_id }) if session_id.as_str() != state.session_id() => {
            remove(state, &key);
            // What was typed meanwhile goes along.
            let typed = dom::field().map(|field| field.value()).unwrap_or_default();
            kept::set(&format!("draft:{session_id}"), &typed);
            let _ = window().location().assign(&format!("/s/{session_id}"));
        }
        _ if there.is_none() => {}
        Ok(FormAnswer::Failed { status: 503, .. }) | Err(Trouble::NotSent) => {
            step(state, &key, Step::Unsure);
            if matches!(state.link.get_untracked(), Link::Live | Link::Held) {
                dom::later(SOON, move || flush(state));
            }
        }
        Err(Trouble::SignedOut) => {
            stream::signed_out(state);
            if tried {
                step(state, &key, Step::Unsure);
            } else {
                take_back(state, &key);
            }
        }
        Ok(FormAnswer::Failed { detail, .. }) | Err(Trouble::Refused(detail)) => {
            let free = dom::field().is_none_or(|field| field.value().is_empty());
            if tried || shown.typed && !free {
                step(state, &key, Step::Failed(detail));
            } else {
                take_back(state, &key);
                dom::toast(state, detail);
            }
        }
        Ok(_) => {
            there.iter().for_each(forget);
            step(state, &key, Step::Sent);
            look(state);
            stream::expect_news(state);
        }
    }
}

/// Puts what was typed back into the field. It keeps its key: it may have arrived.
fn take_back(state: State, key: &str) {
    let Some(Prompt { fields, tried, shown, .. }) = remove(state, key) else { return };
    let Outgoing { key, words, typed: true, .. } = shown else { return };
    if tried {
        forms::unsure("/do/prompt".into(), fields, key);
    }
    put(state, words);
}

/// Puts words into the field, before what stands there. They are sent by who reads them there.
pub(super) fn put(state: State, words: String) {
    if let Some(field) = dom::field() {
        let now = field.value();
        field.set_value(&if now.is_empty() { words } else { format!("{words}\n{now}") });
        keep_draft(state);
    }
}

/// Looks among all that is there for the prompts that are on their way.
fn look(state: State) {
    let prompts = state.transcript.with_untracked(|transcript| {
        let prompts = transcript.rows().filter_map(|row| match &row.item {
            Item::Prompt { text, by, .. } => Some((row.id.0, text.clone(), by.clone())),
            _ => None,
        });
        prompts.collect::<Vec<_>>()
    });
    for (id, text, by) in prompts {
        seen(state, id, &text, &by);
    }
}

/// An entry came: the prompt that it is of has arrived.
pub(super) fn arrived(state: State, entry: &Entry) {
    if let Event::User { text, by, .. } = &entry.event {
        seen(state, entry.id.0, text, by);
    }
}

fn seen(state: State, id: u64, text: &str, by: &str) {
    if state.page.with_untracked(|page| page.operator != by) {
        return;
    }
    let session = state.session_id();
    let its = find(&mut |prompt| {
        let same = prompt.shown.step == Step::Sent || prompt.shown.words.trim() == text.trim();
        same && prompt.session == session && Some(id) > prompt.after
    });
    if let Some(prompt) = its {
        remove(state, &prompt.shown.key);
        // One entry is of one prompt.
        change(state, &mut |outbox| {
            for other in outbox {
                other.after = other.after.max(Some(id));
            }
        });
    }
}
