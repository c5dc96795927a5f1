//! The page, as components that read [`crate::state::State`] and do nothing: what is tapped is a form or a link, which
//! works by itself; the browser's part makes it smoother.
//!
//! **Architecture invariant:** nothing here knows the server or the browser, and no text of anybody becomes markup.

mod ansi;
mod app;
mod composer;
mod header;
mod html;
mod icons;
pub mod part;
mod permission;
mod prose;
pub mod region;
mod reveal;
mod sample;
pub mod sessions;
mod settings;
pub mod shell;
mod side;
pub mod sign_in;
mod transcript;
mod vm;

pub use app::App;
