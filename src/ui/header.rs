//! The header: who we are, whether the page hears of what happens, a new session, and the way to the VM.

use leptos::{prelude::*, server_fn::ServerFn};

use super::icons::Icon;
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
            <form class="new-session" method="post" action=NewSession::PATH>
                <input type="hidden" name="session" value=state.session_id()/>
                <input type="hidden" name="key" value=state.key()/>
                <button class="quiet" aria-label="New session" title="New session" disabled=move || state.working()>
                    <Icon name="plus"/>
                </button>
            </form>
            <a class="vm-button" href="#vm" aria-label="VM controls"><Icon name="power"/>"VM"</a>
        </header>
    }
}

/// The connection lamp: one word, and the session's short id while it is well.
#[component]
fn Lamp() -> impl IntoView {
    let state = State::current();
    let short = state.session_id().chars().take(8).collect::<String>();
    move || {
        let (look, words) = match state.link.get() {
            Link::Connecting => ("connecting", "connecting"),
            Link::Down => ("down", "link down"),
            Link::SignedOut => ("down", "signed out"),
            Link::Gone => ("down", "session gone"),
            Link::Attached if state.stopping.get() => ("stopping", "stopping"),
            Link::Attached if state.working() => ("working", "working"),
            Link::Attached if short.is_empty() => ("attached", "ready"),
            Link::Attached => ("attached", short.as_str()),
        };
        view! {
            <span class="lamp" role="status" data-state=look>
                <span class="lamp-dot" aria-hidden="true"></span>
                <span class="lamp-words">{words.to_owned()}</span>
            </span>
        }
    }
}
