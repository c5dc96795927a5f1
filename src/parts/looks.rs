//! What was seen: the hypervisor's word and SSH's, each with its age and since when it is so.

use domain::{
    ids::Millis,
    page::Controls,
    probe::{HostLook, HostSays, SshLook, SshSays},
};
use leptos::{either::Either, prelude::*};

use super::{
    figures::figures,
    words::{age, lasting},
};

/// Both looks.
pub(super) fn looks(controls: &Controls) -> impl IntoView + use<> {
    let surroundings = &controls.surroundings;
    let host = match &controls.status.hypervisor {
        Some(look) => Either::Left(host(look, controls)),
        None => Either::Right(nothing("Hypervisor", surroundings.hypervisor_configured)),
    };
    let ssh = match &controls.status.ssh {
        Some(look) => Either::Left(ssh(look, controls)),
        None => Either::Right(nothing("SSH", surroundings.target_configured)),
    };
    view! { <dl class="looks">{host}{ssh}</dl> }
}

/// There is nothing to say of it yet.
fn nothing(what: &'static str, configured: bool) -> impl IntoView {
    let words = if configured { "not asked yet" } else { "not configured" };
    view! { <div class="look" data-look="none"><dt>{what}</dt><dd><p>{words}</p></dd></div> }
}

/// True: it answers. False: it is silent. Null: nobody listens, or nobody knows.
fn answers(what: &'static str, answers: Option<bool>) -> Option<impl IntoView> {
    answers.map(|answers| {
        let (look, words) = if answers { ("well", "answers") } else { ("ill", "is silent") };
        view! { <span data-look=look>{format!("{what} {words}")}</span> }
    })
}

fn host(look: &HostLook, controls: &Controls) -> impl IntoView + use<> {
    let (well, words, why) = match &look.says {
        HostSays::Answers { vm, .. } => (vm == "running", format!("VM {vm}"), None),
        HostSays::Unclear { why } => (false, "answers, and gave no status".to_owned(), Some(why.clone())),
        HostSays::Refused { why } => (false, "lets nobody in".to_owned(), Some(why.clone())),
        HostSays::Silent { why } => (false, "does not answer".to_owned(), Some(why.clone())),
    };
    let facts = if let HostSays::Answers { uptime, monitor, agent, vm_lock, .. } = &look.says {
        let uptime = uptime.map(|seconds| view! { <span>"QEMU up "{lasting(seconds)}</span> });
        let vm_lock = vm_lock.clone().map(|word| view! { <span data-look="ill">{format!("locked: {word}")}</span> });
        Some(view! {
            <p class="figures">
                {uptime}
                {answers("monitor", *monitor)}
                {answers("guest agent", *agent)}
                {vm_lock}
            </p>
        })
    } else {
        None
    };
    let answering = matches!(look.says, HostSays::Answers { .. } | HostSays::Unclear { .. });
    view! {
        <div class="look" data-look=if well { "well" } else { "ill" }>
            <dt>"Hypervisor"</dt>
            <dd>
                <p><strong>{words}</strong>{why.map(|why| format!(": {why}"))}</p>
                {facts}
            </dd>
            {times(controls, look.at, look.since, answering)}
        </div>
    }
}

fn ssh(look: &SshLook, controls: &Controls) -> impl IntoView + use<> {
    let (look_is, words, why) = match &look.says {
        SshSays::Answers(_) => ("well", "answers".to_owned(), None),
        SshSays::Banner { software, why } => {
            ("ill", format!("{software} answers, and no command ends"), Some(why.clone()))
        }
        SshSays::Refused { why } => ("ill", "lets nobody in".to_owned(), Some(why.clone())),
        SshSays::Silent { why } => ("ill", "does not answer".to_owned(), Some(why.clone())),
    };
    let found = match &look.says {
        SshSays::Answers(found) => Some(figures(found)),
        _ => None,
    };
    let answering = matches!(look.says, SshSays::Answers(_));
    view! {
        <div class="look" data-look=look_is>
            <dt>"SSH"</dt>
            <dd>
                <p><strong>{words}</strong>{why.filter(|why| !why.is_empty()).map(|why| format!(": {why}"))}</p>
                {found}
            </dd>
            {times(controls, look.at, look.since, answering)}
        </div>
    }
}

/// When it was seen, and since when it is so.
fn times(controls: &Controls, at: Millis, since: Millis, answering: bool) -> impl IntoView + use<> {
    let so = if answering { "answers for " } else { "so for " };
    view! {
        <dd class="look-times">
            <span>{so}{age(controls, since)}</span>
            <span>{age(controls, at)}" ago"</span>
        </dd>
    }
}
