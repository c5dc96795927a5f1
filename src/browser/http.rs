//! A call to the console by the browser's own fetch. Whatever stands between the two may answer in the console's place; an
//! answer that is none of the console's is told from one that is.

use domain::read::Read;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, Headers, RequestInit, RequestRedirect, Response};

use super::{decode::read, dom};

/// No answer came.
pub(super) const NONE: u16 = 0;
/// The sign-in is over.
pub(super) const SIGNED_OUT: u16 = 401;
/// Something else answers in the console's place.
const NOT_THE_CONSOLE: u16 = 502;

/// An answer; none came where there is no response.
pub(super) struct Answer(Option<Response>);

impl Answer {
    /// Its status, or [`NONE`]. A login page, and the way to one, count as [`SIGNED_OUT`].
    pub(super) fn status(&self) -> u16 {
        let Some(response) = &self.0 else { return NONE };
        if self.header("x-breakglass-part").is_some() {
            return response.status();
        }
        match (self.header("content-type"), response.status()) {
            (Some(kind), status) if kind.starts_with("application/json") || kind.starts_with("text/event-s") => status,
            (_, 0..=399 | 401 | 403) => SIGNED_OUT,
            _ => NOT_THE_CONSOLE,
        }
    }

    /// One of its headers.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.0.as_ref()?.headers().get(name).ok()?
    }

    /// The response itself.
    pub(super) fn response(&self) -> Option<&Response> {
        self.0.as_ref()
    }

    /// Its body.
    pub(super) async fn text(self) -> Option<String> {
        JsFuture::from(self.0?.text().ok()?).await.ok()?.as_string()
    }

    /// Its body as a type of ours, or nothing where it is none.
    pub(super) async fn body<T: Read>(self) -> Option<T> {
        read(self.parsed().await?)
    }

    async fn parsed(self) -> Option<JsValue> {
        JsFuture::from(self.0?.json().ok()?).await.ok()
    }
}

/// How long an answer is waited for, in milliseconds. A connection that died with the last network says nothing for
/// minutes; whatever is sent again has the same key.
const PATIENCE: f64 = 20_000.0;

/// Asks for what is at this address: until `signal`, or for as long as anybody should wait.
pub(super) async fn get(url: &str, signal: Option<AbortSignal>) -> Answer {
    let init = RequestInit::new();
    init.set_signal(signal.or_else(patience).as_ref());
    call(url, &init).await
}

/// Ends a call that nobody answers.
fn patience() -> Option<AbortSignal> {
    let patience = AbortController::new().ok()?;
    let signal = patience.signal();
    dom::later(PATIENCE, move || patience.abort());
    Some(signal)
}

/// Sends the fields of a form.
pub(super) async fn post(url: &str, fields: &str) -> Answer {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_signal(patience().as_ref());
    init.set_body(&JsValue::from_str(fields));
    if let Ok(headers) = Headers::new() {
        let _ = headers.set("content-type", "application/x-www-form-urlencoded");
        let _ = headers.set("accept", "application/json");
        init.set_headers(&headers);
    }
    call(url, &init).await
}

async fn call(url: &str, init: &RequestInit) -> Answer {
    // The console sends no call elsewhere. Who does is a login, which lies at another site as often as not.
    init.set_redirect(RequestRedirect::Manual);
    let answered = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(url, init)).await;
    Answer(answered.ok().and_then(|answer| answer.dyn_into().ok()))
}
