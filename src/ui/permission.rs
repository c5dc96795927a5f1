//! The card of what waits for a decision: what the agent may not do before an operator has allowed it, or what it asks.
//! It stands above the composer, which stays usable, and is a form that works without script.

use domain::{
    permission::Question,
    transcript::{Item, Transcript},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    part::{Part, Parts, part},
    prose::{revealed, shown},
    transcript::command,
};
use crate::{api::Decide, state::State};

/// The card, while something waits.
pub(super) fn waiting(state: State) -> Option<Part> {
    state.waiting.get()?;
    let row = state.transcript.with_untracked(|transcript| Transcript::waiting(transcript).cloned())?;
    Some(part(move || card(state, &row.item)))
}

fn card(state: State, item: &Item) -> Option<impl IntoView + use<>> {
    let Item::Permission { request_id, tool, line, questions, .. } = item else { return None };
    let asks = !questions.is_empty();
    let words = match tool.as_str() {
        _ if asks => "The agent asks".to_owned(),
        "Bash" => "The agent wants to run".to_owned(),
        tool => format!("The agent wants to use {tool}"),
    };
    let body: Vec<_> = if asks {
        questions.iter().cloned().enumerate().map(|(place, asked)| part(move || question(place, &asked))).collect()
    } else {
        let (tool, line) = (tool.clone(), revealed(line));
        vec![part(move || command(tool, line))]
    };
    // Enter in a field presses the first button: it must be what the field is about, and never what allows.
    let buttons = if asks {
        vec![("allow_once", "primary", "Answer".to_owned()), ("deny", "", "Skip".to_owned())]
    } else {
        vec![
            ("deny", "deny", "Deny".to_owned()),
            ("allow_session", "", format!("Allow {tool} for this session")),
            ("allow_once", "primary", "Allow once".to_owned()),
        ]
    };
    let buttons: Vec<_> = buttons
        .into_iter()
        .map(|(decision, class, words)| {
            part(move || view! { <button name="decision" value=decision class=class>{words}</button> })
        })
        .collect();
    let why = (!asks).then(|| part(|| text("message".into(), "Why not (optional)")));
    Some(view! {
        <form class="permission" method="post" action=Decide::PATH aria-label=words>
            <input type="hidden" name="session" value=state.session_id()/>
            <input type="hidden" name="key" value=state.key()/>
            <input type="hidden" name="request" value=request_id.clone()/>
            <h2>{words.clone()}</h2>
            <div class="asked">{Parts::from(body)}</div>
            <div class="decide">
                {Parts::from(why)}
                {Parts::from(buttons)}
            </div>
        </form>
    })
}

/// A question: one of its options, or several, or something else.
fn question(place: usize, question: &Question) -> impl IntoView + use<> {
    let (kind, apart) = if question.several { ("checkbox", 1) } else { ("radio", 0) };
    let name = |choice: usize| format!("answers[{place}][{choice}]");
    let options = question.options.iter().cloned().enumerate().map(|(choice, option)| {
        let name = name(choice * apart);
        part(move || {
            view! {
                <label class="override">
                    <input type=kind name=name value=shown(&option.label)/>
                    <span><strong>{shown(&option.label)}</strong>" "{shown(&option.description)}</span>
                </label>
            }
        })
    });
    view! {
        <fieldset>
            <legend>{shown(&question.text)}</legend>
            <input type="hidden" name=format!("questions[{place}]") value=question.text.clone()/>
            {Parts::from(options.collect::<Vec<_>>())}
            {text(name(question.options.len()), "Something else")}
        </fieldset>
    }
}

/// A field for a few words.
fn text(name: String, words: &'static str) -> impl IntoView {
    view! { <input class="words" name=name placeholder=words aria-label=words autocomplete="off"/> }
}
