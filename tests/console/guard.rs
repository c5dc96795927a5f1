//! What stands before a mutation: the target's lock, and the hypervisor's host key. And what is fetched after one: its
//! capture.

use breakglass::server::config::{HostKeys, Settings};
use serde_json::json;
use tempfile::TempDir;

use super::power::{over_ssh, verb};
use crate::harness::{console::Console, hypervisor::Hypervisor, sshd::Sshd};

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_target_is_not_touched_until_the_lock_is_lifted_also_after_a_restart() {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let folder = TempDir::new().unwrap();
    let settings = || Settings { ssh_config: Some(sshd.ssh_config()), ..Settings::default() };
    let console = Console::start_in(settings(), folder.path()).await;
    let (status, told) = console.post("/api/target/lock", json!({"locked": true, "why": " disk  migration\n"})).await;
    assert_eq!((status, &told["lock"]["by"], &told["lock"]["why"]), (200, &json!("script"), &json!("disk migration")));
    console.end().await;

    let console = Console::start_in(settings(), folder.path()).await;
    for body in [json!({}), json!({"override": true})] {
        let (status, told) = console.post("/api/pve/cycle", body).await;
        assert_eq!((status, &told["code"], &told["rejected"]), (409, &json!("target_locked"), &json!(true)), "{told}");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("script locked the target") && detail.contains("disk migration"), "{told}");
    }
    assert_eq!(hypervisor.calls(), []);
    assert_eq!(verb(&console, "status").await.0, 200, "looking is not forbidden");
    assert_eq!(console.post("/api/target/lock", json!({"locked": false})).await, (200, json!({"lock": null})));
    assert_eq!(verb(&console, "cycle").await.0, 200);
    let long = json!({"locked": true, "why": "x".repeat(201)});
    let (status, told) = console.post("/api/target/lock", long).await;
    assert_eq!((status, &told["code"]), (422, &json!("bad_input")));
    assert!(told["detail"].as_str().unwrap().contains("200"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_key_of_the_hypervisor_is_refused_until_exactly_that_one_is_accepted() {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let settings =
        Settings { ssh_config: Some(sshd.ssh_config()), host_keys: Some(HostKeys::Pin), ..Settings::default() };
    let console = Console::start(settings).await;
    assert_eq!(verb(&console, "status").await.0, 200, "the first one is believed");
    let pinned = std::fs::read_to_string(console.folder().join("hypervisor_host_key")).unwrap();
    assert_eq!(pinned.lines().count(), 1, "{pinned}");

    sshd.change_host_key();
    let (status, told) = verb(&console, "cycle").await;
    assert_eq!((status, &told["outcome"], &told["rejected"]), (502, &json!("refused"), &json!(true)), "{told}");
    let detail = told["detail"].as_str().unwrap().to_owned();
    let prints: Vec<_> = detail.split_whitespace().filter(|word| word.starts_with("SHA256:")).collect();
    let [seen, before] = prints[..] else { panic!("both fingerprints: {detail}") };
    let before = before.trim_end_matches('.');
    assert!(seen != before && detail.contains("accept the new key"), "{detail}");
    assert_eq!(hypervisor.count("stop"), 0);

    let accept = |print: &str| json!({"host": "hypervisor", "fingerprint": print});
    let (status, told) = console.post("/api/target/host-key", accept(before)).await;
    assert_eq!((status, &told["code"]), (409, &json!("host_key_not_seen")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains(seen), "{told}");
    assert_eq!(verb(&console, "cycle").await.0, 502, "nothing changed");
    assert_eq!(console.post("/api/target/host-key", accept(seen)).await.0, 200);
    assert_eq!(verb(&console, "cycle").await.0, 200);
    assert_ne!(std::fs::read_to_string(console.folder().join("hypervisor_host_key")).unwrap(), pinned);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_ssh_has_the_say_over_host_keys_there_is_none_to_accept() {
    let (console, _hypervisor, _sshd) = over_ssh(Settings::default()).await;
    let accept = json!({"host": "hypervisor", "fingerprint": "SHA256:x"});
    let (status, told) = console.post("/api/target/host-key", accept).await;
    assert_eq!((status, &told["code"]), (409, &json!("host_key_not_seen")));
    assert!(told["detail"].as_str().unwrap().contains("BREAKGLASS_HOST_KEYS"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_is_fetched_whole_and_in_parts() {
    let (console, hypervisor, _sshd) = over_ssh(Settings::default()).await;
    let (_, told) = verb(&console, "forensics").await;
    let output = told["stdout"].as_str().unwrap();
    let id = output.lines().find_map(|line| line.strip_prefix("capture: ")).unwrap();
    let whole = console.get(&format!("/api/pve/captures/{id}")).await;
    assert_eq!(whole.headers()["content-type"], "application/x-tar");
    assert!(whole.headers()["content-disposition"].to_str().unwrap().contains(&format!("{id}.tar")));
    let bytes = whole.bytes().await.unwrap();
    assert!(bytes.windows(5).any(|at| at == b"ustar"), "{} bytes", bytes.len());
    let picture = console.get(&format!("/api/pve/captures/{id}/screenshot")).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert!(picture.bytes().await.unwrap().starts_with(b"\x89PNG\r\n"));
    let text = console.get(&format!("/api/pve/captures/{id}/status")).await;
    assert_eq!(text.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(text.text().await.unwrap().contains("status: running"));

    let calls = hypervisor.calls().len();
    let none = id.replacen("20", "19", 1);
    for (path, status, code) in [
        (none.as_str(), 404, "unknown_capture"),
        ("nonsense", 404, "unknown_capture"),
        ("..%2f..%2fetc%2fpasswd", 404, "unknown_capture"),
        (&format!("{id}/passwd"), 404, "unknown_capture"),
        (&format!("{id}%20screenshot"), 404, "unknown_capture"),
    ] {
        let answer = console.get(&format!("/api/pve/captures/{path}")).await;
        let got = answer.status().as_u16();
        let told: serde_json::Value = answer.json().await.unwrap();
        assert_eq!((got, &told["code"]), (status, &json!(code)), "{path}: {told}");
    }
    assert_eq!(hypervisor.calls().len(), calls);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_cannot_be_fetched_from_a_host_that_is_silent_and_that_is_said() {
    let (console, _hypervisor, sshd) = over_ssh(Settings::default()).await;
    let (_, told) = verb(&console, "forensics").await;
    let id = told["stdout"].as_str().unwrap().lines().find_map(|line| line.strip_prefix("capture: ")).unwrap();
    drop(sshd);
    let answer = console.get(&format!("/api/pve/captures/{id}/screenshot")).await;
    assert_eq!(answer.status(), 502);
    let told: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(told["code"], json!("hypervisor_silent"));
    assert!(told["detail"].as_str().unwrap().contains("try again"), "{told}");
}
