//! The controls at the bottom: what passes, the presets, and the composer with Send or Stop. One form, so that all of it
//! works without script.

use domain::preset::PresetSummary;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{
    icons::Icon,
    part::{Part, part},
    region::region,
    reveal::shown,
};
use crate::{
    api::{StopTurn, SubmitPrompt},
    state::{Link, State},
};

/// Everything that is pinned at the bottom.
#[component]
pub(super) fn Controls() -> impl IntoView {
    let state = State::current();
    view! {
        <footer class="controls">
            <div class="toasts" role="status">{region("toast", state)}</div>
            {region("below", state)}
            {region("link", state)}
            {region("disk", state)}
            <div class="waiting" aria-live="polite">{region("waiting", state)}</div>
            <form id="composer" method="post" action=SubmitPrompt::PATH>
                {hidden("session", state.session_id())}
                {hidden("key", state.key())}
                {presets(state)}
                <div class="composer">
                    {field(state)}
                    {region("send", state)}
                </div>
            </form>
        </footer>
    }
}

/// What there is to say of the console's disk.
pub(super) fn disk(state: State) -> Option<Part> {
    let words = state.page.with_untracked(|page| page.disk.clone())?;
    Some(part(move |html| html.fill(r#"<p class="link-bar">{}</p>"#, &[&words])))
}

/// A field that nobody sees.
fn hidden(name: &'static str, value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value/> }
}

fn presets(state: State) -> impl IntoView {
    let (presets, has_ai) = state.page.with_untracked(|page| (page.presets.clone(), page.surroundings.has_ai));
    let presets: Vec<_> = presets.into_iter().map(|preset| preset_chip(preset, has_ai)).collect();
    view! { <fieldset class="presets" aria-label="Presets" disabled=state.working()>{presets}</fieldset> }
}

fn preset_chip(preset: PresetSummary, has_ai: bool) -> impl IntoView {
    let PresetSummary { id, label, icon, hint } = preset;
    let id = id.to_string();
    let without_ai = has_ai.then(|| {
        let name = format!("{label} without AI");
        view! {
            <button
                class="chip without-ai"
                name="runbook"
                value=id.clone()
                aria-label=name.clone()
                title=name
            >
                <Icon name="terminal"/>
            </button>
        }
    });
    view! {
        <button class="chip" name="preset" value=id.clone() title=hint>
            <Icon name=icon/>
            {label}
        </button>
        {without_ai}
    }
}

/// The text field. It is not bound to a signal: what was typed before the program arrived stays where it is.
fn field(state: State) -> impl IntoView {
    let draft =
        state.page.with_untracked(|page| page.flash.as_ref().map(|flash| flash.draft.clone()).unwrap_or_default());
    let words = state.placeholder();
    // A parser drops the first line end of a text field, so one is put there for it. An empty text node would be rendered as a space, which is something typed.
    if draft.is_empty() {
        Either::Left(view! {
            <textarea
                id="prompt" name="prompt" rows="1" placeholder=words aria-label="Prompt"
                enterkeyhint="send" autocomplete="off"
            ></textarea>
        })
    } else {
        Either::Right(view! {
            <textarea
                id="prompt" name="prompt" rows="1" placeholder=words aria-label="Prompt"
                enterkeyhint="send" autocomplete="off"
            >{format!("\n{}", shown(&draft))}</textarea>
        })
    }
}

/// Stop, while a turn runs; and Send, which then delivers into that turn, where there is an agent to hear it. Send keeps
/// its place, so that a second tap on it does not stop what the first one began.
pub(super) fn stop_and_send(state: State) -> Vec<Part> {
    let (working, stopping) = (state.working(), state.stopping.get());
    let stop = part(move |html| {
        html.fill(r#"<button class="stop" formaction="{}""#, &[StopTurn::PATH]);
        html.fill(if stopping { r#" disabled="">"# } else { ">" }, &[]);
        html.icon("stop");
        html.fill(if stopping { "Stopping</button>" } else { "Stop</button>" }, &[]);
    });
    // What it says changes in place.
    let send = part(move |html| {
        let (words, steer) = untrack(|| state.send());
        let markup = r#"<button class="send" name="steer" value="{}" aria-label="{}" title="{}">"#;
        html.fill(markup, &[steer, words, words]);
        html.icon("send");
        html.fill("</button>", &[]);
    });
    let stop = working.then(|| stop.keyed(stopping.into()));
    let send = (state.has_ai() || !working).then(|| send.keyed(2));
    stop.into_iter().chain(send).collect()
}

/// What passes.
pub(super) fn toast(state: State) -> Option<Part> {
    let words = state.toast.get()?;
    Some(part(move |html| html.fill(r#"<p class="toast">{}</p>"#, &[&words])))
}

/// What is wrong with the link, what goes on all the same, and what to do. Since when is counted beside it.
pub(super) fn link_bar(state: State) -> Option<Part> {
    let (look, words, way) = match state.link.get() {
        Link::Connecting | Link::CatchingUp(_) | Link::Live => return None,
        Link::Lost => {
            ("lost", "The stream broke off. It is being opened again; the session goes on at the console.", None)
        }
        Link::Offline => (
            "offline",
            "This device has no network. The session goes on at the console; what you type is kept and sent later.",
            None,
        ),
        Link::Down => (
            "down",
            "The console does not answer: it is down, or there is no way to it from here. The VM controls need it too. \
                 What runs on the target goes on.",
            None,
        ),
        Link::Restarting => {
            ("restarting", "The console restarts. A turn that ran was ended; prompts are sent when it is back.", None)
        }
        Link::Held => (
            "held",
            "A proxy holds the stream back. Looking every 3 s instead: nothing is lost, it comes later. Turn off the \
                 proxy's response buffering for this address.",
            None,
        ),
        Link::SignedOut => (
            "signed-out",
            "You are signed out. The session goes on, and what you typed is kept on this device.",
            Some((format!("/s/{}", state.session_id()), "Sign in again")),
        ),
        Link::Gone => (
            "gone",
            "This console has no such session: its record was set up anew, or the session was removed. Your next prompt \
                 opens a new one.",
            Some(("/sessions".to_owned(), "All sessions")),
        ),
    };
    Some(part(move |html| {
        // Since when is counted in place.
        let since = state.since.get_untracked().unwrap_or_default();
        let markup = concat!(
            r#"<div class="link-bar" data-link="{}"><span role="alert">{}</span>"#,
            r#"<span class="since" aria-hidden="true">{}</span>"#
        );
        html.fill(markup, &[look, words, &since]);
        if let Some((href, words)) = &way {
            html.fill(r#"<a href="{}">{}</a>"#, &[href, words]);
        }
        html.fill(r#"<button type="button" data-act="reconnect">Reconnect</button></div>"#, &[]);
    }))
}

/// The way back to the end, for who does not read there.
pub(super) fn below(state: State) -> Option<Part> {
    let past = state.past.with(|past| past.newest().is_some());
    let words = match state.below.get() {
        Some(0) if past => "Back to the end".to_owned(),
        None | Some(0) => return None,
        Some(count) => format!("{count} new below"),
    };
    Some(part(move |html| {
        html.fill(r#"<button type="button" class="below" data-act="end">"#, &[]);
        html.icon("down");
        html.fill("{}</button>", &[&words]);
    }))
}
