//! The header: who we are and the way to the settings, whether the page hears of what happens, a new session, and the way
//! to the VM.

use leptos::{prelude::*, server_fn::ServerFn};

use super::{icons::Icon, vm::GlancePlace};
use crate::{api::NewSession, state::State};

/// The header. Only words change in it.
#[component]
pub(super) fn Header() -> impl IntoView {
    let state = State::current();
    let practice = state.page.with_untracked(|page| page.surroundings.practice);
    view! {
        <header class="bar">
            <a class="mark" href="#settings" aria-label="breakglass: settings" title="Settings and keys">
                <Icon name="mark"/><span class="mark-name">"breakglass"</span><Icon name="gear"/>
            </a>
            {practice.then(|| view! { <strong class="practice">"PRACTICE"</strong> })}
            {lamp(state)}
            <a class="quiet" href="/sessions" aria-label="All sessions" title="All sessions"><Icon name="list"/></a>
            <form class="new-session" method="post" action=NewSession::PATH>
                <input type="hidden" name="session" value=state.session_id()/>
                <input type="hidden" name="key" value=state.key()/>
                <button class="quiet" aria-label="New session" title="New session" disabled=state.working()>
                    <Icon name="plus"/>
                </button>
            </form>
            <a class="vm-button" href="#vm" aria-label="VM controls"><Icon name="power"/>"VM"</a>
            <GlancePlace/>
            // For who hears the page: what it is.
            <h1 class="unseen">"breakglass"</h1>
        </header>
    }
}

/// The connection lamp: one word, and the session's short id while it is well.
fn lamp(state: State) -> impl IntoView {
    let (look, words) = state.lamp();
    view! {
        <span class="lamp" role="status" data-state=look>
            <span class="lamp-dot" aria-hidden="true"></span>
            <span class="lamp-words">{words}</span>
        </span>
    }
}
