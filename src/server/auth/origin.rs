//! Requests that another site made a browser send are refused, even with good credentials. Pure.

use axum::http::{HeaderMap, Method, header};

use crate::server::failure::Failure;

/// Lets a request pass, or says that another site sent it. `public_origin` is where people open the console; without it
/// the `Host` header stands in.
///
/// A browser says where a request comes from: by `Sec-Fetch-Site`, which no page can forge, or (on plain http beside
/// localhost it does not) by `Origin`. A request with neither is no browser's and passes. Following a link from
/// elsewhere is a person's own doing and changes nothing, so it passes too.
pub fn check(method: &Method, headers: &HeaderMap, public_origin: Option<&str>) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let safe = method.is_safe();
    let navigates = safe && text("sec-fetch-mode") == Some("navigate");
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => {}
        Some(_) if navigates => {}
        Some(site) => return Err(Failure::CrossSite(site.to_owned())),
    }
    match text("origin") {
        None => Ok(()),
        Some(origin) if is_ours(origin, headers, public_origin) => Ok(()),
        Some(origin) => Err(Failure::CrossSite(origin.chars().take(100).collect())),
    }
}

fn is_ours(origin: &str, headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    let origin = origin.to_ascii_lowercase();
    match public_origin {
        Some(ours) => origin == ours,
        None => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_ascii_lowercase);
            let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some() && authority == host.as_deref()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn passes(method: Method, headers: &[(&str, &str)], public_origin: Option<&str>) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        check(&method, &headers, public_origin).is_ok()
    }

    #[test]
    fn what_is_no_browser_passes() {
        assert!(passes(Method::POST, &[("host", "a")], None));
    }

    #[test]
    fn another_site_changes_nothing() {
        assert!(!passes(Method::POST, &[("sec-fetch-site", "cross-site")], None));
        assert!(!passes(Method::POST, &[("sec-fetch-site", "same-site")], None));
        assert!(!passes(Method::POST, &[("host", "a"), ("origin", "http://b")], None));
        assert!(!passes(Method::POST, &[("host", "a"), ("origin", "null")], None));
        assert!(!passes(Method::POST, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], None));
        assert!(passes(
            Method::POST,
            &[("host", "a:1"), ("origin", "http://A:1"), ("sec-fetch-site", "same-origin")],
            None
        ));
    }

    #[test]
    fn another_site_reads_nothing_but_may_link() {
        assert!(!passes(Method::GET, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")], None));
        assert!(passes(Method::GET, &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], None));
    }

    #[test]
    fn behind_a_proxy_the_public_origin_counts_and_not_the_host() {
        let ours = Some("https://console.example");
        assert!(passes(Method::POST, &[("host", "10.0.0.1:8080"), ("origin", "https://console.example")], ours));
        assert!(!passes(Method::POST, &[("host", "10.0.0.1:8080"), ("origin", "http://10.0.0.1:8080")], ours));
    }
}
