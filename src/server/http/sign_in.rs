//! The sign-in page: GET shows a field and a button and spends nothing (previews and prefetching open links too), POST
//! spends the code.

use axum::{
    extract::{Query, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use leptos_axum::render_app_async_with_context;
use serde::Deserialize;

use super::{call, pages};
use crate::{
    server::{
        auth::{COOKIE, sign_in::SIGN_IN_LIVES},
        console::Console,
        failure::Failure,
    },
    ui::sign_in::{SignIn, SignInShell},
};

#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

pub(super) async fn show(State(console): State<Console>, Query(code): Query<Code>) -> Response {
    page(&console, StatusCode::OK, Some(code.code), "").await
}

pub(super) async fn spend(State(console): State<Console>, request: Request) -> Response {
    if !console.gate.has_sign_in() {
        return Failure::NotFound.into_response();
    }
    let (parts, body) = request.into_parts();
    // A code is short; a stranger's long body is not read.
    let spent = match call::bounded(&parts.headers, body, 1024).await {
        Ok(body) => match serde_urlencoded_code(&body) {
            Some(code) => console.tries.spend(&code, &console.store).await,
            None => Err(Failure::CodeWrong),
        },
        Err(failure) => Err(failure),
    };
    match spent {
        Ok(token) => {
            let secure = if console.gate.is_https() { "; Secure" } else { "" };
            let seconds = SIGN_IN_LIVES / 1000;
            let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
            let mut response = Redirect::to("/").into_response();
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(failure) if pages::wants_html(&parts.headers) => {
            page(&console, failure.status().0, None, &failure.body().detail).await
        }
        Err(failure) => failure.into_response(),
    }
}

/// The `code` field of a form.
fn serde_urlencoded_code(body: &[u8]) -> Option<String> {
    let uri = format!("/?{}", std::str::from_utf8(body).ok()?).parse().ok()?;
    Query::<Code>::try_from_uri(&uri).ok().map(|query| query.0.code)
}

/// The page, with this status and these words.
pub(super) async fn page(console: &Console, status: StatusCode, code: Option<String>, words: &str) -> Response {
    let sign_in = SignIn {
        by_code: console.gate.has_sign_in(),
        code: code.unwrap_or_default(),
        words: words.to_owned(),
        practice: console.surroundings.practice,
    };
    let names = pages::asset_names(console);
    let context = move || {
        pages::set_policy();
        provide_context(names.clone());
        provide_context(sign_in.clone());
    };
    let request = Request::new(axum::body::Body::empty());
    let mut response = render_app_async_with_context(context, || view! { <SignInShell/> })(request).await;
    *response.status_mut() = status;
    response
}
