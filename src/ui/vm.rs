//! The places of what the server renders by itself: the verdict in a line, and the VM sheet. The browser's part takes them
//! over as they are and never looks inside.

use leptos::prelude::*;

use crate::state::State;

/// The verdict in a line, under the header.
#[component]
pub(super) fn GlancePlace() -> impl IntoView {
    let html = State::current().page.with_untracked(|page| page.parts.glance.clone());
    #[expect(clippy::disallowed_methods, reason = "rendered by `parts`, which escapes every text in it")]
    let place = leptos::html::div().class("glance-place").inner_html(html);
    place
}

/// The sheet on a phone, the side column on a desktop.
#[component]
pub(super) fn VmSheet() -> impl IntoView {
    let html = State::current().page.with_untracked(|page| page.parts.sheet.clone());
    #[expect(clippy::disallowed_methods, reason = "rendered by `parts`, which escapes every text in it")]
    let place = leptos::html::div().id("vm").class("vm").inner_html(html);
    place
}
