//! The strip's words as its users meet them: outputs in, the verdict out.

use super::{figures::GLANCE, verdict::Seen, way_up::Listener, *};
use crate::runbook::StepOutcome;

const NOW: Millis = Millis(10_000_000);
const HOUR: Millis = Millis(10_000_000 - 3_600_000);

fn figures() -> Figures {
    Figures { uptime: Some(86_400 * 12), load: Some([0.4, 0.3, 0.2]), cpus: Some(4), ..Figures::default() }
}

fn ssh(says: SshSays) -> Option<SshLook> {
    Some(SshLook { at: NOW, since: HOUR, says })
}

fn answers() -> Option<SshLook> {
    ssh(SshSays::Answers(figures()))
}

fn silent() -> Option<SshLook> {
    ssh(SshSays::Silent { why: "connect to host devvm port 22: Connection timed out".into() })
}

fn silent_because(why: &str) -> Option<SshLook> {
    ssh(SshSays::Silent { why: why.into() })
}

fn refused() -> Option<SshLook> {
    ssh(SshSays::Refused { why: "rescue@devvm: Permission denied (publickey).".into() })
}

fn banner(since: Millis) -> Option<SshLook> {
    let says = SshSays::Banner { software: "OpenSSH_9.2p1".into(), why: "no command ended within 5 s".into() };
    Some(SshLook { at: NOW, since, says })
}

fn host(says: HostSays) -> Option<HostLook> {
    Some(HostLook { at: NOW, since: HOUR, says })
}

/// The hypervisor's look at a VM, of the words that its script prints.
fn vm(status: &str, qmp: &str, qmp_line: &str, agent_line: &str) -> Option<HostLook> {
    says(&format!(
        "name: devvm\nqmpstatus: {qmp}\nstatus: {status}\nuptime: 86400\nqmp: {qmp_line}\nagent: {agent_line}\n"
    ))
}

fn says(output: &str) -> Option<HostLook> {
    host(HostSays::of(&StepOutcome::Exited { code: 0, output: output.into(), truncated: false }))
}

fn host_silent() -> Option<HostLook> {
    host(HostSays::Silent { why: "No route to host".into() })
}

const ALIVE: &str = "answers";
const DEAD: &str = "silent (timed out after 3 s)";
const OFF: &str = "off (nobody listens)";

fn running(agent: &str) -> Option<HostLook> {
    vm("running", "running", ALIVE, agent)
}

fn seen<'a>(ssh: &'a Option<SshLook>, hypervisor: &'a Option<HostLook>) -> Seen<'a> {
    Seen {
        target: "devvm",
        fallback: Some("the KVM switch at 10.0.0.9"),
        hypervisor: hypervisor.as_ref(),
        ssh: ssh.as_ref(),
        banner_since: match ssh {
            Some(SshLook { since, says: SshSays::Banner { .. }, .. }) => Some(*since),
            _ => None,
        },
        running: None,
        way_up: None,
        changed_keys: &[],
        now: NOW,
    }
}

fn judged(ssh: Option<SshLook>, hypervisor: Option<HostLook>) -> Verdict {
    verdict::verdict(&seen(&ssh, &hypervisor)).expect("something was seen")
}

#[test]
fn every_situation_has_its_standing_its_words_and_its_verb() {
    use Standing::*;
    let cycle = Some(Verb::Cycle);
    for (ssh, host, standing, recommends, words) in [
        (answers(), running(ALIVE), AllAnswers, None, "all answers"),
        (answers(), running(OFF), AllAnswers, None, "all answers"),
        (answers(), None, AllAnswers, None, "all answers"),
        (answers(), vm("running", "running", DEAD, "unknown (not asked)"), Busy, None, "QEMU's monitor does not"),
        (answers(), host_silent(), Busy, None, "power operations will not work"),
        (answers(), host(HostSays::Refused { why: "Permission denied (publickey)".into() }), Busy, None, "hypervisor"),
        (answers(), vm("stopped", "stopped", OFF, OFF), Unclear, None, "does not fit together"),
        (answers(), vm("running", "io-error", ALIVE, DEAD), Unclear, None, "does not fit together"),
        (silent(), running(ALIVE), SshDead, None, "the guest lives"),
        (
            silent_because("ssh: connect to host devvm port 22: Connection refused"),
            running(ALIVE),
            SshDead,
            None,
            "lives",
        ),
        (silent(), running(DEAD), GuestSilent, cycle, "the guest is silent, QEMU runs: cycle recommended"),
        (silent(), running(OFF), GuestSilent, cycle, "the guest is silent"),
        (silent(), says("status: running\n"), GuestSilent, cycle, "the guest is silent"),
        (banner(HOUR), running(ALIVE), SshDead, cycle, "SSH names itself"),
        (banner(NOW), running(ALIVE), SshDead, None, "SSH names itself"),
        (banner(NOW), running(DEAD), SshDead, None, "SSH names itself"),
        (silent(), vm("running", "running", DEAD, "unknown (not asked)"), Stalled, cycle, "QEMU is stalled: cycle"),
        (silent(), vm("running", "io-error", ALIVE, DEAD), Stalled, cycle, "error of its storage: cycle"),
        (silent(), vm("running", "internal-error", ALIVE, DEAD), Stalled, cycle, "internal error: cycle"),
        (silent(), vm("running", "guest-panicked", ALIVE, DEAD), Stalled, cycle, "panicked: cycle"),
        (silent(), vm("running", "paused", ALIVE, DEAD), Stalled, cycle, "holds the VM's CPUs: cycle"),
        (silent(), vm("running", "prelaunch", ALIVE, DEAD), Stalled, cycle, "never were: cycle"),
        (silent(), vm("running", "inmigrate", ALIVE, DEAD), Unclear, None, "a migration is under way"),
        (silent(), vm("running", "something-new", ALIVE, DEAD), Unclear, None, "do not know"),
        (silent(), vm("stopped", "stopped", OFF, OFF), Stopped, Some(Verb::Start), "the VM is stopped: start it"),
        (None, vm("stopped", "stopped", OFF, OFF), Stopped, Some(Verb::Start), "start it"),
        (None, running(ALIVE), Unclear, None, "no way to look into it"),
        (silent(), host_silent(), HypervisorSilent, None, "not this tool's case"),
        (None, host_silent(), HypervisorSilent, None, "not this tool's case"),
        (silent(), host(HostSays::Refused { why: "Permission denied".into() }), Unclear, None, "cannot be asked"),
        (silent(), says("status: failed: qm status gave no answer within 6 s\n"), Unclear, None, "cannot be asked"),
        (silent(), None, Unclear, None, "cannot be asked"),
        (refused(), running(DEAD), Unclear, None, "would not let the console in"),
        (refused(), host_silent(), Unclear, None, "would not let the console in"),
        (refused(), vm("running", "io-error", ALIVE, DEAD), Stalled, None, "error of its storage"),
        (banner(HOUR), host_silent(), Unclear, None, "SSH names itself"),
    ] {
        let case = format!("{ssh:?}\n{host:?}");
        let verdict = judged(ssh, host);
        assert_eq!((verdict.standing, verdict.recommends), (standing, recommends), "{case}\n{verdict:#?}");
        assert!(verdict.headline.contains(words), "{case}\n{verdict:#?}");
        let promised = verdict.headline.contains("recommended") || verdict.headline.contains("start it");
        assert_eq!(promised, recommends.is_some(), "the headline promises what is recommended: {verdict:#?}");
        assert!(!verdict.reasons.is_empty(), "{case}");
    }
}

#[test]
fn nothing_seen_is_no_verdict() {
    assert_eq!(verdict::verdict(&seen(&None, &None)), None);
}

#[test]
fn no_verb_is_recommended_for_a_fault_of_the_consoles_own() {
    for why in [
        "ssh: Could not resolve hostname devvm: Name or service not known",
        "connect to host devvm: Network is unreachable",
    ] {
        for host in [running(DEAD), running(ALIVE), vm("running", "running", DEAD, "unknown (not asked)")] {
            let verdict = judged(silent_because(why), host);
            assert_eq!((verdict.standing, verdict.recommends), (Standing::Unclear, None), "{verdict:#?}");
            assert!(verdict.headline.contains("its own network"), "{verdict:#?}");
        }
    }
}

#[test]
fn a_vm_that_started_moments_ago_is_waited_for() {
    let young = says("status: running\nqmpstatus: running\nuptime: 40\nqmp: answers\nagent: silent (x)\n");
    let verdict = judged(silent(), young);
    assert_eq!((verdict.standing, verdict.recommends), (Standing::ComingUp, None), "{verdict:#?}");
}

#[test]
fn while_a_mutation_runs_and_on_the_way_up_nothing_is_recommended() {
    let (dead, up, down) = (silent(), running(DEAD), vm("stopped", "stopped", OFF, OFF));
    let run = || "00000000-0000-4000-8000-000000000001".parse().unwrap();
    for host in [&up, &down] {
        let verdict = verdict::verdict(&Seen { running: Some(Verb::Cycle), ..seen(&dead, host) }).unwrap();
        assert_eq!((verdict.standing, verdict.recommends), (Standing::ComingUp, None));
        assert_eq!(verdict.headline, "cycle is under way");
    }
    let mut way = WayUp::begun(run(), Verb::Cycle, NOW);
    let judge = |way: &WayUp, host| verdict::verdict(&Seen { way_up: Some(way), ..seen(&dead, host) }).unwrap();
    assert_eq!(judge(&way, &up).headline, "coming up after the cycle");
    assert_eq!(judge(&way, &down).recommends, Some(Verb::Start), "a start that failed is seen");
    way.over = true;
    assert_eq!(judge(&way, &up).recommends, Some(Verb::Cycle));
}

#[test]
fn a_locked_vm_is_not_recommended_what_the_lock_refuses() {
    let verdict = judged(silent(), says("lock: backup\nstatus: running\nqmpstatus: io-error\n"));
    assert_eq!((verdict.standing, verdict.recommends), (Standing::Stalled, None), "{verdict:#?}");
    assert!(verdict.reasons.iter().any(|reason| reason.contains("locked by the hypervisor (backup)")), "{verdict:#?}");
}

#[test]
fn where_the_hypervisor_is_silent_the_configuration_says_what_to_use() {
    let verdict = judged(silent(), host_silent());
    assert!(verdict.reasons.contains(&"use instead: the KVM switch at 10.0.0.9".to_owned()), "{verdict:#?}");
}

#[test]
fn a_target_that_is_short_of_something_is_busy_by_the_presets_thresholds() {
    const GIB: u64 = 1 << 30;
    let disk = |mount: &str, used: u64, of: u64| Disk { mount: mount.into(), share: Share { used, of } };
    let memory = |left: u64| Some(Share { used: 100 * GIB - left * GIB, of: 100 * GIB });
    for (figures, busy, words) in [
        (Figures { load: Some([8.0, 6.1, 2.0]), ..figures() }, true, "load 8.0 on 4 CPUs"),
        (Figures { load: Some([8.0, 5.9, 2.0]), ..figures() }, false, ""),
        (Figures { load: Some([99.0, 99.0, 9.0]), cpus: None, ..figures() }, false, ""),
        (Figures { memory: memory(9), ..figures() }, true, "memory nearly used up: 9 GB left of 100 GB"),
        (Figures { memory: memory(10), ..figures() }, false, ""),
        (Figures { disks: vec![disk("/", 96 * GIB, 100 * GIB)], ..figures() }, true, "root filesystem 96 % full, 4 GB"),
        (Figures { disks: vec![disk("/", 92 * GIB, 100 * GIB)], ..figures() }, false, "root filesystem 92 % full"),
        (Figures { disks: vec![disk("/", 50 * GIB, 100 * GIB)], ..figures() }, false, ""),
        (Figures { disks: vec![disk("/boot/efi", 99 * GIB, 100 * GIB)], ..figures() }, false, "/boot/efi 99 % full"),
    ] {
        let verdict = judged(ssh(SshSays::Answers(figures)), running(ALIVE));
        let standing = if busy { Standing::Busy } else { Standing::AllAnswers };
        assert_eq!((verdict.standing, verdict.recommends), (standing, None), "{verdict:#?}");
        assert!(verdict.reasons.iter().any(|reason| reason.contains(words)), "{verdict:#?}");
        assert_eq!(verdict.headline.starts_with("busy: "), busy);
    }
}

#[test]
fn a_changed_host_key_is_a_reason() {
    let (up, host) = (answers(), running(ALIVE));
    let key = ChangedKey { host: KeyHost::Target, pinned: "SHA256:a".into(), seen: "SHA256:b".into(), since: NOW };
    let verdict = verdict::verdict(&Seen { changed_keys: &[key], ..seen(&up, &host) }).unwrap();
    assert_eq!(verdict.standing, Standing::AllAnswers, "it warns and goes on");
    let wanted = "its host key changed: a rebuilt VM has a new one";
    assert!(verdict.reasons.iter().any(|reason| reason.starts_with(wanted)), "{verdict:#?}");
}

#[test]
fn a_status_is_read_with_both_of_its_last_lines() {
    let read = |output: &str| HostSays::of(&StepOutcome::Exited { code: 0, output: output.into(), truncated: false });
    let said = |vm: &str, monitor, agent| HostSays::Answers {
        vm: vm.into(),
        uptime: (vm != "stopped").then_some(75),
        monitor,
        agent,
        vm_lock: None,
    };
    let status =
        |status: &str, qmp: &str, rest: &str| format!("qmpstatus: {qmp}\nstatus: {status}\nuptime: 75\n{rest}");
    for (output, wanted) in [
        (status("running", "running", "qmp: answers\nagent: answers\n"), said("running", Some(true), Some(true))),
        (
            status("running", "io-error", "qmp: answers\nagent: silent (timed out after 3 s)\n"),
            said("io-error", Some(true), Some(false)),
        ),
        (
            status(
                "running",
                "running",
                "qmp: silent (timed out after 3 s)\nagent: unknown (not asked, because the monitor does not answer)\n",
            ),
            said("running", Some(false), None),
        ),
        (
            status("running", "running", "qmp: off (nobody listens)\nagent: off (nobody listens)\n"),
            said("running", None, None),
        ),
        (
            status("stopped", "stopped", "qmp: off (nobody listens)\nagent: off (nobody listens)\n"),
            said("stopped", None, None),
        ),
    ] {
        assert_eq!(read(&output), wanted, "{output}");
        // And the rules are given the same VM again.
        let again = wanted.machine().unwrap();
        assert_eq!(
            (again.monitor, again.agent),
            match &wanted {
                HostSays::Answers { monitor, agent, .. } => (*monitor, *agent),
                _ => unreachable!(),
            }
        );
    }
    assert!(matches!(read("sh: breakglass-pve: not found\n"), HostSays::Unclear { why } if why.contains("not found")));
    assert!(matches!(HostSays::of(&StepOutcome::TimedOut { seconds: 9 }), HostSays::Silent { .. }));
}

#[test]
fn a_glance_is_read_whatever_printed_it() {
    let debian = "Welcome\n== load ==\n0.40 0.30 0.20 1/312 4711\n== cpus ==\n4\n== uptime ==\n1036800.55 1700.10\n\
        == meminfo ==\nMemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    2000000 kB\n\
        SwapTotal:       1000000 kB\nSwapFree:         750000 kB\n== space in kB ==\n\
        Filesystem     Type     1024-blocks     Used Available Capacity Mounted on\n\
        udev           devtmpfs     4000000        0   4000000       0% /dev\n\
        /dev/vda1      ext4       102687672 90000000   8000000      92% /\n\
        /dev/vdb1      ext4          100000    97000      3000      97% /srv\n\
        /dev/vda15     vfat          126678    10900    115778       9% /boot/efi\n\
        /dev/vdc1      ext4          100000     1000     99000       1% /tiny\n";
    let figures = Figures::of(debian);
    assert_eq!((figures.uptime, figures.load, figures.cpus), (Some(1_036_800), Some([0.4, 0.3, 0.2]), Some(4)));
    assert_eq!(figures.memory, Some(Share { used: 6_000_000 << 10, of: 8_000_000 << 10 }));
    assert_eq!(figures.swap, Some(Share { used: 250_000 << 10, of: 1_000_000 << 10 }));
    let disks: Vec<_> = figures.disks.iter().map(|disk| (disk.mount.as_str(), disk.share.percent())).collect();
    assert_eq!(disks, [("/srv", 97), ("/", 92), ("/boot/efi", 9)]);
    // busybox: df without types and without -l, an old kernel without MemAvailable, no swap.
    let busybox = "== load ==\n0.00 0.01 0.05 1/50 99\n== cpus ==\n1\n== uptime ==\n75.10 70.00\n== meminfo ==\n\
        MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 50 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n\
        == space in kB ==\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda3 1000 400 600 40% /\n";
    let figures = Figures::of(busybox);
    assert_eq!(figures.memory, Some(Share { used: 800 << 10, of: 1000 << 10 }));
    assert_eq!((figures.swap, figures.disks.len()), (None, 1));
    for nonsense in
        ["", "This account is currently not available.", "== load ==\nx\n== cpus ==\n0\n== meminfo ==\n: 3\n"]
    {
        assert_eq!(Figures::of(nonsense), Figures::default(), "{nonsense}");
    }
    assert!(!GLANCE.contains('\n') && !GLANCE.contains("sudo"));
}

#[test]
fn the_way_up_is_heard_in_pieces_of_any_size_and_not_out_of_the_capture() {
    let output = "cycle: VM 102, forensics first\n== about ==\nverb: cycle\n== host: tasks of VM 102 ==\n\
        cycle: starting VM 102, attempt 1 of 3\n== end of forensics ==\ncapture: x\ncycle: stopping VM 102\n\
        cycle: VM 102 is stopped\ncycle: starting VM 102, attempt 1 of 3\nstart: done: VM 102 is running\n\
        cycle: done: VM 102 is running\n";
    for size in [1, 7, 1000] {
        let mut listener = Listener::new(Verb::Cycle);
        let pieces: Vec<String> = output.chars().collect::<Vec<_>>().chunks(size).map(|c| c.iter().collect()).collect();
        let heard: Vec<_> = pieces.iter().flat_map(|piece| listener.hear(piece)).collect();
        assert_eq!(heard, [Reached::Captured, Reached::Stopped, Reached::Starting, Reached::Running]);
    }
    let heard = |verb, line: &str| Listener::new(verb).hear(line);
    assert_eq!(heard(Verb::Reset, "reset: resetting VM 102\n"), [Reached::Starting]);
    assert_eq!(heard(Verb::Reset, "reset: done: VM 102 was reset and is running\n"), [Reached::Running]);
    assert_eq!(
        heard(Verb::Start, "start: done: VM 102 was running already, nothing was changed\n"),
        [Reached::Running]
    );
    assert_eq!(heard(Verb::Stop, "stop: VM 102 was stopped already\n"), [Reached::Stopped]);
    for line in ["cycle: failed: VM 102 is running, but it was never seen to stop\n", "cycle: stopping VM 102\n", "x\n"]
    {
        assert_eq!(heard(Verb::Cycle, line), [], "{line}");
    }
}

#[test]
fn each_point_of_the_way_is_reached_once_and_in_order() {
    let mut way = WayUp::begun("00000000-0000-4000-8000-000000000001".parse().unwrap(), Verb::Cycle, Millis(1_000));
    assert_eq!(way.times(), None);
    for (reached, at) in
        [(Reached::Stopped, 4_100), (Reached::Starting, 4_200), (Reached::Stopped, 5_000), (Reached::Ssh, 22_000)]
    {
        way.reach(reached, Millis(at));
    }
    way.reach(Reached::Ssh, Millis(30_000));
    assert_eq!(way.times().unwrap(), "the cycle: stopped after 3.1 s, starting after 3.2 s, SSH answering after 21 s");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_a_rule_panic(
        text in "([ -~\\n]|== (load|cpus|meminfo|space) ==\\n|Mem(Total|Free): 9{1,30}\\n|status: [a-z]{1,9}\\n){0,60}",
    ) {
        let figures = Figures::of(&text);
        let read = HostSays::of(&StepOutcome::Exited { code: 0, output: text.clone(), truncated: false });
        Listener::new(Verb::Cycle).hear(&text);
        judged(ssh(SshSays::Answers(figures)), host(read.clone()));
        judged(silent_because(&text), host(read));
    }
}

#[test]
fn strip_and_presets_recommend_the_same() {
    use crate::runbook::{Observation, Reading};
    let observed = |reading, outcome| Observation { reading, title: "x".into(), outcome };
    let why = "connect to host devvm port 22: Connection timed out";
    for status in ["running", "stopped"] {
        for qmp in ["running", "io-error", "paused", "inmigrate", "new", "guest-panicked"] {
            for rest in [
                "qmp: answers\nagent: answers",
                "qmp: silent (x timed out)",
                "qmp: answers\nagent: silent (x)",
                "lock: backup",
            ] {
                let output = format!("qmpstatus: {qmp}\nstatus: {status}\nuptime: 7200\n{rest}\n");
                let outcome = StepOutcome::Exited { code: 0, output, truncated: false };
                let strip = judged(silent_because(why), host(HostSays::of(&outcome)));
                let preset = crate::runbook::verdict(
                    "devvm",
                    &[
                        observed(Reading::Answers, StepOutcome::Unreachable { why: why.into() }),
                        observed(Reading::HypervisorStatus, outcome.clone()),
                    ],
                );
                assert_eq!(strip.recommends, preset.recommendation.map(|it| it.verb), "{outcome:?}");
            }
        }
    }
}
