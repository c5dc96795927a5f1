//! The card of what waits for a decision: what the agent may not do before an operator has allowed it, or what it asks.
//! It stands above the composer, which stays usable, and is a form that works without script.

use domain::{
    permission::Question,
    transcript::{Item, Transcript},
};
use leptos::server_fn::ServerFn;

use super::{
    html::Html,
    part::{Part, part},
    reveal::revealed,
};
use crate::{api::Decide, state::State};

/// The card, while something waits.
pub(super) fn waiting(state: State) -> Option<Part> {
    state.waiting.get()?;
    let row = state.transcript.with_untracked(|transcript| Transcript::waiting(transcript).cloned())?;
    Some(part(move |html| card(html, state, &row.item)))
}

fn card(html: &mut Html, state: State, item: &Item) {
    let Item::Permission { request_id, tool, line, questions, .. } = item else { return };
    let asks = !questions.is_empty();
    let words = match tool.as_str() {
        _ if asks => "The agent asks".to_owned(),
        "Bash" => "The agent wants to run".to_owned(),
        tool => format!("The agent wants to use {tool}"),
    };
    let markup = concat!(
        r#"<form class="permission" method="post" action="{}" aria-label="{}"><input type="hidden" name="session" value="{}">"#,
        r#"<input type="hidden" name="key" value="{}"><input type="hidden" name="request" value="{}"><h2>{}</h2>"#,
        r#"<div class="asked">"#
    );
    html.fill(markup, &[Decide::PATH, &words, &state.session_id(), &state.key(), request_id, &words]);
    for (place, asked) in questions.iter().enumerate() {
        question(html, place, asked);
    }
    // Enter in a field presses the first button: it must be what the field is about, and never what allows.
    if asks {
        let markup = concat!(
            r#"</div><div class="decide"><button name="decision" value="allow_once" class="primary">Answer</button>"#,
            r#"<button name="decision" value="deny">Skip</button></div></form>"#
        );
        html.fill(markup, &[]);
    } else {
        // It can be reached by keys, because it scrolls.
        let markup =
            r#"<pre class="command" tabindex="0" aria-label="{}"><code>{}</code></pre></div><div class="decide">"#;
        html.fill(markup, &[tool, &revealed(line)]);
        text(html, "message", "Why not (optional)");
        let markup = concat!(
            r#"<button name="decision" value="deny" class="deny">Deny</button>"#,
            r#"<button name="decision" value="allow_session">Allow {} for this session</button>"#,
            r#"<button name="decision" value="allow_once" class="primary">Allow once</button></div></form>"#
        );
        html.fill(markup, &[tool]);
    }
}

/// A question: one of its options, or several, or something else.
fn question(html: &mut Html, place: usize, question: &Question) {
    let (kind, apart) = if question.several { ("checkbox", 1) } else { ("radio", 0) };
    let name = |choice: usize| format!("answers[{place}][{choice}]");
    let markup = r#"<fieldset><legend>{}</legend><input type="hidden" name="questions[{}]" value="{}">"#;
    html.fill(markup, &[&question.text, &place.to_string(), &question.text]);
    for (choice, option) in question.options.iter().enumerate() {
        let markup = concat!(
            r#"<label class="override"><input type="{}" name="{}" value="{}">"#,
            "<span><strong>{}</strong> {}</span></label>"
        );
        html.fill(markup, &[kind, &name(choice * apart), &option.label, &option.label, &option.description]);
    }
    text(html, &name(question.options.len()), "Something else");
    html.fill("</fieldset>", &[]);
}

/// A field for a few words.
fn text(html: &mut Html, name: &str, words: &str) {
    let markup = r#"<input class="words" name="{}" placeholder="{}" aria-label="{}" autocomplete="off">"#;
    html.fill(markup, &[name, words, words]);
}
