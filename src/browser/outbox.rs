//! Prompts on their way. Each has one key from the tap on, and is kept on this device until the console has answered it, or
//! its entry came; so a prompt whose fate nobody knows is sent again by itself, after a reload too, and runs once.
//!
//! What is being typed is kept as well: a tunnel, a reload or a sign-in that is over cost none of it.

use domain::{
    call::FormAnswer,
    event::{Entry, Event},
    transcript::{Item, Transcript},
};
use leptos::prelude::*;

use super::{
    dom,
    forms::{self, Trouble},
    kept, scroll, stream,
};
use crate::state::{Link, Outgoing, State, Step};

/// For how long a prompt is sent again by itself, in milliseconds. Later nobody would expect it: they are asked.
const AGAIN: f64 = 10.0 * 60_000.0;
/// How long after a try that failed, while the link is well, the next one is made.
const SOON: std::time::Duration = std::time::Duration::from_secs(3);

/// Takes up what an earlier page of this session left, and what was being typed.
pub(super) fn resume(state: State) {
    let session = state.session_id();
    // A first prompt was sent before its session had an id.
    for session in ["", &session] {
        let beginning = format!("out:{session}:");
        for key in kept::names(&beginning) {
            let found = kept::get(&format!("{beginning}{key}"));
            if let Some(outgoing) = found.and_then(|text| read(state, &key, session, &text)) {
                state.outbox.update(|outbox| outbox.push(outgoing));
            }
        }
        if session.is_empty() && state.session_id().is_empty() {
            break;
        }
    }
    state.outbox.update(|outbox| outbox.sort_by(|one, other| one.at.total_cmp(&other.at)));
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
            state.outbox.update(|outbox| {
                for outgoing in outbox.iter_mut().filter(|outgoing| outgoing.key == key) {
                    outgoing.steer = steer;
                }
            });
            leptos::task::spawn_local(send(state, key));
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
fn read(state: State, key: &str, session: &str, text: &str) -> Option<Outgoing> {
    let mut parts = text.splitn(4, ' ');
    let at: u64 = parts.next()?.parse().ok()?;
    let after = parts.next()?.parse().ok();
    let steer = parts.next()? == "true";
    let fields = parts.next()?.to_owned();
    let (words, typed) = words_of(state, &fields);
    let (session, at) = (session.to_owned(), at as f64);
    Some(Outgoing { key: key.to_owned(), session, fields, steer, words, typed, at, after, tried: true, step: Step::Unsure })
}

fn write(outgoing: &Outgoing) {
    let Outgoing { key, session, fields, steer, at, after, .. } = outgoing;
    let after = after.map(|after| after.to_string()).unwrap_or_default();
    kept::set(&format!("out:{session}:{key}"), &format!("{} {after} {steer} {fields}", *at as u64));
}

fn forget(outgoing: &Outgoing) {
    kept::set(&format!("out:{}:{}", outgoing.session, outgoing.key), "");
}

/// What a prompt's fields say, as its entry will, and whether somebody typed it.
fn words_of(state: State, fields: &str) -> (String, bool) {
    let params = web_sys::UrlSearchParams::new_with_str(fields).ok();
    let field = |name: &str| params.as_ref().and_then(|params| params.get(name));
    match field("prompt") {
        Some(text) => (text, true),
        None => {
            let id = field("preset").or_else(|| field("runbook")).unwrap_or_default();
            let label = state.page.with_value(|page| {
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
    let same = |other: &Outgoing| other.fields == fields && matches!(other.step, Step::Sending | Step::Sent);
    if !typed && state.outbox.with_untracked(|outbox| outbox.iter().any(same)) {
        return;
    }
    let after = state.transcript.with_untracked(Transcript::newest).map(|id| id.0);
    let tried = key.is_some();
    let key = key.unwrap_or_else(forms::new_key);
    let (session, at) = (state.session_id(), js_sys::Date::now());
    let step = Step::Sending;
    let outgoing = Outgoing { key: key.clone(), session, fields, steer, words, typed, at, after, tried, step };
    write(&outgoing);
    state.outbox.update(|outbox| outbox.push(outgoing));
    if let Some(field) = dom::field().filter(|_| typed) {
        field.set_value("");
        keep_draft(state);
    }
    scroll::to_end(state);
    leptos::task::spawn_local(send(state, key));
}

/// Sends what nobody knows the fate of.
pub(super) fn flush(state: State) {
    let now = js_sys::Date::now();
    let unsure = state.outbox.with_untracked(|outbox| {
        let unsure = outbox.iter().filter(|outgoing| outgoing.step == Step::Unsure);
        unsure.map(|outgoing| (outgoing.key.clone(), now - outgoing.at < AGAIN)).collect::<Vec<_>>()
    });
    for (key, young) in unsure {
        if young {
            leptos::task::spawn_local(send(state, key));
        } else {
            let words = "No answer came to this. It may have arrived: look above before you send it again.";
            step(state, &key, Step::Failed(words.into()));
        }
    }
}

fn step(state: State, key: &str, step: Step) {
    state.outbox.update(|outbox| {
        for outgoing in outbox.iter_mut().filter(|outgoing| outgoing.key == key) {
            outgoing.step = step.clone();
        }
    });
}

/// Takes it out of the outbox.
fn remove(state: State, key: &str) -> Option<Outgoing> {
    let mut removed = None;
    state.outbox.update(|outbox| {
        if let Some(place) = outbox.iter().position(|outgoing| outgoing.key == key) {
            removed = Some(outbox.remove(place));
        }
    });
    removed.inspect(forget)
}

async fn send(state: State, key: String) {
    let found = state.outbox.with_untracked(|outbox| outbox.iter().find(|outgoing| outgoing.key == key).cloned());
    let Some(Outgoing { fields, steer, tried, typed, .. }) = found else { return };
    step(state, &key, Step::Sending);
    state.outbox.update_untracked(|outbox| {
        for outgoing in outbox.iter_mut().filter(|outgoing| outgoing.key == key) {
            outgoing.tried = true;
        }
    });
    let answered = forms::post("/do/prompt", &format!("{fields}&steer={steer}&key={key}")).await;
    // Its entry may have come before its answer.
    let there = state.outbox.with_untracked(|outbox| outbox.iter().any(|outgoing| outgoing.key == key));
    match answered {
        Ok(FormAnswer::Started { session_id }) if session_id.as_str() != state.session_id() => {
            remove(state, &key);
            // What was typed meanwhile goes along.
            let typed = dom::field().map(|field| field.value()).unwrap_or_default();
            kept::set(&format!("draft:{session_id}"), &typed);
            let _ = window().location().assign(&format!("/s/{session_id}"));
        }
        _ if !there => {}
        Ok(FormAnswer::Failed { status: 503, .. }) | Err(Trouble::NotSent) => {
            step(state, &key, Step::Unsure);
            if state.link.get_untracked() == Link::Live {
                set_timeout(move || flush(state), SOON);
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
            if tried || typed && !free {
                step(state, &key, Step::Failed(detail));
            } else {
                take_back(state, &key);
                dom::toast(state, detail);
            }
        }
        Ok(_) => {
            state.outbox.with_untracked(|outbox| outbox.iter().filter(|other| other.key == key).for_each(forget));
            step(state, &key, Step::Sent);
            look(state);
            stream::expect_news(state);
        }
    }
}

/// Puts what was typed back into the field. It keeps its key: it may have arrived.
fn take_back(state: State, key: &str) {
    let Some(Outgoing { words, fields, key, tried, typed: true, .. }) = remove(state, key) else { return };
    if tried {
        forms::unsure("/do/prompt".into(), fields, key);
    }
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
    if state.page.with_value(|page| page.operator != by) {
        return;
    }
    let session = state.session_id();
    let its = |outgoing: &&Outgoing| {
        let same = outgoing.step == Step::Sent || outgoing.words.trim() == text.trim();
        same && outgoing.session == session && Some(id) > outgoing.after
    };
    let key = state.outbox.with_untracked(|outbox| outbox.iter().find(its).map(|it| it.key.clone()));
    if let Some(key) = key {
        remove(state, &key);
        // One entry is of one prompt.
        state.outbox.update(|outbox| {
            for other in outbox {
                other.after = other.after.max(Some(id));
            }
        });
    }
}
