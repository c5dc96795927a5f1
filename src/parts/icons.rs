//! The parts' icons: inline SVG on the same grid as the page's own (`ui/icons.rs`), which a phone has to load; these it has not.

use leptos::prelude::*;

fn path(name: &str) -> &'static str {
    match name {
        "pulse" => "M2 12h4l3-8 5 16 3-8h5",
        "search" => "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.7-4.7",
        "play" => "M8 5.5v13l10-6.5z",
        "stop" => "M6.5 6.5h11v11h-11z",
        "reset" => "M4 4v5h5M4.6 14.5a8 8 0 1 0 .7-6.5L4 9",
        "cycle" => "M20 4v5h-5M4 20v-5h5M4.9 9a8 8 0 0 1 13.5-2.6L20 9M4 15l1.6 2.6A8 8 0 0 0 19.1 15",
        "cross" => "M6 6l12 12M18 6 6 18",
        "alert" => "M12 4 2.5 20h19zM12 10v4m0 3h.01",
        "info" => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5m0-8.5h.01",
        "lock" => "M5 11h14v9H5zM8 11V7.5a4 4 0 0 1 8 0V11M12 14.5v2",
        "save" => "M12 4v11m-5-5 5 5 5-5M5 20h14",
        _ => "M12 12h.01",
    }
}

/// An icon. It says nothing to those who do not see it: the words beside it do.
pub(super) fn icon(name: &'static str) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=path(name)></path>
        </svg>
    }
}
