//! What the parts say alike: the verbs' names, ages, times, the fields that every form has.

use domain::{
    ids::{Millis, age_text},
    page::Controls,
    verb::Verb,
};
use leptos::prelude::*;

/// The verb as its button calls it.
pub(super) fn title(verb: Verb) -> &'static str {
    match verb {
        Verb::Status => "Status",
        Verb::Forensics => "Forensics",
        Verb::Start => "Start",
        Verb::Stop => "Stop",
        Verb::Reset => "Reset",
        Verb::Cycle => "Cycle",
    }
}

/// Its icon.
pub(super) fn icon_of(verb: Verb) -> &'static str {
    match verb {
        Verb::Status => "pulse",
        Verb::Forensics => "search",
        Verb::Start => "play",
        Verb::Stop => "stop",
        Verb::Reset => "reset",
        Verb::Cycle => "cycle",
    }
}

/// How long ago something was, which the browser's part counts on. It is a length of time and no time of day, so that
/// the two clocks need not agree.
pub(super) fn age(controls: &Controls, at: Millis) -> impl IntoView + use<> {
    let millis = controls.now.since(at);
    view! { <time data-age=millis.to_string()>{age_text(millis)}</time> }
}

/// So long, in seconds, and counted on.
pub(super) fn lasting(seconds: u64) -> impl IntoView {
    let millis = seconds * 1000;
    view! { <time data-age=millis.to_string()>{age_text(millis)}</time> }
}

/// How long a time of day says enough by itself.
const TODAY: u64 = 18 * 3_600_000;

/// A time of day, with its date where that is not plain. The browser's part puts its own in place of the former.
pub(super) fn clock(controls: &Controls, at: Millis) -> impl IntoView + use<> {
    let recent = controls.now.since(at) < TODAY;
    let words = if recent { format!("{} UTC", at.utc_clock()) } else { at.utc_date_time() };
    view! { <time data-at=recent.then(|| at.0.to_string())>{words}</time> }
}

/// The hidden fields of every form.
pub(super) fn fields(controls: &Controls) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="session" value=controls.session.clone()/>
        <input type="hidden" name="key" value=controls.key.clone()/>
    }
}

/// What a command or a host wrote. It stands in an element of its own, because a parser drops the first line end of `pre`.
pub(super) fn output(name: &'static str, text: String) -> impl IntoView {
    view! { <pre class="output" tabindex="0" aria-label=name><samp>{text}</samp></pre> }
}
