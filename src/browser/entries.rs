//! What comes with the stream: each entry is shown, and what passes with it is taken away.

use super::{decode::decoded, dom, forms, outbox, parts, scroll, stream, window as shown};
use crate::state::State;
use domain::{
    event::{Entry, Event, Live, Streamed},
    sse::Frame,
};

/// Takes what the stream brought, in its order. Gives how many entries were the last of it.
pub(super) fn take(state: State, frames: Vec<Frame>) -> u64 {
    let mut entries = Vec::new();
    for frame in frames {
        match (frame.event.as_deref(), decoded(&frame.data)) {
            (None, Some(Streamed::Entry(entry))) => entries.push(entry),
            (None, Some(Streamed::Live(live))) => {
                shown::arrived(state, std::mem::take(&mut entries));
                scroll::hold(state);
                match live {
                    // With nothing in it, it says that nothing is being written any more.
                    Live::Draft { text } => state.draft.set(Some(text).filter(|text| !text.is_empty())),
                    Live::Progress { seconds, .. } => state.progress.set(Some(seconds)),
                }
            }
            (Some(event), _) => {
                shown::arrived(state, std::mem::take(&mut entries));
                stream::sign(state, event, &frame.data);
            }
            _ => {}
        }
    }
    let left = entries.len() as u64;
    shown::arrived(state, entries);
    left
}

/// What an entry means for what passes.
pub(super) fn note(state: State, entry: &Entry) {
    let event = &entry.event;
    forms::arrived(event);
    outbox::arrived(state, entry);
    if matches!(event, Event::Text { .. } | Event::TurnEnd) {
        state.draft.set(None);
    }
    if matches!(event, Event::ToolResult { .. } | Event::TurnEnd) {
        state.progress.set(None);
    }
    if matches!(event, Event::TurnEnd) {
        state.stopping.set(false);
    }
    if matches!(event, Event::TurnEnd | Event::Verb { .. } | Event::Check { .. }) {
        parts::news(state);
    }
}

/// Shows what waits for a decision now. A card is never changed into another one: nothing that was typed or chosen for one
/// may be sent with the other.
pub(super) fn waits(state: State) {
    let waiting = state.transcript.with_untracked(|transcript| transcript.waiting().map(|row| row.id.0));
    if waiting == state.waiting.get_untracked() {
        return;
    }
    state.waiting.set(None);
    if waiting.is_some() {
        dom::soon(move || {
            let now = state.transcript.with_untracked(|transcript| transcript.waiting().map(|row| row.id.0));
            if now == waiting {
                state.waiting.set(waiting);
            }
        });
    }
}
