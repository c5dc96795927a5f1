//! When things are broken, which is when the hypervisor is needed.

use std::time::{Duration, Instant};

use super::*;
use crate::harness::hypervisor::repository;

/// Limits that a test with a fault in it can wait for, and how long they make a mutation take at most, with an
/// allowance for a busy machine.
const SHORT_LIMITS: &str = "PART_LIMIT=1 FORENSICS_LIMIT=4 STOP_LIMIT=8 START_LIMIT=8";
const SHORT_TOTAL: Duration = Duration::from_secs(4 + 8 + 8 + 12 + 20);

#[test]
fn a_hung_qm_status_does_not_stop_the_rescue() {
    let hypervisor = Hypervisor::practice();
    hypervisor.configure(SHORT_LIMITS);
    hypervisor.put_before_qm("case $1 in status | config | pending) trap '' TERM; sleep 600 ;; esac");
    let begun = Instant::now();
    let output = finish(&mut hypervisor.verb("cycle"));
    assert!(begun.elapsed() < SHORT_TOTAL, "{:?}", begun.elapsed());
    assert_ends(&output, 1, "cycle: failed: VM 102 was told to start 1 times; the state of VM 102 could not be read");
    assert!(text(&output.stdout).contains("== qm status 102 --verbose ==\n(no answer within 1 s)\n"), "{output:?}");
    assert!(!text(&output.stdout).contains("Killed"), "{output:?}");
    assert_eq!(hypervisor.captures().len(), 1);
    let (running, pid) = hypervisor.vm();
    assert!(running && pid != 4102, "the VM was cycled all the same");
}

#[test]
fn a_stop_that_comes_late_is_still_followed_by_a_start() {
    let hypervisor = Hypervisor::practice();
    hypervisor.configure(SHORT_LIMITS).configure("START_LIMIT=30");
    // Like the real one, whose work goes on in a process of its own when the caller is killed.
    hypervisor.put_before_qm(&format!(
        "[ $1 != stop ] || {{ setsid sh -c 'sleep 11; exec \"{}\" stop 102' >/dev/null 2>&1 & sleep 600; }}",
        repository().join("deploy/practice/qm").display()
    ));
    assert_ends(&finish(&mut hypervisor.verb("cycle")), 0, "cycle: done: VM 102 is running");
    let (running, pid) = hypervisor.vm();
    assert!(running && pid != 4102);
}

#[test]
fn a_vm_that_cannot_be_stopped_is_left_running_and_reported() {
    let hypervisor = Hypervisor::practice();
    hypervisor.put_before_qm("[ $1 != stop ] || { echo \"can't lock file: got timeout\" >&2; exit 255; }");
    let output = finish(&mut hypervisor.verb("cycle"));
    assert_ends(&output, 1, "cycle: failed: VM 102 could not be stopped and is still running");
    assert!(text(&output.stdout).contains("can't lock file: got timeout\ncycle: qm stop failed with exit code 255\n"));
    assert_ends(&finish(&mut hypervisor.verb("stop")), 1, "stop: failed: VM 102 is running");
    assert_eq!((hypervisor.vm(), hypervisor.count("start")), ((true, 4102), 0));
}

#[test]
fn a_start_that_fails_twice_is_tried_a_third_time() {
    let hypervisor = Hypervisor::practice();
    let tries = hypervisor.path("tries");
    let count = format!("echo x >>'{0}'; [ $(wc -l <'{0}') -gt 2 ] || exit 255", tries.display());
    hypervisor.put_before_qm(&format!("[ $1 != start ] || {{ {count}; }}"));
    assert_ends(&finish(&mut hypervisor.verb("cycle")), 0, "cycle: done: VM 102 is running");
    assert_eq!(hypervisor.count("start"), 3);
}

#[test]
fn a_start_that_always_fails_is_reported_with_the_state_of_the_vm() {
    let (hypervisor, sshd) = reachable();
    hypervisor.put_before_qm("[ $1 != start ] || { echo 'start failed: no such disk' >&2; exit 255; }");
    let output = over_ssh(&sshd, "cycle");
    assert_ends(&output, 1, "cycle: failed: VM 102 was told to start 3 times; VM 102 is stopped");
    assert_eq!(text(&output.stdout).matches("start failed: no such disk\n").count(), 3);
}

#[test]
fn qm_that_fails_at_status_is_reported_without_its_own_exit_code() {
    // 255 would look like a failure of ssh, and 64 or 75 like a refusal.
    let hypervisor = Hypervisor::practice();
    hypervisor.put_before_qm("exit 255");
    assert_ends(&finish(&mut hypervisor.verb("status")), 1, "status: failed: qm status ended with exit code 255");
}

#[test]
fn captures_that_cannot_be_written_do_not_prevent_a_cycle() {
    // A folder that cannot be made, whoever tries; and a disk that is full, by the kernel's own word.
    for fault in ["CAPTURES=/dev/null/captures", "cp() { command cat -- \"$2\" >/dev/full; }"] {
        let hypervisor = Hypervisor::practice();
        hypervisor.configure(fault);
        let output = finish(&mut hypervisor.verb("cycle"));
        assert_ends(&output, 0, "cycle: done: VM 102 is running");
        assert!(text(&output.stdout).contains("\ncycle: going on without a kept capture\n"), "{output:?}");
        assert_ne!(hypervisor.vm().1, 4102);
        assert_eq!(hypervisor.captures().len(), 0);
        let forensics = finish(&mut hypervisor.verb("forensics"));
        let last = "forensics: failed: the capture could not be kept; what was printed is all there is";
        assert_ends(&forensics, 1, last);
    }
}

#[test]
fn a_host_without_any_temporary_space_carries_a_cycle_through_and_says_what_is_lost() {
    let hypervisor = Hypervisor::practice();
    hypervisor.configure("mktemp() { return 1; }");
    let output = finish(&mut hypervisor.verb("cycle"));
    let lost = "cycle: no temporary folder can be written, so the output is lost; \
                the result is in the exit code and in syslog";
    assert_ends(&output, 0, lost);
    let (running, pid) = hypervisor.vm();
    assert!(running && pid != 4102);
}
