//! The parts that the server renders, as they are asked for one by one: for operators only, never kept, and with nothing of
//! anybody's become markup on the way from the host to the page.

use std::net::{IpAddr, Ipv4Addr};

use breakglass::server::config::Settings;
use serde_json::json;

use super::power::over_ssh;
use crate::harness::console::Console;

const PARTS: [&str; 4] = ["/part/strip", "/part/runs", "/part/verbs", "/part/run/00000000-0000-4000-8000-000000000001"];

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_no_part() {
    let console = Console::practice().await;
    for part in PARTS {
        let response = console.http.get(console.url(part)).send().await.unwrap();
        assert_eq!(response.status(), 401, "{part}");
        assert!(response.headers().get("x-breakglass-part").is_none(), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_says_that_it_is_one_and_is_never_kept() {
    let console = Console::practice().await;
    let session = console.session().await;
    for (part, id) in [("strip", "strip"), ("runs", "runs"), ("verbs", "verbs")] {
        let response = console.get(&format!("/part/{part}?session={session}")).await;
        assert_eq!(response.status(), 200, "{part}");
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        assert_eq!((header("cache-control"), header("x-breakglass-part")), ("no-store".into(), "1".into()));
        assert!(response.text().await.unwrap().contains(&format!("id=\"{id}\"")), "{part}");
    }
    let verbs = console.get(&format!("/part/verbs?session={session}")).await.text().await.unwrap();
    assert!(verbs.contains(&format!("name=\"session\" value=\"{session}\"")), "{verbs}");
    let verbs = console.get("/part/verbs?session=%22%3E%3Cscript%3E").await.text().await.unwrap();
    assert!(verbs.contains("name=\"session\" value=\"\"") && !verbs.contains("<script"), "{verbs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_there_is_not_is_not_found() {
    let console = Console::practice().await;
    for id in ["00000000-0000-4000-8000-000000000001", "nonsense", "%00"] {
        let response = console.get(&format!("/part/run/{id}")).await;
        assert_eq!(response.status(), 404, "{id}");
    }
    let told = console.get(PARTS[3]).await.json::<serde_json::Value>().await.unwrap();
    assert_eq!(told["code"], json!("unknown_run"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_is_called_and_what_a_host_prints_stays_text() {
    let hostile = "</pre><script>alert(1)</script>";
    let settings =
        Settings { trusted_proxies: Some(vec![IpAddr::from(Ipv4Addr::LOCALHOST).into()]), ..Settings::default() };
    let (console, hypervisor, _sshd) = over_ssh(settings).await;
    hypervisor.put_before_qm(&format!("printf '%s\\n' '{hostile}'"));
    let url = console.url("/api/pve/forensics");
    let posted = console.http.post(url).header("x-authentik-username", "<img src=x>&\"'").send().await.unwrap();
    let run = posted.json::<serde_json::Value>().await.unwrap()["run_id"].as_str().unwrap().to_owned();
    for part in ["/part/runs".to_owned(), format!("/part/run/{run}"), format!("/?run={run}")] {
        let html = console.get(&part).await.text().await.unwrap();
        assert!(!html.contains("<script>alert") && !html.contains("<img src=x>"), "{part}: {html}");
        assert!(html.contains("&lt;img src=x&gt;"), "{part}: {html}");
    }
    let html = console.get(&format!("/part/run/{run}")).await.text().await.unwrap();
    assert!(html.contains("&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_arrives_with_its_parts_and_embeds_none_of_them_a_second_time() {
    let console = Console::practice().await;
    console.post("/api/pve/forensics", json!({})).await;
    let html = console.get("/").await.text().await.unwrap();
    for id in ["glance", "strip", "run", "verbs", "runs"] {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    assert_eq!(html.matches("MemTotal").count(), 1, "the run's output stands in the page once");
    assert!(!html.contains("http-equiv=\"refresh\""), "nothing is under way");
}
