//! The card of what waits for a decision: what the agent may not do before an operator has allowed it, or what it asks.
//! It stands above the composer, which stays usable, and is a form that works without script.

use domain::{
    permission::Question,
    transcript::{Item, Transcript},
};
use leptos::{either::Either, prelude::*, server_fn::ServerFn};

use super::{
    anew::Anew,
    prose::{revealed, shown},
    transcript::command,
};
use crate::{api::Decide, state::State};

/// The card, while something waits.
#[component]
pub(super) fn Waiting() -> impl IntoView {
    let state = State::current();
    view! {
        <div class="waiting" aria-live="polite">
            {move || state.waiting.get().and_then(|_| {
                state.transcript.with_untracked(|transcript| card(state, &Transcript::waiting(transcript)?.item).map(Anew))
            })}
        </div>
    }
}

fn card(state: State, item: &Item) -> Option<impl IntoView + use<>> {
    let Item::Permission { request_id, tool, line, questions, .. } = item else { return None };
    let asks = !questions.is_empty();
    let words = match tool.as_str() {
        _ if asks => "The agent asks".to_owned(),
        "Bash" => "The agent wants to run".to_owned(),
        tool => format!("The agent wants to use {tool}"),
    };
    let body = if asks {
        Either::Left(questions.iter().enumerate().map(|(place, asked)| question(place, asked)).collect::<Vec<_>>())
    } else {
        Either::Right(command(tool.clone(), revealed(line)))
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
            view! { <button name="decision" value=decision class=class>{words}</button> }
        })
        .collect();
    Some(view! {
        <form class="permission" method="post" action=Decide::PATH aria-label=words>
            <input type="hidden" name="session" value=state.session_id()/>
            <input type="hidden" name="key" value=state.key()/>
            <input type="hidden" name="request" value=request_id.clone()/>
            <h2>{words.clone()}</h2>
            <div class="asked">{body}</div>
            <div class="decide">
                {(!asks).then(|| text("message".into(), "Why not (optional)"))}
                {buttons}
            </div>
        </form>
    })
}

/// A question: one of its options, or several, or something else.
fn question(place: usize, question: &Question) -> impl IntoView + use<> {
    let (kind, apart) = if question.several { ("checkbox", 1) } else { ("radio", 0) };
    let name = |choice: usize| format!("answers[{place}][{choice}]");
    let options = question.options.iter().enumerate().map(|(choice, option)| {
        view! {
            <label class="override">
                <input type=kind name=name(choice * apart) value=shown(&option.label)/>
                <span><strong>{shown(&option.label)}</strong>" "{shown(&option.description)}</span>
            </label>
        }
    });
    view! {
        <fieldset>
            <legend>{shown(&question.text)}</legend>
            <input type="hidden" name=format!("questions[{place}]") value=question.text.clone()/>
            {options.collect::<Vec<_>>()}
            {text(name(question.options.len()), "Something else")}
        </fieldset>
    }
}

/// A field for a few words.
fn text(name: String, words: &'static str) -> impl IntoView {
    view! { <input class="words" name=name placeholder=words aria-label=words autocomplete="off"/> }
}
