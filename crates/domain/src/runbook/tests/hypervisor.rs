//! Whether SSH answers, what the hypervisor says, and which verb that calls for.

use super::*;

fn status(status: &str, qmp: &str) -> String {
    format!(
        "balloon: 0\ncpus: 4\nname: devvm\nqmpstatus: {qmp}\nrunning-qemu: 9.0.2\nstatus: {status}\nuptime: 1036800\nvmid: 102\n"
    )
}

fn with_host(target: StepOutcome, host: &str) -> Verdict {
    verdict("devvm", &[seen(Reading::Answers, target), ran(Reading::HypervisorStatus, host)])
}

#[track_caller]
fn recommends(verdict: &Verdict, verb: Option<Verb>) {
    assert_eq!(verdict.recommendation.as_ref().map(|it| it.verb), verb, "{}", verdict.text());
}

#[test]
fn a_silent_target_whose_vm_runs_needs_a_cycle() {
    let verdict = with_host(silent(), &status("running", "running"));
    recommends(&verdict, Some(Verb::Cycle));
    let text = verdict.text();
    assert!(text.starts_with("devvm: SSH does not answer (connect to host devvm port 22: Connection timed out) and the hypervisor says running, up 12 days: cycle recommended\n"), "{text}");
    assert!(text.contains("Next:\n- cycle recommended, because QEMU runs, but the guest does not answer"), "{text}");
    assert!(text.contains("commands after it were not tried"), "{text}");
}

#[test]
fn a_stopped_vm_is_started() {
    let verdict = with_host(silent(), &status("stopped", "stopped"));
    recommends(&verdict, Some(Verb::Start));
    assert!(verdict.text().starts_with("devvm: the VM is stopped: start it\n"), "{}", verdict.text());
}

#[test]
fn a_vm_that_qemu_holds_is_told_by_its_word() {
    for (qmp, words) in [
        ("io-error", "error of its storage"),
        ("internal-error", "internal error"),
        ("paused", "its CPUs are held"),
        ("prelaunch", "never were"),
        ("guest-panicked", "panicked"),
    ] {
        let verdict = with_host(silent(), &status("running", qmp));
        recommends(&verdict, Some(Verb::Cycle));
        assert!(verdict.text().contains(words), "{}", verdict.text());
    }
    recommends(&with_host(silent(), &status("running", "inmigrate")), None);
    recommends(&with_host(silent(), &status("running", "something-new")), None);
}

#[test]
fn a_monitor_that_does_not_answer_means_a_wedged_qemu() {
    let output = format!("VM 102 qmp command 'query-status' failed - got timeout\n{}", status("running", "running"));
    let verdict = with_host(late(), &output);
    recommends(&verdict, Some(Verb::Cycle));
    assert!(verdict.text().contains("QEMU's monitor does not answer"), "{}", verdict.text());
}

#[test]
fn a_target_that_answers_needs_no_cycle() {
    for qmp in ["running", "paused", "io-error"] {
        let answered = StepOutcome::Exited { code: 0, output: "== answer ==\n up 3 days".to_owned(), truncated: false };
        recommends(&with_host(answered, &status("running", qmp)), None);
    }
    says(
        &[ran(Reading::Answers, "x"), ran(Reading::HypervisorStatus, &status("running", "running"))],
        &["nothing wrong found", "SSH answers and the hypervisor says running, up 12 days, so no cycle is needed"],
    );
}

#[test]
fn no_power_operation_is_recommended_for_a_fault_that_lies_before_the_target() {
    for why in [
        "Could not resolve hostname devvm: Name or service not known",
        "connect to host 10.0.0.5 port 22: Network is unreachable",
    ] {
        recommends(&with_host(StepOutcome::Unreachable { why: why.to_owned() }, &status("running", "running")), None);
    }
    let refused = with_host(
        StepOutcome::Refused { why: "permission denied (publickey)".to_owned() },
        &status("running", "running"),
    );
    recommends(&refused, None);
    assert!(refused.text().contains("SSH would not let the console in: permission denied"), "{}", refused.text());
}

#[test]
fn a_vm_that_just_started_or_is_locked_is_left_alone() {
    let booting = status("running", "running").replace("1036800", "45");
    recommends(&with_host(silent(), &booting), None);
    let locked = with_host(silent(), &format!("lock: backup\n{}", status("running", "running")));
    recommends(&locked, None);
    assert!(locked.text().contains("locked by the hypervisor (backup)"), "{}", locked.text());
}

#[test]
fn a_silent_hypervisor_is_another_tools_case() {
    let observed = [
        seen(Reading::Load, silent()),
        seen(Reading::HypervisorStatus, StepOutcome::Unreachable { why: "No route to host".to_owned() }),
    ];
    recommends(&verdict("devvm", &observed), None);
    says(&observed, &["neither SSH", "nor the hypervisor (No route to host) answers", "this is not this tool's case"]);
    says_nothing_of(&observed, &["nothing wrong"]);
}

#[test]
fn a_host_that_gives_no_status_is_not_read_as_a_status() {
    let verdict = with_host(silent(), "status: failed: qm status gave no answer within 6 s\n");
    recommends(&verdict, None);
    assert!(verdict.text().contains("the hypervisor could not be asked"), "{}", verdict.text());
}

#[test]
fn forensics_stand_in_for_a_status_and_tell_of_the_host() {
    let forensics = format!(
        "forensics: VM 102\n== host: kernel log ==\n[Fri Nov 20 11:00:00 2026] Out of memory: Killed process 99 (kvm) total-vm:1kB\n== qm status 102 --verbose ==\n{}== qm config 102 ==\nboot: order=scsi0\n== end of forensics ==\n",
        status("stopped", "stopped")
    );
    let observed = [
        seen(Reading::Answers, silent()),
        seen(Reading::HypervisorStatus, late()),
        ran(Reading::Forensics, &forensics),
    ];
    recommends(&verdict("devvm", &observed), Some(Verb::Start));
    says(&observed, &["a VM that its OOM killer took"]);
}

#[test]
fn a_target_that_ends_no_command_is_stuck() {
    let verdict = with_host(late(), &status("running", "running"));
    recommends(&verdict, Some(Verb::Cycle));
    assert!(verdict.text().contains("SSH connects, but no command ends within 20 s"), "{}", verdict.text());
}

#[test]
fn a_target_that_fell_silent_on_the_way_is_asked_once_more_first() {
    let observed = [
        ran(Reading::Answers, "x"),
        seen(Reading::KernelLog, silent()),
        ran(Reading::HypervisorStatus, &status("running", "running")),
    ];
    recommends(&verdict("devvm", &observed), None);
    says(&observed, &["SSH answered and then stopped answering", "run this once more"]);
}

#[test]
fn output_that_was_cut_off_is_told() {
    let cut = StepOutcome::Exited { code: 0, output: "== units ==\n0\n".to_owned(), truncated: true };
    says(&[seen(Reading::UnitJournal, cut)], &["cut off"]);
}
