//! How the target is, where it answers: since when it is up, its load's course, and its figures as bars.

use domain::probe::Figures;
use leptos::prelude::*;

use super::words::lasting;
use crate::bars::bars;

/// The figures of a target that answers.
pub(super) fn figures(figures: &Figures) -> impl IntoView + use<> {
    let uptime = figures.uptime.map(|seconds| view! { <span>"up "{lasting(seconds)}</span> });
    let load = figures.load.map(|[one, five, fifteen]| {
        view! { <span title="over 1, 5 and 15 minutes">{format!("load {one:.2} {five:.2} {fifteen:.2}")}</span> }
    });
    let shares = figures.bars();
    let shares = (!shares.is_empty()).then(|| {
        #[expect(clippy::disallowed_methods, reason = "rendered by `bars`, which escapes every text in it")]
        let list = leptos::html::div().inner_html(bars(&shares));
        list
    });
    view! { <p class="figures">{uptime}{load}</p>{shares} }
}
