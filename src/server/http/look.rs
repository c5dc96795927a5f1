//! How a page looks to who asked for it: the theme is a person's choice, kept in a cookie, so that it is right at the first
//! paint. A script sets the same cookie by itself; this is the way without one.

use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use domain::{ids::SessionId, page::Theme};
use serde::Deserialize;

use crate::server::{
    auth::{self, Operator},
    console::Console,
    failure::Failure,
};

/// The cookie that keeps it. A script may set it: it holds nothing else.
const THEME: &str = "breakglass_theme";
/// How long a choice is kept, in seconds.
const YEAR: u64 = 31_536_000;

/// What a form says.
#[derive(Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    theme: String,
    /// The session whose page it stood on.
    #[serde(default)]
    session: String,
}

/// The theme of who asks so.
pub(super) fn theme_of(headers: &HeaderMap) -> Theme {
    Theme::named(auth::cookie(headers, THEME).unwrap_or_default())
}

/// `POST /theme`: keeps the choice and goes back to the page.
pub(super) async fn choose(
    _: Operator,
    State(console): State<Console>,
    choice: Result<Form<Choice>, FormRejection>,
) -> Result<Response, Failure> {
    let Form(choice) = choice.map_err(|_| Failure::BadInput("send the field theme: auto, dark or light".into()))?;
    let theme = Theme::named(&choice.theme);
    let seconds = if theme == Theme::Auto { 0 } else { YEAR };
    let secure = if console.gate.is_https() { "; Secure" } else { "" };
    let cookie = format!("{THEME}={}; Path=/; SameSite=Strict; Max-Age={seconds}{secure}", theme.as_str());
    let page = choice.session.parse().map_or_else(|_| "/".to_owned(), |id: SessionId| format!("/s/{id}"));
    let mut response = Redirect::to(&format!("{page}#settings")).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};
    use domain::page::Theme;

    use super::theme_of;

    fn asked_with(cookie: &'static str) -> Theme {
        theme_of(&HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))]))
    }

    #[test]
    fn a_choice_is_read_from_its_cookie_and_anything_else_is_no_choice() {
        assert_eq!(asked_with("breakglass_session=x; breakglass_theme=light"), Theme::Light);
        assert_eq!(asked_with("breakglass_theme=dark"), Theme::Dark);
        assert_eq!(asked_with("breakglass_theme=\"><script>"), Theme::Auto);
        assert_eq!(theme_of(&HeaderMap::new()), Theme::Auto);
    }
}
