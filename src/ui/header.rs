//! The header: who we are, whether the page hears of what happens, a new session, and the way to the VM.

use leptos::{prelude::*, server_fn::ServerFn};

use super::{icons::Icon, vm::GlancePlace};
use crate::{
    api::NewSession,
    state::{Link, State},
};

/// The header.
#[component]
pub(super) fn Header() -> impl IntoView {
    let state = State::current();
    let practice = state.page.with_value(|page| page.surroundings.practice);
    view! {
        <header class="bar">
            <span class="mark"><Icon name="mark"/><span class="mark-name">"breakglass"</span></span>
            {practice.then(|| view! { <strong class="practice">"PRACTICE"</strong> })}
            <Lamp/>
            <a class="quiet" href="/sessions" aria-label="All sessions" title="All sessions"><Icon name="list"/></a>
            <form class="new-session" method="post" action=NewSession::PATH>
                <input type="hidden" name="session" value=state.session_id()/>
                <input type="hidden" name="key" value=state.key()/>
                <button class="quiet" aria-label="New session" title="New session" disabled=move || state.working()>
                    <Icon name="plus"/>
                </button>
            </form>
            <a class="vm-button" href="#vm" aria-label="VM controls"><Icon name="power"/>"VM"</a>
            <GlancePlace/>
        </header>
    }
}

/// The connection lamp: one word, and the session's short id while it is well.
#[component]
fn Lamp() -> impl IntoView {
    let state = State::current();
    let short = state.session_id().chars().take(8).collect::<String>();
    move || {
        let link = state.link.get();
        let (look, words) = match link {
            Link::Connecting => ("connecting", "connecting"),
            Link::CatchingUp(_) => ("catching-up", "catching up"),
            Link::Held => ("held", "held back"),
            Link::Lost => ("lost", "reconnecting"),
            Link::Offline => ("offline", "no network"),
            Link::Down => ("down", "no answer"),
            Link::Restarting => ("restarting", "restarting"),
            Link::SignedOut => ("signed-out", "signed out"),
            Link::Gone => ("gone", "session gone"),
            Link::Live if state.stopping.get() => ("stopping", "stopping"),
            Link::Live if state.working() => ("working", "working"),
            Link::Live if short.is_empty() => ("attached", "ready"),
            Link::Live => ("attached", short.as_str()),
        };
        let words = match link {
            Link::CatchingUp(behind) => format!("{words} {behind}"),
            _ => words.to_owned(),
        };
        view! {
            <span class="lamp" role="status" data-state=look>
                <span class="lamp-dot" aria-hidden="true"></span>
                <span class="lamp-words">{words}</span>
            </span>
        }
    }
}
