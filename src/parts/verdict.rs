//! What it all means: the verdict with its reasons and the way to the verb that it recommends; and the same in a line, for
//! where there is no room.

use domain::{
    ids::Millis,
    page::Controls,
    probe::{Standing, Verdict},
    verb::Verb,
};
use leptos::prelude::*;

use super::{
    icons::icon,
    words::{age, icon_of, title},
};

/// How a standing looks, and what it is called in two or three words.
fn short(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::AllAnswers => ("well", "all answers"),
        Standing::Busy => ("busy", "busy"),
        Standing::SshDead => ("dead", "SSH is dead, the guest lives"),
        Standing::GuestSilent => ("dead", "the guest is silent"),
        Standing::Stalled => ("stalled", "QEMU is stalled"),
        Standing::Stopped => ("stopped", "stopped"),
        Standing::ComingUp => ("coming", "coming up"),
        Standing::HypervisorSilent => ("away", "the hypervisor is silent"),
        Standing::Unclear => ("unclear", "unclear"),
    }
}

/// How it stands, as a look and in short. What nobody knows, and what is under way, comes before what was seen.
fn standing(controls: &Controls) -> (&'static str, String) {
    let status = &controls.status;
    match (&status.running, &status.unknown, &status.verdict) {
        (Some(running), _, _) => ("coming", format!("{} is running", running.verb)),
        (None, Some(unknown), _) => ("unclear", format!("nobody knows what became of the {}", unknown.verb)),
        (None, None, Some(verdict)) => {
            let (look, words) = short(verdict.standing);
            (look, words.to_owned())
        }
        (None, None, None) => ("unclear", "not looked at yet".to_owned()),
    }
}

/// When the target was last looked at.
pub(super) fn looked_at(controls: &Controls) -> Option<Millis> {
    let status = &controls.status;
    let looks = [status.hypervisor.as_ref().map(|look| look.at), status.ssh.as_ref().map(|look| look.at)];
    looks.into_iter().flatten().max()
}

/// The verdict in a line. A tap on it opens the sheet.
pub(super) fn glance(controls: &Controls) -> impl IntoView + use<> {
    let (look, words) = standing(controls);
    let target = controls.surroundings.target.clone();
    let locked = controls.status.lock.is_some().then(|| icon("lock"));
    let changed = (!controls.status.changed_keys.is_empty()).then(|| icon("alert"));
    let age = looked_at(controls).map(|at| view! { {age(controls, at)}" ago" });
    view! {
        <a id="glance" class="glance" href="#vm" data-standing=look>
            <span class="standing" aria-hidden="true"></span>
            <span class="glance-words"><strong>{target}</strong>{format!(" · {words}")}</span>
            {locked}
            {changed}
            <span class="glance-age">{age}</span>
        </a>
    }
}

/// The verdict with its reasons.
pub(super) fn verdict(controls: &Controls) -> impl IntoView + use<> {
    let (look, words) = standing(controls);
    let mut capitals = words.chars();
    let words = capitals.next().map(|first| first.to_uppercase().collect::<String>() + capitals.as_str());
    let said = controls.status.verdict.as_ref();
    let look = said.map_or(look, |verdict| short(verdict.standing).0);
    let headline = said.map_or(words, |verdict| Some(verdict.headline.clone()));
    let reasons = said.filter(|verdict| !verdict.reasons.is_empty()).map(|Verdict { reasons, .. }| {
        let lines: Vec<_> = reasons.iter().map(|reason| view! { <li>{reason.clone()}</li> }).collect();
        view! {
            <details id="reasons" class="reasons">
                <summary id="reasons-why">"Why"</summary>
                <ul>{lines}</ul>
            </details>
        }
    });
    let recommended = said.and_then(|verdict| verdict.recommends).map(|verb| recommended(verb, controls));
    let again = format!("?look={}#vm", controls.key);
    view! {
        <div class="verdict" data-standing=look>
            <p class="headline-row">
                <span class="standing" aria-hidden="true"></span>
                <strong class="headline">{headline}</strong>
            </p>
            <div class="verdict-more">
                {reasons}
                <a id="look-again" class="again" data-act="look" href=again>"Look again"</a>
            </div>
            {recommended}
        </div>
    }
}

/// The way to the verb that the rules recommend. It leads to the confirmation and does nothing by itself.
fn recommended(verb: Verb, controls: &Controls) -> impl IntoView + use<> {
    let words = match verb {
        Verb::Status => "Check with status…".to_owned(),
        verb => format!("{} {}…", title(verb), controls.surroundings.target),
    };
    view! {
        <a id="recommended" class="recommended" href=format!("#do-{verb}") data-opens=verb.as_str()>
            {icon(icon_of(verb))}
            {words}
        </a>
    }
}
