//! The sign-in page: GET shows a field and a button and spends nothing (previews and prefetching open links too), POST
//! spends the code.

use axum::{
    extract::{Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::page::SignIn;
use serde::Deserialize;

use super::{call, look::theme_of, pages, params::Params};
use crate::server::{
    auth::{COOKIE, sign_in::SIGN_IN_LIVES},
    console::Console,
    failure::Failure,
};

#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

pub(super) async fn show(State(console): State<Console>, Params(code): Params<Code>, headers: HeaderMap) -> Response {
    page(&console, &headers, StatusCode::OK, Some(code.code), "").await
}

pub(super) async fn spend(State(console): State<Console>, request: Request) -> Response {
    if !console.gate.has_sign_in() {
        return Failure::NotFound.into_response();
    }
    let (parts, body) = request.into_parts();
    // A code is short; a stranger's long body is not read.
    let spent = match call::bounded(&parts.headers, body, 1024).await {
        Ok(body) => match serde_urlencoded_code(&body) {
            Some(code) => console.gate.desk.spend(&code, &console.store).await,
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
            page(&console, &parts.headers, failure.status().0, None, &failure.body().detail).await
        }
        Err(failure) => failure.into_response(),
    }
}

/// The `code` field of a form.
fn serde_urlencoded_code(body: &[u8]) -> Option<String> {
    let uri = format!("/?{}", std::str::from_utf8(body).ok()?).parse().ok()?;
    Query::<Code>::try_from_uri(&uri).ok().map(|query| query.0.code)
}

/// The page for who asks so, with this status and these words.
pub(super) async fn page(
    console: &Console,
    asked: &HeaderMap,
    status: StatusCode,
    code: Option<String>,
    words: &str,
) -> Response {
    let sign_in = SignIn {
        by_code: console.gate.has_sign_in(),
        code: code.unwrap_or_default(),
        words: words.to_owned(),
        practice: console.surroundings.practice,
    };
    let mut response = console.render_sign_in(sign_in, theme_of(asked)).await;
    *response.status_mut() = status;
    response
}
