//! The target over a real sshd: presets, typed commands, what is left when a link is lost, and the verdict when SSH is
//! dead.

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::json;

use super::power::over_ssh;
use crate::harness::{
    console::{Console, PATIENCE, kinds},
    hypervisor::Hypervisor,
    sshd::Sshd,
};

fn said(entries: &[domain::event::Entry]) -> String {
    entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Text { text } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_runs_over_ssh() {
    let (console, _hypervisor, _sshd) = over_ssh(Settings::default()).await;
    let session = console.session().await;
    console.post(&format!("/api/session/{session}/prompt"), json!({"preset": "triage"})).await;
    let entries = console.finished(&session).await;
    let failed =
        entries.iter().filter(|entry| matches!(entry.event, Event::ToolResult { exit_code: None, .. })).count();
    assert_eq!(failed, 0, "{entries:#?}");
    assert!(said(&entries).starts_with("devvm: "), "{}", said(&entries));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_over_ssh_is_quoted_for_one_shell_only() {
    let (console, _hypervisor, _sshd) = over_ssh(Settings::default()).await;
    let session = console.session().await;
    console.prompt(&session, "!printf '%s|' \"a  b\" 'c\"d' $((1+1)) '$HOME' \"it's\"; exit 5").await;
    let entries = console.finished(&session).await;
    let Event::ToolResult { output, exit_code, .. } = &entries[2].event else { panic!("{entries:?}") };
    assert_eq!((output.as_str(), *exit_code), ("a  b|c\"d|2|$HOME|it's|", Some(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_the_command_on_the_target_too() {
    let (console, _hypervisor, _sshd) = over_ssh(Settings::default()).await;
    let session = console.session().await;
    let file = console.folder().join("pid");
    console.prompt(&session, &format!("!echo $$ > {}; sleep 600", file.display())).await;
    let written = || std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'));
    let pid = crate::harness::console::eventually("it runs", async || written()).await;
    let pid = nix::unistd::Pid::from_raw(pid.trim().parse().unwrap());
    console.post(&format!("/api/session/{session}/cancel"), json!({})).await;
    console.finished(&session).await;
    let gone = async {
        while nix::sys::signal::kill(pid, None).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("nothing of it is left on the target");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_lost_is_named() {
    let (console, _hypervisor, sshd) = over_ssh(Settings::default()).await;
    let session = console.session().await;
    let file = console.folder().join("begun");
    console.prompt(&session, &format!("!touch {}; sleep 600", file.display())).await;
    crate::harness::console::eventually("it runs", async || file.exists().then_some(())).await;
    sshd.connections()[0].cut();
    let entries = console.finished(&session).await;
    let Event::ToolResult { output, exit_code, is_error, .. } = &entries[2].event else { panic!("{entries:?}") };
    assert!(output.contains("connection to devvm was lost"), "{output}");
    assert_eq!((*exit_code, *is_error), (None, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_ssh_and_a_running_vm_is_a_cycle_recommended() {
    // The hypervisor answers; the target's port is one on which nobody listens.
    let hypervisor = Hypervisor::practice();
    // Nor does its guest agent answer: one that does says that the guest lives.
    hypervisor.trouble("no-agent", Some(""));
    // It has been up for an hour: one that has just been started may still be booting, and is not to be cycled.
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 3600;
    std::fs::create_dir_all(hypervisor.path("state")).unwrap();
    std::fs::write(hypervisor.path("state/vm"), format!("running 4102 {since}\n")).unwrap();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("ssh_config");
    let known = std::fs::read_to_string(sshd.ssh_config()).unwrap();
    let dead = format!("Host devvm\n  HostName 127.0.0.1\n  Port {nobody}\n");
    std::fs::write(&config, format!("{dead}{known}")).unwrap();
    let console = Console::start(Settings { ssh_config: Some(config), ..Settings::default() }).await;
    for preset in ["triage", "qemu"] {
        let session = console.session().await;
        console.post(&format!("/api/session/{session}/prompt"), json!({ "preset": preset })).await;
        let entries = console.finished(&session).await;
        let said = said(&entries);
        assert!(said.contains("cycle") && said.contains("running"), "{preset}: {said}");
        let commands = kinds(&entries).iter().filter(|kind| **kind == "tool").count();
        assert!(commands <= 3, "the rest is not tried, each would cost a time-out: {commands}");
    }
    tokio::task::block_in_place(|| super::power::stop_vm(&hypervisor));
    let session = console.session().await;
    console.post(&format!("/api/session/{session}/prompt"), json!({"preset": "triage"})).await;
    let said = said(&console.finished(&session).await);
    assert!(said.contains("start"), "a VM that is stopped is to be started: {said}");
}
