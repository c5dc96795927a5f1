//! What is seen of a VM in trouble: the status's own lines, the parts of a capture, and how a capture is fetched.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// Where Proxmox keeps a VM's sockets and process file, here in the test's folder.
fn with_sockets(hypervisor: &Hypervisor) {
    fs::create_dir(hypervisor.path("qemu")).unwrap();
    hypervisor.configure(&format!("QEMU_RUN='{}'", hypervisor.path("qemu").display()));
}

/// A peer that speaks as QEMU's monitor does (QMP, docs/interop/qmp-spec), with an event at a bad moment.
fn monitor(hypervisor: &Hypervisor) {
    let listener = UnixListener::bind(hypervisor.path("qemu/102.qmp")).unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| drop(speak_qmp(stream.unwrap()))));
}

fn speak_qmp(mut stream: UnixStream) -> std::io::Result<()> {
    stream.write_all(b"{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n")?;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let request: serde_json::Value = serde_json::from_str(&line?).unwrap();
        let asked = &request["arguments"];
        let words = match (request["execute"].as_str().unwrap(), asked["command-line"].as_str()) {
            ("human-monitor-command", Some("info status")) => "VM status: paused (io-error)\r\n",
            ("human-monitor-command", Some("info block")) => "drive-scsi0: \"a\\b\" é\r\n    I/O status: nospace\r\n",
            ("screendump", None) => {
                fs::write(asked["filename"].as_str().unwrap(), b"P6\n2 1\n255\n\xff\x00\x00\x00\x00\xff").unwrap();
                ""
            }
            _ => "",
        };
        let event = "{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"error\": \"return\"}}\r\n";
        let returned = if words.is_empty() { serde_json::json!({}) } else { serde_json::json!(words) };
        let answer = serde_json::json!({ "return": returned, "id": request["id"] });
        write!(stream, "{event}{answer}\r\n")?;
    }
    Ok(())
}

/// A guest agent that still sends what an earlier client asked for.
fn agent(hypervisor: &Hypervisor) {
    let listener = UnixListener::bind(hypervisor.path("qemu/102.qga")).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(b"{\"return\": {}}\n").unwrap();
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let request: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                match request["execute"].as_str().unwrap() {
                    "guest-sync-delimited" => {
                        stream.write_all(b"\xff").unwrap();
                        writeln!(stream, "{{\"return\": {}}}", request["arguments"]["id"]).unwrap();
                    }
                    "guest-ping" => stream.write_all(b"{\"return\": {}}\n").unwrap(),
                    other => panic!("{other}"),
                }
            }
        }
    });
}

/// The last two lines of a status.
fn probes(hypervisor: &Hypervisor) -> String {
    let output = finish(&mut hypervisor.verb("status"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    lines[lines.len() - 2..].join("; ")
}

fn section(output: &Output, title: &str) -> String {
    let (_, after) = text(&output.stdout).split_once(&format!("== {title} ==\n")).unwrap();
    after.split("\n== ").next().unwrap().to_owned()
}

fn capture_id(output: &Output) -> &str {
    text(&output.stdout).lines().find_map(|line| line.strip_prefix("capture: ")).unwrap()
}

#[test]
fn status_says_whether_the_monitor_and_the_guest_agent_answer() {
    let hypervisor = Hypervisor::practice();
    assert_eq!(probes(&hypervisor), "qmp: answers; agent: answers");
    hypervisor.configure("PART_LIMIT=4");
    hypervisor.trouble("no-agent", Some(""));
    assert_eq!(probes(&hypervisor), "qmp: answers; agent: silent (timed out after 2 s)");
    hypervisor.trouble("stalled", Some(""));
    let stalled = "qmp: silent (timed out after 2 s); agent: unknown (not asked, because the monitor does not answer)";
    assert_eq!(probes(&hypervisor), stalled);
}

#[test]
fn status_asks_the_sockets_where_there_are_some() {
    let hypervisor = Hypervisor::practice();
    with_sockets(&hypervisor);
    let none = "qmp: off (nobody listens); agent: unknown (not asked, because the monitor does not answer)";
    assert_eq!(probes(&hypervisor), none);
    monitor(&hypervisor);
    assert_eq!(probes(&hypervisor), "qmp: answers; agent: off (nobody listens)");
    agent(&hypervisor);
    assert_eq!(probes(&hypervisor), "qmp: answers; agent: answers");
    assert_eq!(hypervisor.calls().len(), 3, "qm is asked for the status alone");
}

#[test]
fn forensics_tells_what_qemu_says_and_takes_a_picture_of_the_screen() {
    let hypervisor = Hypervisor::practice();
    with_sockets(&hypervisor);
    monitor(&hypervisor);
    agent(&hypervisor);
    let output = finish(&mut hypervisor.verb("forensics"));
    assert_ends(&output, 0, "forensics: done: the capture was kept");
    let said = section(&output, "QEMU monitor");
    let expected = "VM status: paused (io-error)\ndrive-scsi0: \"a\\b\" é\n    I/O status: nospace\nscreenshot: taken";
    assert_eq!(said, expected);
    assert_eq!(section(&output, "guest agent"), "the guest agent answers");
    let picture = fs::read(hypervisor.captures()[0].join("screenshot.png")).unwrap();
    let header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x01\x08\x02\0\0\0";
    assert!(picture.starts_with(header) && picture.ends_with(b"IEND\xaeB`\x82"), "{picture:x?}");
}

#[test]
fn a_monitor_that_hangs_costs_forensics_its_own_part_and_no_more() {
    let hypervisor = Hypervisor::practice();
    with_sockets(&hypervisor);
    hypervisor.configure("PART_LIMIT=2");
    // As with a stopped QEMU: the kernel takes the connections, and nobody reads.
    let sockets = ["102.qmp", "102.qga"].map(|name| UnixListener::bind(hypervisor.path("qemu").join(name)).unwrap());
    let begun = Instant::now();
    let output = finish(&mut hypervisor.verb("forensics"));
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    assert_ends(&output, 0, "forensics: done: the capture was kept");
    assert_eq!(section(&output, "QEMU monitor"), "(no answer within 2 s)");
    assert_eq!(section(&output, "guest agent"), "(no answer within 1 s)");
    assert!(section(&output, "qm config 102").contains("cores: 2"));
    drop(sockets);
}

#[test]
fn a_stalled_vm_is_cured_by_a_cycle_and_not_by_a_reset() {
    let hypervisor = Hypervisor::practice();
    hypervisor.trouble("stalled", Some(""));
    let reset = finish(&mut hypervisor.verb("reset"));
    assert_ends(&reset, 1, "reset: failed: the reset was not confirmed; VM 102 is running");
    let cycle = finish(&mut hypervisor.verb("cycle"));
    assert_ends(&cycle, 0, "cycle: done: VM 102 is running");
    assert!(text(&cycle.stdout).contains("VM still running - terminating now with SIGKILL\n"), "{cycle:?}");
    assert_eq!(probes(&hypervisor), "qmp: answers; agent: answers");
}

#[test]
fn a_vm_that_is_held_is_not_taken_for_a_running_or_a_stopped_one() {
    let hypervisor = Hypervisor::practice();
    hypervisor.trouble("held", Some("io-error"));
    let start = finish(&mut hypervisor.verb("start"));
    let held = "start: failed: the QEMU of VM 102 is up, but the guest does not run: ask for status, and use cycle";
    assert_ends(&start, 1, held);
    assert_ends(&finish(&mut hypervisor.verb("cycle")), 0, "cycle: done: VM 102 is running");
    assert_ne!(hypervisor.vm().1, 4102);
}

#[test]
fn staged_configuration_is_in_the_evidence_and_a_cycle_applies_it() {
    let hypervisor = Hypervisor::practice();
    hypervisor.trouble("pending", Some("memory: 8192"));
    let output = finish(&mut hypervisor.verb("cycle"));
    assert_ends(&output, 0, "cycle: done: VM 102 is running");
    assert!(section(&output, "qm pending 102").ends_with("\nnew memory: 8192"), "{output:?}");
    assert!(!hypervisor.path("state/pending").exists() && hypervisor.path("state/applied").exists());
}

#[test]
fn the_task_log_of_this_vm_and_of_no_other_is_in_the_evidence() {
    let hypervisor = Hypervisor::practice();
    let tasks = hypervisor.path("tasks");
    let upid =
        |began: &str, kind: &str, vm: &str| format!("UPID:pve:0000{began:.4}:000012AB:{began}:{kind}:{vm}:root@pam:");
    let (stop, start) = (upid("65A0B1C3", "qmstop", "102"), upid("65A0B1CF", "qmstart", "102"));
    let (other, odd) = (upid("65A0B1D0", "qmstart", "1102"), "UPID:pve:../../x:12AB:65A0B1CF:qmstart:102:root@pam:");
    fs::create_dir_all(tasks.join("3")).unwrap();
    fs::create_dir_all(tasks.join("F")).unwrap();
    fs::write(tasks.join("index"), format!("{stop} 65A0B1C9 OK\n{other} 65A0B1D4 OK\n{odd} 65A0B1D4 OK\n")).unwrap();
    fs::write(tasks.join("active"), format!("{start} 0\n")).unwrap();
    fs::write(tasks.join("3").join(&stop), "TASK OK\n").unwrap();
    fs::write(tasks.join("F").join(&start), "start failed: out of memory\n").unwrap();
    hypervisor.configure(&format!("TASKS='{}'", tasks.display()));
    let output = finish(&mut hypervisor.verb("forensics"));
    let expected =
        format!("{stop} 65A0B1C9 OK\n{start} 0\n-- {stop}\nTASK OK\n-- {start}\nstart failed: out of memory");
    assert_eq!(section(&output, "host: tasks of VM 102"), expected);
}

#[test]
fn what_this_host_does_not_have_is_said_and_not_passed_over() {
    let hypervisor = Hypervisor::practice();
    with_sockets(&hypervisor);
    hypervisor.configure("TASKS=/nonexistent/tasks");
    let output = finish(&mut hypervisor.verb("forensics"));
    assert_eq!(section(&output, "QEMU monitor"), "(not available: nobody listens, so no QEMU runs)");
    assert_eq!(section(&output, "guest agent"), "(not available: no guest agent is configured, or no QEMU runs)");
    assert_eq!(
        section(&output, "host: tasks of VM 102"),
        "(not available: this host has no task log in /nonexistent/tasks)"
    );
}

#[test]
fn a_part_that_is_too_long_is_cut_and_says_so() {
    let hypervisor = Hypervisor::practice();
    hypervisor.put_before_qm("[ $1 != config ] || exec head -c 3000000 /dev/zero");
    let output = finish(&mut hypervisor.verb("forensics"));
    assert_ends(&output, 0, "forensics: done: the capture was kept");
    assert!(section(&output, "qm config 102").ends_with("\n(cut here: longer than 1 MiB)"));
    assert!(fs::metadata(hypervisor.captures()[0].join("config")).unwrap().len() < 1_050_000);
}

#[test]
fn a_capture_is_fetched_as_an_archive_and_by_its_parts() {
    let (hypervisor, sshd) = reachable();
    let output = over_ssh(&sshd, "forensics");
    let id = capture_id(&output);
    let parts = text(&output.stdout).lines().find_map(|line| line.strip_prefix("capture-parts: ")).unwrap();
    let parts: Vec<_> = parts.split(' ').collect();
    assert!(parts.contains(&"screenshot") && parts.contains(&"kernel") && parts.len() == 11, "{parts:?}");
    let archive = over_ssh(&sshd, format!("capture {id}"));
    assert_eq!(archive.status.code(), Some(0));
    fs::write(hypervisor.path("capture.tar"), &archive.stdout).unwrap();
    let listed = finish(Command::new("tar").arg("-tf").arg(hypervisor.path("capture.tar")));
    let listed: Vec<_> = text(&listed.stdout).lines().collect();
    for part in parts {
        let fetched = over_ssh(&sshd, format!("capture {id} {part}"));
        assert_eq!((fetched.status.code(), text(&fetched.stderr)), (Some(0), ""));
        let file = if part == "screenshot" { "screenshot.png" } else { part };
        assert_eq!(fetched.stdout, fs::read(hypervisor.captures()[0].join(file)).unwrap(), "{part}");
        assert!(listed.contains(&&*format!("{id}/{file}")), "{listed:?}");
    }
}

#[test]
fn a_capture_or_a_part_that_is_not_there_is_said_to_be_missing() {
    let hypervisor = Hypervisor::practice();
    finish(&mut hypervisor.verb("stop"));
    let output = finish(&mut hypervisor.verb("forensics"));
    let id = capture_id(&output);
    let missing = finish(&mut hypervisor.verb(&format!("capture {id} screenshot")));
    assert_eq!((missing.status.code(), text(&missing.stdout)), (Some(1), ""), "a stopped VM has no screen");
    assert_eq!(text(&missing.stderr), "capture: this capture has no part screenshot\n");
    let other = finish(&mut hypervisor.verb("capture 20200101T000000.000000000-cycle.abcdef"));
    assert_eq!((other.status.code(), text(&other.stdout)), (Some(1), ""));
    assert_eq!(text(&other.stderr), "capture: no capture of this id is kept here; the newest 20 are\n");
}

#[test]
fn every_intent_and_every_outcome_goes_to_syslog() {
    let (hypervisor, sshd) = reachable();
    let log = hypervisor.path("syslog");
    hypervisor.configure(&format!("logger() {{ printf '%s\\n' \"$*\" >>'{}'; }}", log.display()));
    let id = "1e111111-2222-4333-8444-555555555555";
    over_ssh(&sshd, format!("stop {id}"));
    over_ssh(&sshd, "reset");
    let said = || fs::read_to_string(&log).unwrap_or_default();
    let told = |what: &str| said().lines().any(|line| line == format!("-t breakglass-pve -- from 127.0.0.1: {what}"));
    for what in [
        &*format!("stop of VM 102 begins (run {id})"),
        &*format!("stop of VM 102 ends with exit code 0: done: VM 102 is stopped (run {id})"),
        "reset of VM 102 begins",
        "reset of VM 102 ends with exit code 1: failed: VM 102 is stopped, and only a running VM can be reset: use start",
    ] {
        crate::harness::sshd::eventually(what, || told(what));
    }
}
