//! What stands below the transcript's rows: prompts on their way, what is being written, and what happens now.

use leptos::prelude::*;

use super::super::{
    html::Html,
    part::{Around, Part, around, part},
    prose::growing,
};
use crate::state::{Outgoing, State, Step};

/// The prompts that are on their way, after all that came.
pub(in crate::ui) fn outbox(state: State) -> Option<Part> {
    let outbox = state.outbox.get();
    (!outbox.is_empty()).then(|| {
        part(move |html| {
            html.fill(r#"<ol class="outbox" aria-live="polite">"#, &[]);
            outbox.iter().for_each(|outgoing| pending(html, outgoing));
            html.fill("</ol>", &[]);
        })
    })
}

fn pending(html: &mut Html, Outgoing { key, words, step, typed, .. }: &Outgoing) {
    let (look, says) = match step {
        Step::Sending => ("sending", "sending"),
        Step::Sent => ("sent", "sent"),
        Step::Unsure => ("unsure", "No answer yet. It is sent again as soon as the console answers, and runs once."),
        Step::Failed(why) => ("failed", why.as_str()),
    };
    let markup = r#"<li class="pending" data-step="{}"><div class="bubble">{}</div><p class="meta">{}</p>"#;
    html.fill(markup, &[look, words, says]);
    if look == "unsure" || look == "failed" {
        let back = if *typed { "Take back into the field" } else { "Remove" };
        let markup = concat!(
            r#"<div class="ways"><button type="button" data-act="again" data-key="{}">Send again</button>"#,
            r#"<button type="button" data-act="take-back" data-key="{}">{}</button></div>"#
        );
        html.fill(markup, &[key, key, back]);
    }
    html.fill("</li>", &[]);
}

/// What the backend has written so far. Of its blocks only those change that are others than before.
pub(in crate::ui) fn draft(state: State) -> Option<Part> {
    let blocks = growing(&state.draft.get()?);
    let before = Html::of(|html| html.fill(r#"<div class="bubble agent prose draft">"#, &[]));
    let one = |(place, block): (usize, Html)| {
        let key = (place as u64) << 32 | u64::from(block.fingerprint());
        part(move |html| html.html(&block)).keyed(key)
    };
    let parts: Vec<_> = blocks.into_iter().enumerate().map(one).collect();
    (!parts.is_empty()).then(|| around(Around { before, after: "</div>", fold: None, parts }).keyed(0))
}

/// What happens now: that something is at work and for how long, or what can be done after it failed.
pub(in crate::ui) fn now(state: State) -> Option<Part> {
    if !state.working() {
        return without_ai(state);
    }
    // Its words change in place, each second.
    let now = part(move |html| {
        let words = untrack(|| state.now());
        let markup =
            r#"<p class="now"><span class="pulse" aria-hidden="true"></span><span class="now-words">{}</span></p>"#;
        html.fill(markup, &[&words]);
    });
    Some(now.keyed(0))
}

/// After a turn that failed: its preset, else the first, as plain commands. The button belongs to the composer's form.
fn without_ai(state: State) -> Option<Part> {
    let presets = state.page.with_untracked(|page| page.surroundings.has_ai.then(|| page.presets.clone()))?;
    let asked = state.transcript.with(|transcript| transcript.failed().map(str::to_owned))?;
    let preset = presets.iter().find(|preset| preset.label == asked).or(presets.first())?.clone();
    Some(part(move |html| {
        let id = preset.id.to_string();
        html.fill(r#"<button class="without-ai-offer" form="composer" name="runbook" value="{}">"#, &[&id]);
        html.icon("terminal");
        html.fill("Run {} without AI</button>", &[&preset.label]);
    }))
}
