//! Is it up? What the console sees of a target by itself, over a real sshd and the real host script.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use breakglass::server::config::{HostKeys, Settings};
use domain::event::Event;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::power::over_ssh;
use crate::harness::{
    console::{Console, PATIENCE, eventually},
    hypervisor::Hypervisor,
    sshd::Sshd,
};

/// Nothing is looked at twice unasked within a test.
fn patient() -> Settings {
    Settings { probe_seconds: Some(3600), ..Settings::default() }
}

async fn looked(console: &Console) -> Value {
    console.get_json("/api/target?wait=true").await
}

fn state<'a>(status: &'a Value, side: &str) -> &'a str {
    status[side]["says"]["state"].as_str().unwrap_or_else(|| panic!("{status:#}"))
}

fn standing(status: &Value) -> (&str, Option<&str>) {
    let verdict = &status["verdict"];
    (verdict["standing"].as_str().unwrap_or_else(|| panic!("{status:#}")), verdict["recommends"].as_str())
}

/// How often somebody connected to an sshd so far.
fn connections(sshd: &Sshd) -> usize {
    sshd.log().matches("Connection from ").count()
}

/// A hypervisor whose VM has run for an hour: one that has just been started may still be booting.
fn hypervisor() -> Hypervisor {
    let hypervisor = Hypervisor::practice();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 3600;
    std::fs::create_dir_all(hypervisor.path("state")).unwrap();
    std::fs::write(hypervisor.path("state/vm"), format!("running 4102 {since}\n")).unwrap();
    hypervisor
}

/// The lines of an sshd's configuration for one of its two hosts.
fn host_lines(sshd: &Sshd, host: &str) -> String {
    let text = std::fs::read_to_string(sshd.ssh_config()).unwrap();
    let (devvm, pve) = text.split_once("Host pve\n").unwrap();
    if host == "pve" { format!("Host pve\n{pve}") } else { devvm.to_owned() }
}

/// A console whose target is at this port, and whose hypervisor answers.
struct Lab {
    console: Console,
    hypervisor: Hypervisor,
    _sshd: Sshd,
    _folder: TempDir,
}

async fn target_at(port: u16) -> Lab {
    let hypervisor = hypervisor();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    let elsewhere = format!("Host devvm\n  HostName 127.0.0.1\n  Port {port}\n");
    std::fs::write(&config, elsewhere + &host_lines(&sshd, "pve")).unwrap();
    let console = Console::start(Settings { ssh_config: Some(config), ..patient() }).await;
    Lab { console, hypervisor, _sshd: sshd, _folder: folder }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A listener that greets whoever connects, and then says nothing until they go.
fn listener(greeting: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || greet(stream, greeting));
        }
    });
    port
}

fn greet(mut stream: TcpStream, greeting: &str) {
    let _ = stream.write_all(greeting.as_bytes());
    let _ = stream.read_to_end(&mut Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_looked_at_once_for_all_who_ask_and_for_nobody_else() {
    let (console, _hypervisor, sshd) = over_ssh(patient()).await;
    let before = connections(&sshd);
    console.session().await;
    console.get_json("/api/session").await;
    console.get_json("/api/pve/runs").await;
    let (first, second) = tokio::join!(looked(&console), looked(&console));
    let third = console.get_json("/api/target").await;
    assert_eq!(connections(&sshd) - before, 2, "one to the target and one to the hypervisor: {}", sshd.log());
    assert_eq!((&first["ssh"], &first["hypervisor"]), (&second["ssh"], &second["hypervisor"]));
    assert_eq!(third["ssh"], first["ssh"], "and nobody looks again before it is old");

    assert_eq!((state(&first, "ssh"), state(&first, "hypervisor")), ("answers", "answers"), "{first:#}");
    let figures = &first["ssh"]["says"];
    assert!(figures["uptime"].as_u64().unwrap() > 0 && figures["cpus"].as_u64().unwrap() > 0, "{figures}");
    assert_eq!(figures["load"].as_array().unwrap().len(), 3);
    assert!(figures["memory"]["used"].as_u64().unwrap() < figures["memory"]["of"].as_u64().unwrap());
    let host = &first["hypervisor"]["says"];
    assert_eq!((&host["vm"], &host["monitor"], &host["agent"]), (&json!("running"), &json!(true), &json!(true)));
    // The machine that runs the test may well be busy.
    assert!(["all_answers", "busy"].contains(&standing(&first).0) && standing(&first).1.is_none(), "{first:#}");
    assert_eq!(
        (&first["target"], &first["way_up"], &first["changed_keys"]),
        (&json!("devvm"), &json!(null), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_told_at_once_and_what_is_old_is_looked_at_again() {
    let (console, _hypervisor, _sshd) = over_ssh(Settings { probe_seconds: Some(1), ..Settings::default() }).await;
    let nothing = console.get_json("/api/target").await;
    assert_eq!(
        (&nothing["ssh"], &nothing["hypervisor"], &nothing["verdict"]),
        (&json!(null), &json!(null), &json!(null))
    );
    let first = looked(&console).await;
    let again = eventually("a later look", async || {
        let status = console.get_json("/api/target").await;
        (status["ssh"]["at"].as_u64() > first["ssh"]["at"].as_u64()).then_some(status)
    })
    .await;
    for side in ["ssh", "hypervisor"] {
        assert_eq!(again[side]["since"], first[side]["since"], "it has been so since then: {again:#}");
        assert!(again[side]["since"].as_u64() <= again[side]["at"].as_u64());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_begins_a_look_for_the_next_one() {
    let console = Console::start(Settings { practice: Some(true), ..patient() }).await;
    assert_eq!(console.get("/").await.status(), 200);
    let known = || async { console.get_json("/api/target").await };
    let status =
        eventually("the look ends", async || Some(known().await).filter(|status| !status["ssh"].is_null())).await;
    assert_eq!((state(&status, "ssh"), state(&status, "hypervisor")), ("answers", "answers"));
    assert_eq!(status["target"], json!("this machine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_configured_is_nothing_looked_at() {
    let console =
        Console::start(Settings { target_note: Some("this VM also runs the VPN".into()), ..Settings::default() }).await;
    let status = looked(&console).await;
    assert_eq!((&status["ssh"], &status["hypervisor"], &status["verdict"]), (&json!(null), &json!(null), &json!(null)));
    assert_eq!(status["note"], json!("this VM also runs the VPN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banner_is_told_from_a_port() {
    let named = target_at(listener("SSH-2.0-Frozen_1.0\r\n")).await;
    let mute = target_at(listener("")).await;
    let (status, mute) = tokio::join!(looked(&named.console), looked(&mute.console));
    assert_eq!(
        (state(&status, "ssh"), &status["ssh"]["says"]["software"]),
        ("banner", &json!("Frozen_1.0")),
        "{status:#}"
    );
    assert_eq!(standing(&status), ("ssh_dead", None), "it may only be overloaded: {status:#}");
    assert_eq!(state(&mute, "ssh"), "silent", "{mute:#}");
    assert_eq!(standing(&mute), ("ssh_dead", None), "the guest agent answers: {mute:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_let_the_console_in_is_not_power_cycled() {
    let hypervisor = hypervisor();
    let (known, other) = (Sshd::start(Some(&hypervisor.forced_command())), Sshd::start(None));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    // The other sshd does not know this key.
    let devvm = host_lines(&known, "devvm").replace(&known.port().to_string(), &other.port().to_string());
    std::fs::write(&config, devvm + &host_lines(&known, "pve")).unwrap();
    let console = Console::start(Settings { ssh_config: Some(config), ..patient() }).await;
    let status = looked(&console).await;
    assert_eq!(state(&status, "ssh"), "refused", "{status:#}");
    assert!(status["ssh"]["says"]["why"].as_str().unwrap().contains("Permission denied"), "{status:#}");
    assert_eq!(standing(&status), ("unclear", None), "{status:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_port_is_judged_by_what_the_hypervisor_says() {
    let lab = target_at(free_port()).await;
    let again = Settings { probe_seconds: Some(1), ..Settings::default() };
    let config = lab._folder.path().join("ssh_config");
    let console = Console::start(Settings { ssh_config: Some(config), ..again }).await;
    // A look that is young is not repeated; what is asked for is one that saw the change.
    let judged = async |wanted: &str| {
        eventually(wanted, async || {
            let status = looked(&console).await;
            (standing(&status).0 == wanted).then_some(status)
        })
        .await
    };
    let status = judged("ssh_dead").await;
    assert!(status["ssh"]["says"]["why"].as_str().unwrap().contains("Connection refused"), "{status:#}");
    assert_eq!(standing(&status).1, None, "the guest agent answers: {status:#}");
    lab.hypervisor.trouble("no-agent", Some(""));
    assert_eq!(standing(&judged("guest_silent").await).1, Some("cycle"));
    lab.hypervisor.trouble("stalled", Some(""));
    let status = judged("stalled").await;
    assert_eq!((standing(&status).1, &status["hypervisor"]["says"]["monitor"]), (Some("cycle"), &json!(false)));
    lab.hypervisor.trouble("stalled", None).trouble("held", Some("io-error"));
    eventually("held by QEMU", async || {
        (looked(&console).await["hypervisor"]["says"]["vm"] == json!("io-error")).then_some(())
    })
    .await;
    tokio::task::block_in_place(|| super::power::stop_vm(&lab.hypervisor));
    assert_eq!(standing(&judged("stopped").await).1, Some("start"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_neither_answers_the_configuration_says_what_to_use_instead() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    std::fs::write(&config, format!("Host devvm pve\n  HostName 127.0.0.1\n  Port {}\n", free_port())).unwrap();
    let fallback = Some("the KVM switch in the rack".into());
    let console = Console::start(Settings { ssh_config: Some(config), fallback, ..patient() }).await;
    let status = looked(&console).await;
    assert_eq!(standing(&status), ("hypervisor_silent", None), "{status:#}");
    let reasons = status["verdict"]["reasons"].as_array().unwrap();
    assert!(reasons.contains(&json!("use instead: the KVM switch in the rack")), "{status:#}");
}

/// The way up of a verb, once it is over.
async fn way_up(console: &Console) -> (Vec<String>, Value) {
    let way = eventually("the way up is over", async || {
        let status = console.get_json("/api/target").await;
        (status["way_up"]["over"] == json!(true)).then(|| status["way_up"].clone())
    })
    .await;
    let steps = way["steps"].as_array().unwrap();
    let times: Vec<_> = steps.iter().map(|step| step["at"].as_u64().unwrap()).collect();
    assert!(way["began"].as_u64().unwrap() <= times[0] && times.is_sorted(), "{way:#}");
    (steps.iter().map(|step| step["reached"].as_str().unwrap().to_owned()).collect(), way)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_up_is_followed_also_without_a_session() {
    let (console, _hypervisor, _sshd) = over_ssh(patient()).await;
    for (verb, reached) in [
        ("cycle", &["captured", "stopped", "starting", "running", "ssh"][..]),
        ("reset", &["captured", "starting", "running", "ssh"]),
        ("stop", &["captured", "stopped"]),
        ("start", &["captured", "starting", "running", "ssh"]),
    ] {
        let (status, told) = console.post(&format!("/api/pve/{verb}"), json!({})).await;
        assert_eq!(status, 200, "{told}");
        let (steps, way) = way_up(&console).await;
        assert_eq!(
            (steps, &way["verb"], &way["run_id"]),
            (reached.iter().map(ToString::to_string).collect(), &told["verb"], &told["run_id"])
        );
        let status = console.get_json("/api/target").await;
        let host = if verb == "stop" { "stopped" } else { "running" };
        assert_eq!(status["hypervisor"]["says"]["vm"], json!(host), "it has been looked at since: {status:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_mutation_runs_nothing_is_recommended_and_its_steps_come_live() {
    let (console, hypervisor, _sshd) = over_ssh(patient()).await;
    hypervisor.configure("PRACTICE_SECONDS=2");
    let cycling = console.post("/api/pve/cycle", json!({}));
    let watching = eventually("half-way", async || {
        let status = console.get_json("/api/target").await;
        let stopped = status["way_up"]["steps"].to_string().contains("stopped");
        (stopped && status["way_up"]["over"] == json!(false) && !status["verdict"].is_null()).then_some(status)
    });
    let ((code, _), status) = tokio::join!(cycling, watching);
    assert_eq!((code, standing(&status)), (200, ("coming_up", None)), "{status:#}");
    assert_eq!(status["verdict"]["headline"], json!("cycle is under way"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_how_long_the_way_up_took() {
    let (console, _hypervisor, _sshd) = over_ssh(patient()).await;
    let session = console.session().await;
    let mut client = console.attach(&session, "").await;
    console.post("/api/pve/cycle", json!({ "session_id": session })).await;
    let Event::Check { text, facts, .. } = client.until(|event| matches!(event, Event::Check { .. })).await else {
        panic!()
    };
    assert!(text.starts_with("devvm: "), "{text}");
    for wanted in ["devvm answered over SSH ", "the cycle: evidence taken after ", "SSH answers, since "] {
        assert!(facts.iter().any(|fact| fact.starts_with(wanted)), "{wanted}: {facts:#?}");
    }
    let times = facts.iter().find(|fact| fact.starts_with("the cycle: ")).unwrap();
    let words = ["stopped after ", "starting after ", "running after ", "SSH answering after "];
    assert!(words.map(|word| times.find(word).expect(word)).is_sorted(), "{times}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_key_of_the_target_warns_and_goes_on_until_it_is_accepted() {
    let hypervisor = hypervisor();
    let host = Sshd::start(Some(&hypervisor.forced_command()));
    let (old, new) = (Sshd::start(None), Sshd::start(None));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    let point_at = |target: &Sshd| {
        std::fs::write(&config, host_lines(target, "devvm") + &host_lines(&host, "pve")).unwrap();
    };
    point_at(&old);
    let settings = || Settings {
        ssh_config: Some(config.clone()),
        host_keys: Some(HostKeys::Pin),
        probe_seconds: Some(1),
        ..Settings::default()
    };
    let data = tempfile::tempdir().unwrap();
    let console = Console::start_in(settings(), data.path()).await;
    let status = looked(&console).await;
    assert_eq!((state(&status, "ssh"), &status["changed_keys"]), ("answers", &json!([])), "{status:#}");
    let first = kept_key(data.path());
    assert!(first.starts_with("SHA256:"), "{first}");
    console.end().await;

    // Rebuilt, and the console was restarted meanwhile.
    point_at(&new);
    let console = Console::start_in(settings(), data.path()).await;
    let status = looked(&console).await;
    assert_eq!(state(&status, "ssh"), "answers", "it goes on: {status:#}");
    let [changed] = &status["changed_keys"].as_array().unwrap()[..] else { panic!("{status:#}") };
    assert_eq!((&changed["host"], &changed["pinned"]), (&json!("target"), &json!(first)), "{status:#}");
    let seen = changed["seen"].as_str().unwrap().to_owned();
    let reasons = status["verdict"]["reasons"].to_string();
    assert!(reasons.contains("its host key changed: a rebuilt VM has a new one"), "{reasons}");
    let session = console.session().await;
    console.prompt(&session, "!echo goes on").await;
    let entries = console.finished(&session).await;
    assert!(entries.iter().any(
        |entry| matches!(&entry.event, Event::ToolResult { output, exit_code: Some(0), .. } if output == "goes on\n")
    ));

    let accept = async |host: &str, fingerprint: &str| {
        console.post("/api/target/host-key", json!({ "host": host, "fingerprint": fingerprint })).await
    };
    for wrong in [first.as_str(), "SHA256:nonsense", ""] {
        let (code, told) = accept("target", wrong).await;
        assert_eq!((code, &told["code"]), (409, &json!("host_key_not_seen")), "{told}");
        assert!(told["detail"].as_str().unwrap().contains(&seen), "{told}");
    }
    assert_eq!(kept_key(data.path()), first, "nothing was pinned by that");
    assert_eq!(accept("hypervisor", &seen).await.0, 409);
    assert_eq!(accept("nobody", &seen).await.0, 422);
    for _ in 0..2 {
        assert_eq!(accept("target", &seen).await, (200, json!({ "host": "target", "fingerprint": seen })));
    }
    assert_eq!(kept_key(data.path()), seen);
    assert_eq!(console.get_json("/api/target").await["changed_keys"], json!([]));
    assert_eq!(looked(&console).await["changed_keys"], json!([]));
}

/// The fingerprint that a console keeps, in a file for its owner alone.
fn kept_key(data: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let file: PathBuf = data.join("target_host_key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_takes_long_is_one_look_and_nobody_waits_for_it_without_end() {
    let (console, hypervisor, sshd) = over_ssh(Settings { probe_seconds: Some(1), ..Settings::default() }).await;
    hypervisor.put_before_qm("[ $1 != status ] || exec sleep 60");
    let before = connections(&sshd);
    let begun = tokio::time::Instant::now();
    for _ in 0..20 {
        console.get_json("/api/target").await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "each was answered at once");
    let status = tokio::time::timeout(PATIENCE, looked(&console)).await.unwrap();
    assert_eq!(state(&status, "hypervisor"), "unclear", "{status:#}");
    assert_eq!(connections(&sshd) - before, 2, "{}", sshd.log());
}
