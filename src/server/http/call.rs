//! The body of a POST: bounded, with its idempotency key, and as JSON.

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::server::{
    auth::{Operator, agents::VerbCaller},
    console::Console,
    failure::Failure,
    fresh,
    store::{Intent, StoredAnswer},
};

/// A POST as its handler gets it, for those who may make it.
pub(super) struct Call<Who = Operator> {
    pub operator: Who,
    /// Where there was an `Idempotency-Key`.
    pub intent: Option<Intent>,
    body: Bytes,
}

/// Somebody who makes calls.
pub(super) trait Caller: FromRequestParts<Console, Rejection = Failure> + Send {
    /// Under which name they act.
    fn name(&self) -> &str;
}

impl Caller for Operator {
    fn name(&self) -> &str {
        self.name()
    }
}

impl Caller for VerbCaller {
    fn name(&self) -> &str {
        self.operator.name()
    }
}

impl<Who> Call<Who> {
    /// The body as its type. An absent body counts as `{}` where that is a value.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        // serde would take an array for a struct's fields in order, which is nobody's intent.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Failure::BadInput(
                "the body must be a json object: send {} where there is nothing to say".into(),
            ));
        }
        serde_json::from_slice(body)
            .map_err(|error| Failure::BadInput(format!("the body is not what this call takes: {error}")))
    }
}

impl<Who: Caller> FromRequest<Console> for Call<Who> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        let limit = console.limits.body_bytes;
        let (mut parts, body) = request.into_parts();
        let operator = Who::from_request_parts(&mut parts, console).await?;
        let body = bounded(&parts.headers, body, limit).await?;
        let intent = header_key(&parts.headers)?.map(|key| intent_of(operator.name(), parts.uri.path(), key, &body));
        Ok(Call { operator, intent, body })
    }
}

/// The intent of a call by its operator, path, key and body.
pub(super) fn intent_of(operator: &str, path: &str, key: String, body: &[u8]) -> Intent {
    Intent { operator: operator.to_owned(), path: path.to_owned(), key, body: fresh::digest(body) }
}

/// Reads a body up to its limit.
pub(super) async fn bounded(headers: &HeaderMap, body: axum::body::Body, limit: usize) -> Result<Bytes, Failure> {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|said| said > limit) {
        return Err(Failure::BodyTooLong { limit });
    }
    to_bytes(body, limit).await.map_err(|_| Failure::BodyTooLong { limit })
}

fn header_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    checked_key(key.to_str().unwrap_or_default()).map(Some)
}

/// A key as callers may make it: 1 to 255 visible ASCII characters.
pub(super) fn checked_key(key: &str) -> Result<String, Failure> {
    let fits = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(key.to_owned()) } else { Err(Failure::KeyBad) }
}

impl IntoResponse for StoredAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}
