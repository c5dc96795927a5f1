//! breakglass: the app. The same crate is the server (`ssr`) and the browser's part (`hydrate`); this file is the only
//! place that tells them apart.
//!
//! In reading order:

/// The forms' endpoints.
pub mod api;

/// What the page shows.
pub mod state;

/// Figures as bars, which the page and its parts draw alike.
mod bars;

/// The page.
pub mod ui;

/// The parts of the page that the server renders by itself.
#[cfg(feature = "ssr")]
pub mod parts;

/// What needs a browser.
#[cfg(feature = "hydrate")]
pub mod browser;

/// Everything that has I/O.
#[cfg(feature = "ssr")]
pub mod server;

/// The page, rendered by the server.
#[cfg(feature = "ssr")]
pub mod render;

/// Brings the rendered page to life. Called once by the page, when the program has arrived.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    browser::start();
}
