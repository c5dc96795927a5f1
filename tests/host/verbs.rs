//! What each of the six verbs does when all is well, through ssh.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use super::*;

#[test]
fn status_says_what_qm_says_and_makes_no_capture() {
    let (hypervisor, sshd) = reachable();
    let output = over_ssh(&sshd, "status");
    assert_eq!(output.status.code(), Some(0), "{output:?}\n{}", sshd.log());
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    for line in ["name: devvm", "pid: 4102", "qmpstatus: running", "status: running"] {
        assert!(lines.contains(&line), "no {line:?} in {lines:?}");
    }
    assert_eq!(hypervisor.captures().len(), 0);
}

#[test]
fn forensics_prints_every_part_and_keeps_what_it_printed() {
    let (hypervisor, sshd) = reachable();
    let output = over_ssh(&sshd, "forensics");
    assert_ends(&output, 0, "forensics: done: the capture was kept");
    let printed = text(&output.stdout);
    for part in ["about", "host: uptime and load", "host: memory", "host: kernel log"] {
        assert!(printed.contains(&format!("== {part} ==\n")), "no {part} in {printed}");
    }
    for (part, line) in
        [("status 102 --verbose", "status: running"), ("config 102", "cores: 2"), ("pending 102", "cur cores: 2")]
    {
        let (_, after) = printed.split_once(&format!("== qm {part} ==\n")).unwrap();
        assert!(after.split("== ").next().unwrap().lines().any(|printed| printed == line), "no {line} in {after}");
    }
    let captures = hypervisor.captures();
    assert_eq!(captures.len(), 1);
    let id = captures[0].file_name().unwrap().to_str().unwrap();
    assert!(printed.contains(&format!("\ncapture: {id}\n")), "{printed}");
    for part in ["about", "load", "memory", "kernel", "tasks", "status", "config", "pending", "qmp", "agent"] {
        let kept = fs::read_to_string(captures[0].join(part)).unwrap();
        assert!(!kept.is_empty() && printed.contains(&kept), "{part}: {kept}");
    }
}

#[test]
fn captures_are_for_their_owner_only() {
    let hypervisor = Hypervisor::practice();
    assert!(finish(&mut hypervisor.verb("forensics")).status.success());
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(hypervisor.path("captures")), 0o700);
    let capture = hypervisor.captures().remove(0);
    assert_eq!(mode(capture.clone()), 0o700);
    assert!(fs::read_dir(capture).unwrap().all(|part| mode(part.unwrap().path()) == 0o600));
}

#[test]
fn stop_then_start_leaves_a_fresh_process_and_each_says_so() {
    let (hypervisor, sshd) = reachable();
    assert_ends(&over_ssh(&sshd, "stop"), 0, "stop: done: VM 102 is stopped");
    assert_eq!(hypervisor.vm(), (false, 4102));
    assert_ends(&over_ssh(&sshd, "start"), 0, "start: done: VM 102 is running");
    let (running, pid) = hypervisor.vm();
    assert!(running && pid != 4102);
}

#[test]
fn reset_keeps_the_process() {
    let (hypervisor, sshd) = reachable();
    assert_ends(&over_ssh(&sshd, "reset"), 0, "reset: done: VM 102 was reset and is running");
    assert_eq!(hypervisor.vm(), (true, 4102));
    assert_eq!(hypervisor.count("reset"), 1);
}

#[test]
fn cycle_leaves_a_fresh_process() {
    let (hypervisor, sshd) = reachable();
    let output = over_ssh(&sshd, "cycle");
    assert_ends(&output, 0, "cycle: done: VM 102 is running");
    let (running, pid) = hypervisor.vm();
    assert!(running && pid != 4102);
    assert_eq!((hypervisor.count("stop"), hypervisor.count("start")), (1, 1));
    assert!(text(&output.stdout).contains("practice: no machine was touched\n"));
}

#[test]
fn what_is_so_already_is_done_without_touching_the_vm() {
    let hypervisor = Hypervisor::practice();
    assert_ends(
        &finish(&mut hypervisor.verb("start")),
        0,
        "start: done: VM 102 was running already, nothing was changed",
    );
    assert_eq!((hypervisor.vm(), hypervisor.count("start")), ((true, 4102), 0));
    finish(&mut hypervisor.verb("stop"));
    assert_ends(&finish(&mut hypervisor.verb("stop")), 0, "stop: done: VM 102 is stopped");
    assert_eq!(hypervisor.count("stop"), 1);
}

#[test]
fn a_stopped_vm_is_cycled_by_starting_it_and_cannot_be_reset() {
    let hypervisor = Hypervisor::practice();
    finish(&mut hypervisor.verb("stop"));
    let reset = finish(&mut hypervisor.verb("reset"));
    assert_ends(&reset, 1, "reset: failed: VM 102 is stopped, and only a running VM can be reset: use start");
    assert_ends(&finish(&mut hypervisor.verb("cycle")), 0, "cycle: done: VM 102 is running");
}

#[test]
fn every_mutation_has_a_capture_made_before_it() {
    let (hypervisor, sshd) = reachable();
    for (captures, verb) in (1..).zip(["reset", "stop", "start", "cycle"]) {
        assert_eq!(over_ssh(&sshd, verb).status.code(), Some(0));
        assert_eq!(hypervisor.captures().len(), captures);
        assert!(hypervisor.captures().last().unwrap().to_str().unwrap().contains(&format!("-{verb}.")));
    }
    let mutations: Vec<_> =
        hypervisor.calls().into_iter().filter(|call| ["reset", "stop", "start"].contains(&&*call.0)).collect();
    let expected = [("reset", 1), ("stop", 2), ("start", 3), ("stop", 4), ("start", 4)];
    assert_eq!(mutations, expected.map(|(operation, captures)| (operation.to_owned(), captures)));
}

#[test]
fn output_arrives_while_the_verb_still_runs() {
    let (hypervisor, sshd) = reachable();
    // qm stops only after the test has seen the line that announces it.
    let seen = hypervisor.path("seen");
    hypervisor.put_before_qm(&format!("[ $1 != stop ] || until [ -e '{}' ]; do sleep 0.05; done", seen.display()));
    let mut client = sshd.ssh("pve").arg("stop").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "stop: stopping VM 102"));
    assert!(hypervisor.vm().0);
    fs::write(seen, "").unwrap();
    assert_eq!(lines.last().unwrap(), "stop: done: VM 102 is stopped");
    assert!(client.wait().unwrap().success());
}

#[test]
fn the_newest_twenty_captures_are_kept() {
    let hypervisor = Hypervisor::practice();
    fs::create_dir(hypervisor.path("captures")).unwrap();
    for day in 1..=25 {
        fs::write(hypervisor.path(&format!("captures/202001{day:02}T000000.000000000-cycle.abcdef")), "old").unwrap();
    }
    finish(&mut hypervisor.verb("forensics"));
    let captures = hypervisor.captures();
    assert_eq!(captures.len(), 20);
    assert!(captures[0].to_str().unwrap().contains("20200107T"), "{captures:?}");
    assert!(captures[19].to_str().unwrap().contains("-forensics."), "{captures:?}");
}
