//! The controls at the bottom: what passes, the presets, and the composer with Send or Stop. One form, so that all of it
//! works without script.

use domain::preset::PresetSummary;
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{anew::Anew, icons::Icon, permission::Waiting, prose::shown};
use crate::{
    api::{StopTurn, SubmitPrompt},
    state::{Link, State},
};

/// Everything that is pinned at the bottom.
#[component]
pub(super) fn Controls() -> impl IntoView {
    let state = State::current();
    let (presets, has_ai) = state.page.with_value(|page| (page.presets.clone(), page.surroundings.has_ai));
    let disk = state.page.with_value(|page| page.disk.clone());
    let presets: Vec<_> = presets.into_iter().map(|preset| preset_chip(preset, has_ai)).collect();
    view! {
        <footer class="controls">
            <Toast/>
            <Below/>
            <LinkBar/>
            {disk.map(|words| view! { <p class="link-bar">{words}</p> })}
            <Waiting/>
            <form id="composer" method="post" action=SubmitPrompt::PATH>
                <input type="hidden" name="session" value=state.session_id()/>
                <input type="hidden" name="key" value=state.key()/>
                <fieldset class="presets" aria-label="Presets" disabled=move || state.working()>{presets}</fieldset>
                <div class="composer">
                    <Field/>
                    <SendOrStop/>
                </div>
            </form>
        </footer>
    }
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
#[component]
fn Field() -> impl IntoView {
    let state = State::current();
    let draft = state.page.with_value(|page| page.flash.as_ref().map(|flash| flash.draft.clone()).unwrap_or_default());
    let has_ai = state.has_ai();
    let words = move || match has_ai {
        true if state.working() => "Tell the agent",
        true => "Tell the agent, or !command",
        false => "What is wrong? Or !command",
    };
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
#[component]
fn SendOrStop() -> impl IntoView {
    let state = State::current();
    let has_ai = state.has_ai();
    move || {
        let (working, stopping) = (state.working(), state.stopping.get());
        let stop = working.then(|| {
            view! {
                <button class="stop" formaction=StopTurn::PATH disabled=stopping>
                    <Icon name="stop"/>
                    {if stopping { "Stopping" } else { "Stop" }}
                </button>
            }
        });
        let (words, steer) = if working { ("Send into this turn", "true") } else { ("Send", "false") };
        let send = (has_ai || !working).then(|| {
            view! {
                <button class="send" name="steer" value=steer aria-label=words title=words>
                    <Icon name="send"/>
                </button>
            }
        });
        (stop, send)
    }
}

/// What passes.
#[component]
fn Toast() -> impl IntoView {
    let state = State::current();
    view! {
        <div class="toasts" role="status">
            {move || state.toast.get().map(|words| Anew(view! { <p class="toast">{words}</p> }))}
        </div>
    }
}

/// What is wrong with the link, what goes on all the same, and what to do. Since when is counted beside it.
#[component]
fn LinkBar() -> impl IntoView {
    let state = State::current();
    let here = format!("/s/{}", state.session_id());
    move || {
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
            Link::Restarting => (
                "restarting",
                "The console restarts. A turn that ran was ended; prompts are sent when it is back.",
                None,
            ),
            Link::Held => (
                "held",
                "A proxy holds the stream back. Looking every 3 s instead: nothing is lost, it comes later. Turn off the \
                 proxy's response buffering for this address.",
                None,
            ),
            Link::SignedOut => (
                "signed-out",
                "You are signed out. The session goes on, and what you typed is kept on this device.",
                Some((here.clone(), "Sign in again")),
            ),
            Link::Gone => (
                "gone",
                "This console has no such session: its record was set up anew, or the session was removed. Your next prompt \
                 opens a new one.",
                Some(("/sessions".to_owned(), "All sessions")),
            ),
        };
        Some(Anew(view! {
            <div class="link-bar" data-link=look>
                <span role="alert">{words}</span>
                <span class="since" aria-hidden="true">{move || state.since.get()}</span>
                {way.map(|(href, words)| view! { <a href=href>{words}</a> })}
                <button type="button" data-act="reconnect">"Reconnect"</button>
            </div>
        }))
    }
}

/// The way back to the end, for who does not read there.
#[component]
fn Below() -> impl IntoView {
    let state = State::current();
    move || {
        let past = state.past.with(|past| past.newest().is_some());
        let words = match state.below.get() {
            Some(0) if past => "Back to the end".to_owned(),
            None | Some(0) => return None,
            Some(count) => format!("{count} new below"),
        };
        Some(Anew(view! { <button type="button" class="below" data-act="end"><Icon name="down"/>{words}</button> }))
    }
}
