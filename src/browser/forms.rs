//! The page's forms, sent by fetch: the same fields to the same endpoint, with a key per intent. A try that failed on the
//! way keeps its key, so that trying again cannot do it twice.

use std::cell::RefCell;

use domain::{
    call::{FormAnswer, Told},
    event::Event,
};
use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::{HtmlButtonElement, HtmlFormElement, SubmitEvent};

use super::{dom, http, run, scroll, stream};
use crate::state::{Link, State};

/// An intent that may not have arrived.
struct Unsure {
    action: String,
    fields: String,
    key: String,
    at: f64,
}

/// How long a second tap counts as the same intent, in milliseconds. Later it is a new one.
const SAME_INTENT: f64 = 5.0 * 60.0 * 1000.0;

thread_local! {
    static UNSURE: RefCell<Vec<Unsure>> = const { RefCell::new(Vec::new()) };
    /// What is on its way, as action and fields: a second tap on it is the same tap.
    static SENDING: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// News of the session came: what it tells of has arrived, so the next tap on the same thing is a new intent.
pub(super) fn arrived(event: &Event) {
    let action = match event {
        Event::User { .. } => "/do/prompt",
        Event::Verb { .. } => "/do/verb",
        Event::Decision { .. } => "/do/decide",
        _ => return,
    };
    let known = UNSURE.with_borrow_mut(|unsure| {
        let before = unsure.len();
        unsure.retain(|unsure| unsure.action != action);
        unsure.len() < before
    });
    if let (true, Event::User { text, .. }, Some(field)) = (known, event, dom::field())
        && field.value().trim() == text.trim()
    {
        field.set_value("");
    }
}

/// Takes over the submission of every form that posts to the console's own endpoints.
pub(super) fn intercept(state: State) {
    dom::on(&document(), "submit", move |event| {
        let Ok(event) = event.dyn_into::<SubmitEvent>() else {
            return;
        };
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else {
            return;
        };
        let button = event.submitter().and_then(|element| element.dyn_into::<HtmlButtonElement>().ok());
        let action = button
            .as_ref()
            .and_then(|button| button.get_attribute("formaction"))
            .or_else(|| form.get_attribute("action"))
            .unwrap_or_default();
        if !action.starts_with("/do/") {
            return;
        }
        event.prevent_default();
        let sent = Sent::of(&form, button.as_ref(), action);
        if let Some(sent) = sent {
            leptos::task::spawn_local(send(state, sent));
        }
    });
}

/// What a form sends.
struct Sent {
    action: String,
    /// Its fields without the key, encoded.
    fields: String,
    /// Whether it goes into the running turn, as a further field. It is no part of the intent: what may have begun a turn
    /// must not be delivered into that turn as well.
    steer: String,
    /// True when it sends what was typed.
    typed: bool,
    form: HtmlFormElement,
}

impl Sent {
    fn of(form: &HtmlFormElement, button: Option<&HtmlButtonElement>, action: String) -> Option<Self> {
        let data = web_sys::FormData::new_with_form(form).ok()?;
        data.delete("key");
        let (name, value) = button.map(|button| (button.name(), button.value())).unwrap_or_default();
        let sends = name == "steer";
        let typed = action == "/do/prompt" && (sends || name.is_empty());
        if !sends && !name.is_empty() {
            data.append_with_str(&name, &value).ok()?;
        }
        if !typed {
            // A preset, Stop or a verb leaves what was typed where it is.
            data.delete("prompt");
        }
        let pairs = js_sys::Array::from(&data.entries());
        let params = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&pairs).ok()?;
        Some(Sent {
            action,
            fields: String::from(params.to_string()),
            steer: if sends { format!("&steer={value}") } else { String::new() },
            typed,
            form: form.clone(),
        })
    }
}

async fn send(state: State, sent: Sent) {
    let Sent { action, fields, steer, typed, form } = sent;
    let text = dom::field().map(|field| field.value()).unwrap_or_default();
    if typed && text.trim().is_empty() {
        return;
    }
    let this = (action.clone(), fields.clone());
    if SENDING.with_borrow(|sending| sending.contains(&this)) {
        return;
    }
    SENDING.with_borrow_mut(|sending| sending.push(this.clone()));
    let stop = action == "/do/stop";
    if stop {
        state.stopping.set(true);
    }
    if typed {
        state.sending.set(true);
    }
    let now = js_sys::Date::now();
    let key = UNSURE.with_borrow_mut(|unsure| {
        unsure.retain(|other| now - other.at < SAME_INTENT);
        let place = unsure.iter().position(|other| (&other.action, &other.fields) == (&action, &fields));
        place.map(|place| unsure.remove(place).key)
    });
    let again = key.is_some();
    let key = key.unwrap_or_else(new_key);
    let answered = post(&action, &format!("{fields}{steer}&key={key}")).await;
    SENDING.with_borrow_mut(|sending| sending.retain(|other| *other != this));
    if typed {
        state.sending.set(false);
    }
    if stop && !matches!(answered, Ok(FormAnswer::Cancelled { cancelled: true })) {
        state.stopping.set(false);
    }
    // What may have arrived keeps its key, also when a later try could not be answered yet.
    let unsettled = match &answered {
        Err(Trouble::NotSent) => true,
        Err(Trouble::SignedOut) => again,
        Ok(FormAnswer::Failed { status: 409 | 429 | 503, .. }) => again,
        _ => false,
    };
    if unsettled {
        UNSURE.with_borrow_mut(|unsure| {
            unsure.push(Unsure { action, fields, key, at: now });
        });
    }
    match answered {
        Ok(FormAnswer::Started { session_id } | FormAnswer::Opened { session_id })
            if session_id.as_str() != state.session_id() =>
        {
            let _ = window().location().assign(&format!("/s/{session_id}"));
        }
        Ok(FormAnswer::Started { .. } | FormAnswer::Opened { .. }) => {
            // What was typed meanwhile stays.
            if let Some(field) = dom::field().filter(|field| typed && field.value() == text) {
                field.set_value("");
            }
            scroll::to_end(state);
            stream::expect_news(state);
        }
        Ok(FormAnswer::Cancelled { cancelled }) => {
            if cancelled {
                stream::expect_news(state);
            } else {
                dom::toast(state, "Nothing was running.".into());
            }
        }
        Ok(FormAnswer::Decided { .. }) => {
            // The card goes when its decision comes; until then it takes no second one.
            let _ = form.set_attribute("inert", "");
            stream::expect_news(state);
        }
        Ok(FormAnswer::Running { run_id }) => {
            if let Ok(Some(details)) = form.closest("details.confirm") {
                let _ = details.remove_attribute("open");
            }
            run::follow(state, run_id);
        }
        Ok(FormAnswer::Failed { detail, overridable, .. }) => {
            if overridable {
                state.unknown.set(true);
            }
            dom::toast(state, detail);
        }
        Err(Trouble::SignedOut) => state.link.set(Link::SignedOut),
        Err(Trouble::Refused(detail)) => {
            dom::toast(state, detail);
        }
        Err(Trouble::NotSent) => {
            dom::toast(state, "This could not be sent. Check the connection and try again: it runs only once.".into());
        }
    }
}

enum Trouble {
    /// No answer came; it may have arrived.
    NotSent,
    SignedOut,
    Refused(String),
}

async fn post(action: &str, body: &str) -> Result<FormAnswer, Trouble> {
    let answer = http::post(action, body).await;
    match answer.status() {
        401 => Err(Trouble::SignedOut),
        // What a proxy answers while the console restarts says nothing of what became of it.
        0 | 502..=504 => Err(Trouble::NotSent),
        1..=399 => answer.body().await.ok_or(Trouble::NotSent),
        _ => match answer.body::<Told>().await {
            Some(told) => Err(Trouble::Refused(told.detail)),
            None => Err(Trouble::NotSent),
        },
    }
}

/// 128 random bits. `crypto.randomUUID` does not exist on plain http, and a key need not be secret, only new.
fn new_key() -> String {
    let part = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}{:08x}", part(), part(), part(), part())
}
