//! What this device keeps for the page: by name, under the console's own. Where a browser allows none of it, nothing is kept
//! and nothing else changes.

use leptos::prelude::*;

const PREFIX: &str = "breakglass:";

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok()?
}

/// What is kept under this name.
pub(super) fn get(name: &str) -> Option<String> {
    storage()?.get_item(&format!("{PREFIX}{name}")).ok()?
}

/// Keeps it; what is empty is not kept.
pub(super) fn set(name: &str, value: &str) {
    let Some(storage) = storage() else { return };
    let name = format!("{PREFIX}{name}");
    let _ = if value.is_empty() { storage.remove_item(&name) } else { storage.set_item(&name, value) };
}

/// The names that begin so, without that beginning.
pub(super) fn names(beginning: &str) -> Vec<String> {
    let Some(storage) = storage() else { return Vec::new() };
    let beginning = format!("{PREFIX}{beginning}");
    let names = (0..storage.length().unwrap_or(0)).filter_map(|place| storage.key(place).ok()?);
    names.filter_map(|name| name.strip_prefix(&beginning).map(str::to_owned)).collect()
}
