//! The app's own files. Those under `/pkg` carry a hash in their name and never change.

use axum::{
    Router,
    http::{HeaderValue, header},
    response::Response,
};
use tower_http::{services::ServeDir, services::ServeFile, set_header::SetResponseHeaderLayer};

use crate::server::{assets::Assets, console::Console};

/// What is in `public/`, each by its name: a folder served at the root would shadow the gate.
const PUBLIC: [(&str, &str); 13] = [
    ("/offline.html", "offline.html"),
    ("/offline.js", "offline.js"),
    ("/manifest.webmanifest", "manifest.webmanifest"),
    ("/favicon.ico", "favicon.svg"),
    ("/favicon.svg", "favicon.svg"),
    ("/icon-192.png", "icon-192.png"),
    ("/icon-512.png", "icon-512.png"),
    ("/icon-maskable-512.png", "icon-maskable-512.png"),
    ("/icon-maskable-192.png", "icon-maskable-192.png"),
    ("/screenshot-phone.png", "screenshot-phone.png"),
    ("/screenshot-desktop.png", "screenshot-desktop.png"),
    ("/apple-touch-icon.png", "apple-touch-icon.png"),
    ("/robots.txt", "robots.txt"),
];

pub(super) fn routes(assets: &Assets) -> Router<Console> {
    // Only what was found may be kept: a file that is missing now may be there after the next update.
    let found = |value: &'static str| {
        move |response: &Response| response.status().is_success().then(|| HeaderValue::from_static(value))
    };
    let forever = found("public, max-age=31536000, immutable");
    let a_day = found("public, max-age=86400");
    let folder = ServeDir::new(assets.root.join("pkg")).precompressed_br().precompressed_gzip();
    let pkg = Router::new()
        .nest_service("/pkg", folder)
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, forever))
        .layer(SetResponseHeaderLayer::overriding(header::VARY, HeaderValue::from_static("accept-encoding")));
    let file = |name: &str| ServeFile::new(assets.root.join(name));
    let mut public = Router::new();
    for (path, name) in PUBLIC {
        public = public.route_service(path, file(name));
    }
    // It names the files of its build: by it a page knows that there is a newer one.
    let worker = Router::new()
        .route_service("/worker.js", file("worker.js"))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    // The page without a network, and the worker that shows it, run as they are: nothing inline, nothing from elsewhere.
    let policy = HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    );
    let public = public
        .merge(worker)
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, a_day))
        .layer(SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, policy));
    pkg.merge(public)
}
