//! The document around the page: what a browser must know before the first paint. Rendered on the server only.

use domain::page::{Frame, Page, Theme};
use leptos::{nonce::use_nonce, prelude::*};

use super::{App, settings::Settings, side::Side};
use crate::state::State;

/// What the page's title begins with while something waits for a decision. The small script says it from then on.
const DECIDE: &str = "● decide — ";

/// The whole document of the console.
#[component]
pub fn Shell() -> impl IntoView {
    let page: Page = expect_context();
    let Frame { names, theme } = expect_context();
    let embedded = embeddable(&page);
    let title = match page.session.as_ref().and_then(|session| session.title.clone()) {
        Some(title) => format!("{title} · breakglass"),
        None => "breakglass".to_owned(),
    };
    let state = State::new(page);
    provide_context(state);
    let title = if state.waiting.get().is_some() { format!("{DECIDE}{title}") } else { title };
    let refresh = refresh(state);
    let boot = format!(
        "import start, {{ hydrate }} from '{}'; start({{ module_or_path: '{}' }}).then(hydrate);",
        names.js, names.wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen(theme)>
            <head>
                <Metas title=title theme=theme/>
                <link rel="manifest" href="/manifest.webmanifest" crossorigin="use-credentials"/>
                <link rel="stylesheet" href=names.css.clone()/>
                <link rel="modulepreload" href=names.js.clone()/>
                <link rel="preload" href=names.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin=""/>
                {refresh.map(|content| view! { <noscript><meta http-equiv="refresh" content=content/></noscript> })}
                <Embedded json=embedded/>
                <script type="module" nonce=use_nonce()>{boot}</script>
                <script type="module" nonce=use_nonce() src=names.comfort.clone()></script>
            </head>
            <body>
                <App/>
                // Hydration does not look behind it.
                <Side/>
                <Settings/>
                <Update/>
            </body>
        </html>
    }
}

/// How a page without script looks again by itself, while there is something to see. Each look has an address of its
/// own: going to the same one with a fragment would only scroll.
fn refresh(state: State) -> Option<String> {
    if state.is_behind() {
        // Who reads what is older is left to read.
        return None;
    }
    let running = state.page.with_untracked(|page| page.parts.under_way.clone());
    let here = match state.session_id() {
        id if id.is_empty() => "/".to_owned(),
        id => format!("/s/{id}"),
    };
    let mut look = state.key();
    let draft = state.page.with_untracked(|page| page.flash.as_ref().map(|flash| flash.id.clone()));
    if let Some(draft) = draft {
        look.push_str("&flash=");
        look.push_str(&draft);
    }
    match running {
        Some(run) => Some(format!("5; url={here}?run={run}&look={look}#vm")),
        None => {
            // Who decides, or writes to an agent, needs a while: what was typed does not outlast the next look.
            let seconds = if state.waiting.get().is_some() { 60 } else { 5 + 5 * u64::from(state.has_ai()) };
            state.working().then(|| format!("{seconds}; url={here}?look={look}"))
        }
    }
}

/// What the console has to say when it has another build than the page. The small script shows it.
#[component]
fn Update() -> impl IntoView {
    view! {
        <div id="update" class="update" role="status" hidden>
            <span>"A new version of the console is ready."</span>
            <button id="update-now" type="button">"Reload"</button>
            <button id="update-later" type="button">"Later"</button>
        </div>
    }
}

/// What every page of ours says about itself.
#[component]
pub fn Metas(
    /// The title.
    title: String,
    /// On which ground it stands.
    theme: Theme,
) -> impl IntoView {
    let schemes = if theme == Theme::Auto { "dark light" } else { theme.as_str() };
    view! {
        <meta charset="utf-8"/>
        <title>{title}</title>
        <meta
            name="viewport"
            content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content"
        />
        <meta name="color-scheme" content=schemes/>
        {ground(Theme::Dark, "#0b0f14", theme)}
        {ground(Theme::Light, "#f3f5f7", theme)}
        <meta name="mobile-web-app-capable" content="yes"/>
        <meta name="apple-mobile-web-app-capable" content="yes"/>
        <meta name="apple-mobile-web-app-status-bar-style" content="default"/>
        <meta name="apple-mobile-web-app-title" content="breakglass"/>
        <meta name="robots" content="noindex"/>
        <link rel="icon" href="/favicon.svg" r#type="image/svg+xml"/>
        <link rel="apple-touch-icon" href="/apple-touch-icon.png"/>
    }
}

/// The theme as the document says it: nothing where the device decides.
pub(super) fn chosen(theme: Theme) -> Option<&'static str> {
    (theme != Theme::Auto).then(|| theme.as_str())
}

/// A ground's colour, as a phone's own bars take it where it is the ground.
fn ground(of: Theme, colour: &'static str, chosen: Theme) -> impl IntoView {
    let name = of.as_str();
    let media = match chosen {
        Theme::Auto => format!("(prefers-color-scheme: {name})"),
        _ if chosen == of => "all".to_owned(),
        _ => "not all".to_owned(),
    };
    leptos::html::meta().id(format!("ground-{name}")).name("theme-color").content(colour).attr("media", media)
}

/// The page's data for the browser's part. It is data in a script element of a type that no browser runs.
#[component]
fn Embedded(
    /// JSON in which no `<` is left.
    json: String,
) -> impl IntoView {
    #[expect(clippy::disallowed_methods, reason = "the one place that embeds JSON; every `<` in it is escaped")]
    let script = leptos::html::script().r#type("application/json").id("page").inner_html(json);
    script
}

/// JSON that cannot end its script element: `<` occurs in JSON inside of strings only, where its escape means the same.
fn embeddable(page: &Page) -> String {
    serde_json::to_string(page).unwrap_or_else(|_| "null".into()).replace('<', r"\u003c")
}
