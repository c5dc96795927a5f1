//! The page's forms, sent by fetch: the same fields to the same endpoint, with a key per intent. A try that failed on the
//! way keeps its key, so that trying again cannot do it twice.

use std::cell::RefCell;

use domain::{
    call::{FormAnswer, Told},
    event::Event,
};
use leptos::{prelude::*, wasm_bindgen::JsCast};
use web_sys::{HtmlButtonElement, HtmlFormElement, SubmitEvent};

use super::{dom, http, outbox, parts, run, stream};
use crate::state::State;

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
    UNSURE.with_borrow_mut(|unsure| unsure.retain(|unsure| unsure.action != action));
}

/// Remembers the key of an intent that may have arrived.
pub(super) fn unsure(action: String, fields: String, key: String) {
    UNSURE.with_borrow_mut(|unsure| unsure.push(Unsure { action, fields, key, at: js_sys::Date::now() }));
}

/// The key of an intent that may have arrived, if this is one.
fn known_key(action: &str, fields: &str) -> Option<String> {
    let now = js_sys::Date::now();
    UNSURE.with_borrow_mut(|unsure| {
        unsure.retain(|other| now - other.at < SAME_INTENT);
        let place = unsure.iter().position(|other| (other.action.as_str(), other.fields.as_str()) == (action, fields));
        place.map(|place| unsure.remove(place).key)
    })
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
        match sent {
            Some(Sent { action, fields, steer, .. }) if action == "/do/prompt" => {
                let key = known_key(&action, &fields);
                outbox::post(state, fields, steer, key);
            }
            Some(sent) => dom::spawn(send(state, sent)),
            None => {}
        }
    });
}

/// What a form sends.
struct Sent {
    action: String,
    /// Its fields without the key, encoded.
    fields: String,
    /// Whether it goes into the running turn. It is no part of the intent: what may have begun a turn must not be delivered
    /// into that turn as well.
    steer: bool,
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
            steer: sends && value == "true",
            form: form.clone(),
        })
    }
}

async fn send(state: State, sent: Sent) {
    let Sent { action, fields, form, .. } = sent;
    let this = (action.clone(), fields.clone());
    if SENDING.with_borrow(|sending| sending.contains(&this)) {
        return;
    }
    SENDING.with_borrow_mut(|sending| sending.push(this.clone()));
    let stop = action == "/do/stop";
    if stop {
        state.stopping.set(true);
    }
    let key = known_key(&action, &fields);
    let again = key.is_some();
    let key = key.unwrap_or_else(new_key);
    let answered = post(&action, &format!("{fields}&key={key}")).await;
    SENDING.with_borrow_mut(|sending| sending.retain(|other| *other != this));
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
        unsure(action, fields, key);
    }
    match answered {
        Ok(FormAnswer::Started { session_id } | FormAnswer::Opened { session_id })
            if session_id.as_str() != state.session_id() =>
        {
            let _ = window().location().assign(&format!("/s/{session_id}"));
        }
        Ok(FormAnswer::Started { .. } | FormAnswer::Opened { .. } | FormAnswer::Archived { .. }) => {}
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
            run::follow(state, run_id.to_string());
            parts::news(state);
        }
        Ok(FormAnswer::Noted {}) => {
            if let Ok(Some(details)) = form.closest("[data-hold]") {
                let _ = details.remove_attribute("open");
            }
            parts::news(state);
        }
        Ok(FormAnswer::Failed { detail, .. }) => {
            // It may ask for an override, which the strip knows.
            parts::news(state);
            dom::toast(state, detail);
        }
        Err(Trouble::SignedOut) => stream::signed_out(state),
        Err(Trouble::Refused(detail)) => {
            dom::toast(state, detail);
        }
        Err(Trouble::NotSent) => {
            dom::toast(state, "This could not be sent. Check the connection and try again: it runs only once.".into());
        }
    }
}

/// Why there is no answer of the console's.
pub(super) enum Trouble {
    /// No answer came; it may have arrived.
    NotSent,
    SignedOut,
    Refused(String),
}

/// Sends a form's fields.
pub(super) async fn post(action: &str, body: &str) -> Result<FormAnswer, Trouble> {
    let answer = http::post(action, body).await;
    match answer.status() {
        http::SIGNED_OUT => Err(Trouble::SignedOut),
        // What a proxy answers while the console restarts says nothing of what became of it.
        http::NONE | 502..=504 => Err(Trouble::NotSent),
        1..=399 => answer.body().await.ok_or(Trouble::NotSent),
        _ => match answer.body::<Told>().await {
            Some(told) => Err(Trouble::Refused(told.detail)),
            None => Err(Trouble::NotSent),
        },
    }
}

/// 128 random bits. `crypto.randomUUID` does not exist on plain http, and a key need not be secret, only new.
pub(super) fn new_key() -> String {
    let part = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{:08x}{:08x}{:08x}{:08x}", part(), part(), part(), part())
}
