//! Who gets in, and who does not.

use breakglass::server::config::Settings;
use reqwest::{Method, header};
use serde_json::json;

use crate::harness::console::{Console, TOKEN, answer, practice};

/// Every route, each with a method that it takes.
const GUARDED: [(Method, &str); 27] = [
    (Method::GET, "/"),
    (Method::GET, "/s/00000000-0000-4000-8000-000000000000"),
    (Method::GET, "/sessions"),
    (Method::GET, "/part/sessions"),
    (Method::POST, "/theme"),
    (Method::POST, "/do/archive"),
    (Method::POST, "/do/prompt"),
    (Method::POST, "/do/decide"),
    (Method::POST, "/do/stop"),
    (Method::POST, "/do/session"),
    (Method::POST, "/do/verb"),
    (Method::POST, "/do/nothing"),
    (Method::GET, "/api/session"),
    (Method::POST, "/api/session"),
    (Method::GET, "/api/session/00000000-0000-4000-8000-000000000000/stream"),
    (Method::GET, "/api/session/00000000-0000-4000-8000-000000000000/entries"),
    (Method::POST, "/api/session/00000000-0000-4000-8000-000000000000/prompt"),
    (Method::POST, "/api/session/00000000-0000-4000-8000-000000000000/cancel"),
    (Method::GET, "/api/pve/verbs"),
    (Method::POST, "/api/pve/status"),
    (Method::GET, "/api/pve/runs"),
    (Method::GET, "/api/pve/runs/00000000-0000-4000-8000-000000000000"),
    (Method::GET, "/api/pve/runs/00000000-0000-4000-8000-000000000000/stream"),
    (Method::GET, "/api/presets"),
    (Method::GET, "/api/target"),
    (Method::POST, "/api/target/host-key"),
    (Method::DELETE, "/no/such/place"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_401_everywhere_but_at_the_open_routes() {
    let console = Console::practice().await;
    for (method, path) in GUARDED {
        for credentials in [None, Some("Bearer wrong"), Some("Bearer ")] {
            let mut request = console.http.request(method.clone(), console.url(path));
            if let Some(credentials) = credentials {
                request = request.header(header::AUTHORIZATION, credentials);
            }
            let (status, told) = answer(request).await;
            assert_eq!((status, &told["code"]), (401, &json!("unauthenticated")), "{method} {path}");
        }
    }
    for open in ["/health", "/sign-in"] {
        assert_eq!(console.http.get(console.url(open)).send().await.unwrap().status(), 200, "{open}");
    }
    let page = console.http.get(console.url("/")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 401);
    assert!(page.text().await.unwrap().contains("Sign in"), "a person is shown how to sign in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bearer_token_works_on_every_route_pages_included() {
    let console = Console::practice().await;
    for (method, path) in GUARDED {
        let request = console.http.request(method.clone(), console.url(path)).bearer_auth(TOKEN);
        let status = request.send().await.unwrap().status();
        assert!(status != 401 && status != 403, "{method} {path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_from_the_terminal_signs_one_person_in_once() {
    let console = Console::practice().await;
    let data = console.folder().to_owned();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args(["sign-in-link", "--data-dir", data.to_str().unwrap()])
        .output()
        .unwrap();
    let link = String::from_utf8(output.stdout).unwrap();
    let code = link.trim().rsplit_once("code=").expect("a link").1.to_owned();

    // Looking at the link spends nothing: previews and prefetching do that too.
    for _ in 0..2 {
        let page = console.http.get(console.url(&format!("/sign-in?code={code}"))).send().await.unwrap();
        assert!(page.headers().get(header::SET_COOKIE).is_none());
        let page = page.text().await.unwrap();
        assert!(page.contains(&code) && page.contains("method=\"post\""));
    }
    let spend = async || {
        let form =
            console.http.post(console.url("/sign-in")).header("content-type", "application/x-www-form-urlencoded");
        form.body(format!("code={code}")).send().await.unwrap()
    };
    let signed_in = spend().await;
    assert_eq!(signed_in.status(), 303);
    let cookie = signed_in.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert_eq!(spend().await.status(), 401, "a code is spent once");

    let cookie = cookie.split(';').next().unwrap();
    let page = console.http.get(console.url("/")).header(header::COOKIE, cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let (most, last) = cookie.split_at(cookie.len() - 1);
    let forged = format!("{most}{}", if last == "0" { "1" } else { "0" });
    let (status, _) = answer(console.http.get(console.url("/api/session")).header(header::COOKIE, forged)).await;
    assert_eq!(status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_only_the_proxy_is_believed() {
    let settings = Settings { trusted_proxies: Some(vec!["127.0.0.0/8".parse().unwrap()]), ..practice() };
    let console = Console::start(settings).await;
    let as_ada = async |path: &str| {
        answer(console.http.post(console.url(path)).header("x-authentik-username", "ada").json(&json!({}))).await
    };
    let (status, opened) = as_ada("/api/session").await;
    assert_eq!(status, 200);
    let session = opened["session_id"].as_str().unwrap();
    let url = console.url(&format!("/api/session/{session}/prompt"));
    answer(console.http.post(url).header("x-authentik-username", "ada").json(&json!({"prompt": "hello"}))).await;
    let entries = console.finished(session).await;
    let domain::event::Event::User { by, .. } = &entries[0].event else { panic!() };
    assert_eq!(by, "ada", "what is done carries the operator's name");
    let (status, _) = answer(console.http.post(console.url("/sign-in")).body("code=AAAAAAAA")).await;
    assert_eq!(status, 404, "there is no other way in");

    let elsewhere = Settings { trusted_proxies: Some(vec!["10.0.0.0/8".parse().unwrap()]), ..practice() };
    let console = Console::start(elsewhere).await;
    let request = console.http.get(console.url("/api/session")).header("x-authentik-username", "ada");
    let (status, told) = answer(request).await;
    assert_eq!(status, 401);
    assert!(told["detail"].as_str().unwrap().contains("BREAKGLASS_TRUSTED_PROXIES"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_is_refused_even_with_good_credentials() {
    let console = Console::practice().await;
    let post = |name: &str, value: &str| {
        console.http.post(console.url("/api/pve/cycle")).bearer_auth(TOKEN).header(name, value)
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let (status, told) = answer(post(name, value)).await;
        assert_eq!((status, &told["code"]), (403, &json!("cross_site")), "{name}: {value}");
    }
    assert_eq!(console.get_json("/api/pve/runs").await["runs"], json!([]), "nothing ran");
    let (status, _) = answer(console.http.post(console.url("/sign-in")).header("origin", "https://evil.example")).await;
    assert_eq!(status, 403, "the open routes too");
    let own = console.base.clone();
    let (status, _) =
        answer(console.http.post(console.url("/api/session")).bearer_auth(TOKEN).header("origin", own)).await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_runs_nothing_that_is_not_ours() {
    let console = Console::practice().await;
    let page = console.get("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let html = page.text().await.unwrap();
    let scripts = html.split("<script").skip(1).map(|script| script.split('>').next().unwrap());
    for script in scripts.filter(|script| !script.contains("application/json")) {
        assert!(script.contains(&nonce), "every script carries this answer's nonce: {script}");
    }
    assert!(!html.contains(" style="), "no style attribute");
    let again = console.get("/").await.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(!again.contains(&nonce), "a nonce is used once");
}
