//! Bad input gets the contract's answer, in words that a person can act on.

use breakglass::server::config::Settings;
use serde_json::{Value, json};

use crate::harness::console::{Console, TOKEN, answer, practice};

fn told(answer: (u16, Value)) -> (u16, String, String) {
    let (status, body) = answer;
    let text = |key: &str| body[key].as_str().unwrap_or_else(|| panic!("no {key} in {body}")).to_owned();
    let detail = text("detail");
    assert!(!detail.is_empty() && !detail.ends_with('.') && !detail.starts_with(char::is_uppercase), "{detail}");
    (status, text("code"), detail)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_prompt_is_refused_by_name() {
    let console = Console::practice().await;
    let session = console.session().await;
    let path = format!("/api/session/{session}/prompt");
    for (body, code) in [
        (json!({}), "prompt_empty"),
        (json!({"prompt": ""}), "prompt_empty"),
        (json!({"prompt": " \n\t"}), "prompt_empty"),
        (json!({"prompt": "x".repeat(1 << 20)}), "prompt_too_long"),
        (json!({"preset": "no-such"}), "unknown_preset"),
        (json!({"preset": "../../etc"}), "unknown_preset"),
        (json!({"preset": "triage", "prompt": "x"}), "bad_input"),
        (json!({"prompt": 7}), "bad_input"),
        (json!({"prompt": "x", "no_such": true}), "bad_input"),
        (json!([]), "bad_input"),
    ] {
        let short = body.to_string().chars().take(60).collect::<String>();
        let (status, found, _) = told(console.post(&path, body).await);
        assert_eq!((status, found.as_str()), (422, code), "{short}");
    }
    let long = told(console.post(&path, json!({"prompt": "x".repeat(1 << 20)})).await).2;
    assert!(
        long.contains("1048576") && long.contains("65536") && long.contains("BREAKGLASS_PROMPT_MAX_BYTES"),
        "{long}"
    );
    for junk in ["{", "nonsense", "{\"prompt\":\"\\ud800\"}", "\u{0}"] {
        let request = console.http.post(console.url(&path)).bearer_auth(TOKEN).body(junk);
        assert_eq!(told(answer(request).await).1, "bad_input", "{junk:?}");
    }
    let mut nothing = console.attach(&session, "").await;
    assert_eq!(nothing.until_caught_up().await, json!(null), "nothing of it is on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_limit_is_not_read() {
    let console = Console::start(Settings { body_max_bytes: Some(1000), ..practice() }).await;
    let session = console.session().await;
    for path in [format!("/api/session/{session}/prompt"), "/api/pve/status".into(), "/do/prompt".into()] {
        let request = console.http.post(console.url(&path)).bearer_auth(TOKEN).body("x".repeat(1001));
        let (status, code, detail) = told(answer(request).await);
        assert_eq!((status, code.as_str()), (413, "body_too_long"), "{path}");
        assert!(detail.contains("1000") && detail.contains("BREAKGLASS_BODY_MAX_BYTES"), "{detail}");
        let chunks = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("x".repeat(100))));
        let request = console.http.post(console.url(&path)).bearer_auth(TOKEN);
        let unannounced = request.body(reqwest::Body::wrap_stream(chunks));
        assert_eq!(told(answer(unannounced).await).0, 413, "{path}, chunked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_said_so() {
    let console = Console::practice().await;
    let absent = "00000000-0000-4000-8000-000000000000";
    for id in [absent, "x", "..%2f..%2fetc", "3F2B8C1E-0000-4000-8000-000000000000"] {
        for path in [format!("/api/session/{id}/stream"), format!("/api/session/{id}/entries")] {
            let (status, code, _) = told(answer(console.http.get(console.url(&path)).bearer_auth(TOKEN)).await);
            assert_eq!((status, code.as_str()), (404, "unknown_session"), "{path}");
        }
        for path in [format!("/api/session/{id}/prompt"), format!("/api/session/{id}/cancel")] {
            let (status, code, _) = told(console.post(&path, json!({"prompt": "x"})).await);
            assert_eq!((status, code.as_str()), (404, "unknown_session"), "{path}");
        }
        for path in [format!("/api/pve/runs/{id}"), format!("/api/pve/runs/{id}/stream")] {
            let (status, code, _) = told(answer(console.http.get(console.url(&path)).bearer_auth(TOKEN)).await);
            assert_eq!((status, code.as_str()), (404, "unknown_run"), "{path}");
        }
    }
    for verb in ["reboot", "Status", "status%20", "cycle%0a", "status;id"] {
        let (status, code, detail) = told(console.post(&format!("/api/pve/{verb}"), json!({})).await);
        assert_eq!((status, code.as_str()), (400, "unknown_verb"), "{verb}");
        assert!(detail.contains("forensics"), "it says which there are: {detail}");
    }
    let (status, code, _) = told(answer(console.http.get(console.url("/no/such")).bearer_auth(TOKEN)).await);
    assert_eq!((status, code.as_str()), (404, "not_found"));
    let (status, code, _) = told(answer(console.http.delete(console.url("/api/session")).bearer_auth(TOKEN)).await);
    assert_eq!((status, code.as_str()), (405, "method_not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_configured_says_what_to_configure_and_the_rest_works() {
    let console = Console::start(Settings::default()).await;
    let (status, told) = console.post("/api/pve/cycle", json!({})).await;
    assert_eq!(status, 502);
    assert_eq!((&told["rejected"], &told["outcome"], &told["run_id"]), (&json!(true), &json!("refused"), &json!(null)));
    assert!(told["detail"].as_str().unwrap().contains("BREAKGLASS_PVE_HOST"), "{told}");
    let session = console.session().await;
    console.post(&format!("/api/session/{session}/prompt"), json!({"preset": "triage"})).await;
    let entries = console.finished(&session).await;
    let all = serde_json::to_string(&entries).unwrap();
    assert!(all.contains("BREAKGLASS_DEVVM_HOST"), "{all}");
    assert!(console.get("/").await.text().await.unwrap().contains("BREAKGLASS_DEVVM_HOST"));
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_breakglass"))
        .args(["serve", "--practice", "--listen", &taken.local_addr().unwrap().to_string(), "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&taken.local_addr().unwrap().to_string()) && said.contains("--listen"), "{said}");
    assert!(output.stdout.is_empty(), "no link to a console that does not run");
}
