//! The regions of the page in which parts come and go. The server writes the parts of each with a mark behind them, a comment
//! with the region's name; the browser's part finds the marks, and keeps what stands before them. All else in the page
//! stands as the server has rendered it, and is no part of what a phone loads.

use leptos::{prelude::untrack, tachys::html::InertElement};

use super::{
    composer,
    part::Part,
    permission::waiting,
    transcript::{self, coming},
};
use crate::state::State;

/// What is shown in a region, by the state that was read for it.
pub type Parts = fn(State) -> Vec<Part>;

/// All regions, by their names.
pub const REGIONS: [(&str, Parts); 12] = [
    ("older", |state| listed(transcript::older(state))),
    ("none", |state| listed(transcript::none(state))),
    ("rows", transcript::rows),
    ("outbox", |state| listed(coming::outbox(state))),
    ("draft", |state| listed(coming::draft(state))),
    ("now", |state| listed(coming::now(state))),
    ("toast", |state| listed(composer::toast(state))),
    ("below", |state| listed(composer::below(state))),
    ("link", |state| listed(composer::link_bar(state))),
    ("disk", |state| listed(composer::disk(state))),
    ("waiting", |state| listed(waiting(state))),
    ("send", composer::stop_and_send),
];

fn listed(part: Option<Part>) -> Vec<Part> {
    part.into_iter().collect()
}

/// A region as the server writes it.
pub(super) fn region(name: &'static str, state: State) -> InertElement {
    let mut html = String::new();
    for (_, parts) in REGIONS.iter().filter(|(known, _)| *known == name) {
        untrack(|| parts(state)).into_iter().for_each(|part| part.write(&mut html));
    }
    InertElement::new(format!("{html}<!--{name}-->"))
}
