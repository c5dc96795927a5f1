//! HTTP: the routes, who passes, and the headers that every answer carries.
//!
//! **Architecture invariant:** what is open to strangers stands in [`open_routes`] and nowhere else; every other route is
//! behind the gate, the fallback included.

mod call;
pub(crate) mod forms;
mod look;
mod pages;
mod params;
mod parts;
mod pve;
mod session;
mod sign_in;
mod static_files;
mod stream;
mod target;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::call::{Health, PresetList};
use tower_http::compression::{
    CompressionLayer,
    predicate::{DefaultPredicate, NotForContentType, Predicate},
};

use super::{
    auth::{self, Known, Operator, origin},
    console::Console,
    failure::Failure,
};

/// What the key of a verb's call is answered.
pub(super) use pve::answer_of as verb_answer;

/// The whole router.
pub fn router(console: Console) -> Router {
    // Streams are not compressed: an encoder would hold frames back, and one per client costs memory.
    let compressible = DefaultPredicate::new().and(NotForContentType::const_new("text/event-stream"));
    Router::new()
        .merge(guarded_routes(&console))
        .merge(open_routes(&console))
        .layer(middleware::from_fn_with_state(console.clone(), refuse_other_sites))
        .layer(middleware::from_fn(secure_headers))
        .layer(CompressionLayer::new().compress_when(compressible))
        .with_state(console)
}

/// What strangers may have: health, the sign-in page and the app's files, which hold nothing of anybody's.
fn open_routes(console: &Console) -> Router<Console> {
    let files = static_files::routes(&console.assets);
    Router::new()
        .route("/health", get(health))
        .route("/sign-in", get(sign_in::show).post(sign_in::spend))
        .merge(files)
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
}

fn guarded_routes(console: &Console) -> Router<Console> {
    Router::new()
        .route("/", get(pages::home))
        .route("/s/{id}", get(pages::session))
        .route("/sessions", get(pages::sessions))
        .route("/part/strip", get(parts::strip))
        .route("/part/run/{run_id}", get(parts::run))
        .route("/part/runs", get(parts::runs))
        .route("/part/verbs", get(parts::verbs))
        .route("/part/sessions", get(pages::side))
        .route("/theme", post(look::choose))
        .route("/do/{*call}", post(forms::endpoint))
        .route("/api/session", get(session::list).post(session::create))
        .route("/api/session/{id}/stream", get(session::stream))
        .route("/api/session/{id}/entries", get(session::entries))
        .route("/api/session/{id}/prompt", post(session::prompt))
        .route("/api/session/{id}/cancel", post(session::cancel))
        .route("/api/session/{id}/output/{tool_id}", get(session::output))
        .route("/api/session/{id}/export", get(session::export))
        .route("/api/session/{id}/archive", post(session::archive))
        .route("/api/session/{id}/permission", post(session::permission))
        .route("/api/pve/verbs", get(pve::verbs))
        .route("/api/pve/runs", get(pve::runs))
        .route("/api/pve/runs/{run_id}", get(pve::run))
        .route("/api/pve/runs/{run_id}/stream", get(pve::stream))
        .route("/api/pve/captures/{id}", get(pve::capture))
        .route("/api/pve/captures/{id}/{part}", get(pve::capture_part))
        .route("/api/pve/{verb}", post(pve::verb))
        .route("/api/target/lock", post(target::lock))
        .route("/api/target/host-key", post(target::host_key))
        .route("/api/target", get(target::status))
        .route("/api/presets", get(presets))
        .fallback(async || Failure::NotFound)
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(console.clone(), gate))
}

impl Console {
    fn rhythm(&self) -> stream::Rhythm {
        stream::Rhythm { keepalive: self.limits.keepalive, ending: self.ending.clone() }
    }
}

async fn health() -> Json<Health> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Json(Health { status: "ok".into(), service: "breakglass".into(), version })
}

async fn presets(_: Operator, State(console): State<Console>) -> Json<PresetList> {
    Json(PresetList { presets: console.presets.summaries() })
}

/// Lets operators pass and nobody else. A person who opens a page is shown how to sign in, with the same status.
async fn gate(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match console.gate.known(&parts.headers, auth::peer(&parts), &console.store).await {
        Ok(Known::Operator(operator)) => {
            parts.extensions.insert(operator);
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(Known::Agent(caller)) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(failure @ Failure::Unauthenticated(_)) if parts.method.is_safe() && pages::wants_html(&parts.headers) => {
            sign_in::page(&console, &parts.headers, failure.status().0, None, &failure.to_string()).await
        }
        Err(failure) => failure.into_response(),
    }
}

async fn refuse_other_sites(State(console): State<Console>, request: Request, next: Next) -> Response {
    let origin = console.gate.config.public_origin.as_deref();
    match origin::check(request.method(), request.headers(), origin) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

/// The headers that keep an answer from being taken for something else. Pages bring their own, stricter policy.
async fn secure_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
