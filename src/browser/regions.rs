//! Keeps the regions of the page (`ui::region`): takes what the server has put there, and shows something else whenever a
//! signal changes that was read for it.

use leptos::{prelude::*, tachys::renderer::types::Node};

use crate::{
    state::State,
    ui::{
        part::{Part, Shown, renew, taken},
        region::REGIONS,
    },
};

/// Comments, to who walks through a document.
const COMMENTS: u32 = 128;

/// Keeps all of them for as long as the page lives.
pub(super) fn keep(state: State) {
    let Ok(walk) = document().create_tree_walker_with_what_to_show(&document(), COMMENTS) else { return };
    while let Ok(Some(mark)) = walk.next_node() {
        let name = mark.node_value().unwrap_or_default();
        if let Some((_, parts)) = REGIONS.iter().find(|(known, _)| *known == name) {
            keep_one(state, mark, *parts);
        }
    }
}

fn keep_one(state: State, mark: Node, parts: fn(State) -> Vec<Part>) {
    let effect = RenderEffect::new(move |before: Option<Vec<Shown>>| {
        let parts = parts(state);
        match (before, mark.parent_element()) {
            (Some(mut shown), Some(place)) => {
                renew(parts, &mut shown, &place, Some(&mark));
                shown
            }
            _ => taken(parts, &mark),
        }
    });
    std::mem::forget(effect);
}
