//! The way back up after a mutation, as a timeline: what was reached, when, and what is waited for.

use domain::{
    ids::{Millis, age_text},
    page::Controls,
    probe::{Reached, WayUp},
    verb::Verb,
};
use leptos::prelude::*;

use super::words::age;

/// The points that a verb passes.
fn points(verb: Verb) -> &'static [Reached] {
    match verb {
        Verb::Status | Verb::Forensics => &[],
        Verb::Start | Verb::Reset => &[Reached::Captured, Reached::Starting, Reached::Running, Reached::Ssh],
        Verb::Stop => &[Reached::Captured, Reached::Stopped],
        Verb::Cycle => &[Reached::Captured, Reached::Stopped, Reached::Starting, Reached::Running, Reached::Ssh],
    }
}

fn words(verb: Verb, reached: Reached) -> &'static str {
    match reached {
        Reached::Captured => "evidence taken",
        Reached::Stopped => "stopped",
        Reached::Starting if verb == Verb::Reset => "reset",
        Reached::Starting => "starting",
        Reached::Running => "running",
        Reached::Ssh => "SSH answers",
    }
}

/// The timeline.
pub(super) fn way_up(way: &WayUp, controls: &Controls) -> impl IntoView + use<> {
    let mut points = points(way.verb).to_vec();
    // What was reached is shown also where nobody expected it.
    points.extend(way.steps.iter().map(|step| step.reached));
    points.sort_unstable();
    points.dedup();
    if way.failed {
        // It went no further, and nothing more comes.
        points.retain(|point| way.has(*point));
    }
    let mut waited_for = !way.over;
    let points: Vec<_> = points
        .into_iter()
        .map(|point| {
            let at = way.steps.iter().find(|step| step.reached == point).map(|step| step.at);
            let look = match at {
                Some(_) => "reached",
                None if std::mem::take(&mut waited_for) => "awaited",
                None => "ahead",
            };
            step(look, words(way.verb, point), at, way, controls)
        })
        .collect();
    let last = way.steps.last().map(|step| step.reached);
    let lost = way.over && !way.failed && !matches!(last, Some(Reached::Ssh | Reached::Stopped));
    let lost = lost
        .then(|| view! { <p class="run-detail">"It was not seen to come back. The strip says how it stands now."</p> });
    view! { <ol class="way" aria-label="The way back up">{points}</ol>{lost} }
}

fn step(
    look: &'static str,
    words: &'static str,
    at: Option<Millis>,
    way: &WayUp,
    controls: &Controls,
) -> impl IntoView + use<> {
    let reached = at.map(|at| view! { <span class="way-time">{format!("+{}", age_text(at.since(way.began)))}</span> });
    let awaited =
        (look == "awaited").then(|| view! { <span class="way-time">"since "{age(controls, last(way))}</span> });
    let unseen = (look == "ahead" && way.over).then(|| view! { <span class="way-time">"not seen"</span> });
    view! {
        <li data-look=look>
            <span class="way-point" aria-hidden="true"></span>
            <span>{words}</span>
            {reached}{awaited}{unseen}
        </li>
    }
}

/// When the last point was reached.
fn last(way: &WayUp) -> Millis {
    way.steps.iter().map(|step| step.at).max().unwrap_or(way.began)
}
