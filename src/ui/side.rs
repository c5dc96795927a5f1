//! The column of sessions beside the console, where a window is wide enough. Its list is fetched there (`/part/sessions`), so
//! that a phone does not load it. It is rendered on the server and stands beside what is hydrated.

use leptos::{prelude::*, server_fn::ServerFn};

use super::icons::Icon;
use crate::{api::NewSession, state::State};

/// The column, with the place of its list.
#[component]
pub(super) fn Side() -> impl IntoView {
    let state = State::current();
    view! {
        <nav id="side" class="side" aria-label="Sessions">
            <form class="new-session" method="post" action=NewSession::PATH>
                <input type="hidden" name="session" value=state.session_id()/>
                <input type="hidden" name="key" value=state.key()/>
                <button disabled=state.working()><Icon name="plus"/>"New session"</button>
            </form>
            <form class="search" method="get" action="/sessions" role="search">
                <input
                    class="words" type="search" name="q" maxlength="200" aria-label="Search in sessions" placeholder="Search sessions"
                    autocomplete="off"
                />
            </form>
            <ol id="side-list" class="side-list"></ol>
            <a class="away" href="/sessions">"All sessions"</a>
        </nav>
    }
}
