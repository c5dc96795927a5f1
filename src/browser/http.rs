//! A call to the console by the browser's own fetch.

use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

use super::decode::decoded;

/// An answer; none came where there is no status.
pub(super) struct Answer(Option<Response>);

impl Answer {
    /// Its status, or 0 where none came.
    pub(super) fn status(&self) -> u16 {
        self.0.as_ref().map_or(0, Response::status)
    }

    /// Its body as a type of ours, or nothing where it is none.
    pub(super) async fn body<T: DeserializeOwned>(self) -> Option<T> {
        let text = JsFuture::from(self.0?.text().ok()?).await.ok()?;
        decoded(&text.as_string()?)
    }
}

/// Asks for what is at this address.
pub(super) async fn get(url: &str) -> Answer {
    call(url, &RequestInit::new()).await
}

/// Sends the fields of a form.
pub(super) async fn post(url: &str, fields: &str) -> Answer {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(fields));
    if let Ok(headers) = Headers::new() {
        let _ = headers.set("content-type", "application/x-www-form-urlencoded");
        let _ = headers.set("accept", "application/json");
        init.set_headers(&headers);
    }
    call(url, &init).await
}

async fn call(url: &str, init: &RequestInit) -> Answer {
    let answered = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(url, init)).await;
    Answer(answered.ok().and_then(|answer| answer.dyn_into().ok()))
}
