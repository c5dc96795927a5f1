//! Icons: inline SVG, drawn on a grid of 24 with a stroke of the text's colour. Emoji are empty boxes where a font lacks.

use leptos::prelude::*;

/// The path of an icon. A name that is none is drawn as a dot, so that presets may name what is yet to be drawn.
pub(super) fn path(name: &str) -> &'static str {
    match name {
        "mark" => "M4 3h8.6L9 10.6l4 2.2L8.6 21H4zM15.4 4.2 21 5.4l-2.6 16.4-7-1.2 4.4-8.4-3.8-2.2z",
        "pulse" => "M2 12h4l3-8 5 16 3-8h5",
        "memory" => "M4 7h16v10H4zM8 7V4m4 3V4m4 3V4M8 20v-3m4 3v-3m4 3v-3M8 11v2m4-2v2m4-2v2",
        "disk" => {
            "M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zm0 0v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3"
        }
        "services" => "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01M12 7h5M12 17h5",
        "chip" => "M6 6h12v12H6zM10 10h4v4h-4zM9 2v4m6-4v4M9 18v4m6-4v4M2 9h4m-4 6h4m12-6h4m-4 6h4",
        "power" => "M12 3v9M6.3 6.8a8 8 0 1 0 11.4 0",
        "plus" => "M12 5v14M5 12h14",
        "send" => "M12 20V5m-6 6 6-6 6 6",
        "stop" => "M6.5 6.5h11v11h-11z",
        "search" => "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.7-4.7",
        "check" => "M5 12.5 10 17 19 7",
        "cross" => "M6 6l12 12M18 6 6 18",
        "alert" => "M12 4 2.5 20h19zM12 10v4m0 3h.01",
        "info" => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5m0-8.5h.01",
        "terminal" => "M4 5h16v14H4zM7.5 9.5 10 12l-2.5 2.5M12.5 15H16",
        "list" => "M4 6h.01M4 12h.01M4 18h.01M9 6h11M9 12h11M9 18h11",
        "gear" => "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5m-7 5v5",
        "down" => "M12 5v14m-6-6 6 6 6-6",
        "copy" => "M9 9h11v11H9zM15 9V4H4v11h5",
        "retry" => "M4 4v6h6M4.6 10a8 8 0 1 1-.1 4.6",
        "dots" => "M5 12h.01M12 12h.01M19 12h.01",
        _ => "M12 12h.01",
    }
}

/// An icon. It says nothing to those who do not see it: the words beside it do.
#[component]
pub(super) fn Icon(
    /// Its name.
    #[prop(into)]
    name: String,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=path(&name)></path>
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_icon_that_a_preset_may_name_is_drawn() {
        for name in domain::preset::ICONS {
            assert_ne!(path(name), path("no such icon"), "{name}");
        }
    }
}
