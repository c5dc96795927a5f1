//! Values of everything that the parts show: every look, every standing, every state of a run.

use domain::{
    call::{Run, RunSummary},
    ids::{Millis, RunId},
    page::{Controls, Surroundings},
    probe::{
        ChangedKey, Disk, Figures, HostLook, HostSays, KeyHost, Reached, Share, SshLook, SshSays, Standing,
        TargetStatus, Verdict, WayStep, WayUp,
    },
    verb::{Lock, Mutation, Outcome, Verb},
};

pub const NOW: u64 = 1_763_640_000_000;
pub const GIB: u64 = 1 << 30;
/// What ends an element, an attribute or a script where somebody forgot to escape it.
pub const HOSTILE: &str = "</pre></samp><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick=\"x' &lt;b";

pub fn ago(seconds: u64) -> Millis {
    Millis(NOW - seconds * 1000)
}

pub fn run_id(n: u8) -> RunId {
    format!("{n:08x}-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
}

pub fn running_host() -> HostSays {
    HostSays::Answers {
        vm: "running".into(),
        uptime: Some(266_400),
        monitor: Some(true),
        agent: Some(true),
        vm_lock: None,
    }
}

pub fn answering() -> SshSays {
    SshSays::Answers(Figures {
        uptime: Some(266_380),
        load: Some([0.42, 0.4, 0.38]),
        cpus: Some(4),
        memory: Some(Share { used: 21 * GIB / 10, of: 4 * GIB }),
        swap: None,
        disks: vec![
            Disk { mount: "/".into(), share: Share { used: 19 * GIB, of: 32 * GIB } },
            Disk { mount: "/var/lib/docker".into(), share: Share { used: 88 * GIB, of: 96 * GIB } },
        ],
    })
}

pub fn controls() -> Controls {
    Controls {
        surroundings: Surroundings {
            target: "devvm".into(),
            target_configured: true,
            hypervisor_configured: true,
            practice: false,
            has_ai: true,
            keepalive_ms: 20_000,
        },
        status: TargetStatus {
            target: "devvm".into(),
            note: None,
            lock: None,
            running: None,
            unknown: None,
            hypervisor: Some(HostLook { at: ago(12), since: ago(11_520), says: running_host() }),
            ssh: Some(SshLook { at: ago(9), since: ago(11_500), says: answering() }),
            verdict: None,
            way_up: None,
            changed_keys: Vec::new(),
        },
        run: None,
        runs: Vec::new(),
        session: "3f2b8c1e-0000-4000-8000-00000000000a".into(),
        key: "a-key".into(),
        looking: false,
        now: Millis(NOW),
    }
}

pub fn verdict(standing: Standing, headline: &str, reasons: &[&str], recommends: Option<Verb>) -> Verdict {
    let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
    Verdict { standing, headline: headline.into(), reasons, recommends }
}

/// A console that saw this.
pub fn seen(host: HostSays, ssh: SshSays, verdict: Verdict) -> Controls {
    let mut controls = controls();
    controls.status.hypervisor.as_mut().unwrap().says = host;
    controls.status.ssh.as_mut().unwrap().says = ssh;
    controls.status.verdict = Some(verdict);
    controls
}

pub fn silent() -> SshSays {
    SshSays::Silent { why: "connect to host devvm port 22: Connection timed out".into() }
}

pub fn host(vm: &str, monitor: Option<bool>, agent: Option<bool>) -> HostSays {
    HostSays::Answers { vm: vm.into(), uptime: (vm != "stopped").then_some(266_400), monitor, agent, vm_lock: None }
}

pub fn all_answers() -> Controls {
    let reasons = ["the hypervisor says that the VM runs", "SSH answers, and a command ended", "load 0.42 on 4 CPUs"];
    let mut controls =
        seen(running_host(), answering(), verdict(Standing::AllAnswers, "devvm answers on all ways.", &reasons, None));
    controls.status.note =
        Some("This VM also runs the VPN: who is connected through it loses the console with it.".into());
    controls
}

pub fn stalled() -> Controls {
    let reasons = ["SSH does not answer since 3 min", "QEMU's monitor is silent", "the guest agent is silent"];
    let headline = "QEMU does not answer: a cycle is recommended.";
    seen(
        host("running", Some(false), Some(false)),
        silent(),
        verdict(Standing::Stalled, headline, &reasons, Some(Verb::Cycle)),
    )
}

pub fn stopped() -> Controls {
    let headline = "devvm is stopped: start it.";
    let reasons = ["the hypervisor says that the VM is stopped"];
    seen(host("stopped", None, None), silent(), verdict(Standing::Stopped, headline, &reasons, Some(Verb::Start)))
}

pub const EVIDENCE: &str = "cycle: VM 102, forensics first\n== about ==\nverb: cycle\nvm: 102\n== host: uptime and load ==\n \
                        12:00:01 up 41 days, load average: 0.31\n== host: memory ==\nMemTotal: 65831204 kB\n\
                        == end of forensics ==\ncapture-parts: about load memory screenshot\n\
                        capture: 20261120T120001.5-cycle.x7Kp2q\n";

pub fn cycle(outcome: Option<Outcome>) -> Run {
    let mut run = Run::begun(run_id(7), Verb::Cycle, "ada".into(), None, ago(47));
    run.stdout = format!("{EVIDENCE}cycle: stopping VM 102\ncycle: VM 102 is stopped\ncycle: starting VM 102\n");
    if let Some(outcome) = outcome {
        (run.outcome, run.ended) = (Some(outcome), Some(ago(31)));
        if outcome == Outcome::Done {
            run.exit_code = Some(0);
            run.stdout.push_str("cycle: done: VM 102 is running\n");
        }
    }
    run
}

pub fn way(steps: &[(Reached, u64)], over: bool) -> WayUp {
    let steps = steps.iter().map(|(reached, seconds)| WayStep { reached: *reached, at: ago(*seconds) }).collect();
    WayUp { run_id: run_id(7), verb: Verb::Cycle, began: ago(47), steps, over, failed: false }
}

pub fn history() -> Vec<RunSummary> {
    let ends = [
        (Verb::Cycle, "ada", Some((Outcome::Done, Some(0)))),
        (Verb::Status, "agent for ada", Some((Outcome::Done, Some(0)))),
        (Verb::Reset, "grace", Some((Outcome::Unknown, None))),
        (Verb::Start, "script", Some((Outcome::Done, Some(1)))),
        (Verb::Stop, "terminal", Some((Outcome::Refused, Some(75)))),
        (Verb::Forensics, "agent for grace", Some((Outcome::Done, Some(0)))),
        (Verb::Status, "ada", Some((Outcome::Done, Some(0)))),
    ];
    let each = (0u64..).zip(ends).map(|(place, (verb, by, end))| RunSummary {
        run_id: run_id(7 - u8::try_from(place).unwrap()),
        verb,
        by: by.into(),
        session_id: None,
        started: ago(47 + place * 12_000),
        ended: end.map(|_| ago(31 + place * 12_000)),
        outcome: end.map(|(outcome, _)| outcome),
        exit_code: end.and_then(|(_, code)| code),
    });
    each.collect()
}

pub fn mutation(verb: Verb) -> Mutation {
    Mutation { run_id: run_id(7), verb, by: "ada".into(), started: ago(47) }
}

pub fn running() -> Controls {
    let mut controls = seen(
        host("stopped", None, None),
        silent(),
        verdict(Standing::ComingUp, "A cycle is under way: wait.", &["ada began it 47 s ago"], None),
    );
    controls.status.running = Some(mutation(Verb::Cycle));
    controls.status.way_up = Some(way(&[(Reached::Captured, 44), (Reached::Stopped, 38)], false));
    controls.run = Some(cycle(None));
    controls.runs = history();
    controls.runs[0] = controls.run.as_ref().unwrap().summary();
    controls
}

pub fn done() -> Controls {
    let mut controls = all_answers();
    let steps = [
        (Reached::Captured, 44),
        (Reached::Stopped, 38),
        (Reached::Starting, 38),
        (Reached::Running, 31),
        (Reached::Ssh, 16),
    ];
    controls.status.way_up = Some(way(&steps, true));
    controls.run = Some(cycle(Some(Outcome::Done)));
    controls.runs = history();
    controls
}

pub fn unknown() -> Controls {
    let mut controls = seen(
        HostSays::Silent { why: "ssh: connect to host pve port 22: No route to host".into() },
        silent(),
        verdict(
            Standing::HypervisorSilent,
            "Neither devvm nor its hypervisor answers: this is not for this tool. Use the IPMI console at ipmi.lan.",
            &["SSH to devvm does not answer", "the hypervisor does not answer"],
            None,
        ),
    );
    controls.status.unknown = Some(mutation(Verb::Cycle));
    controls.run = Some(cycle(Some(Outcome::Unknown)));
    controls.runs = history();
    controls.runs[0].outcome = Some(Outcome::Unknown);
    controls
}

pub fn locked() -> Controls {
    let mut controls = all_answers();
    let why = "The disk is being moved. Ask me before you touch it: +1 555 0100".to_owned();
    controls.status.lock = Some(Lock { by: "grace".into(), since: ago(2_760), why });
    controls
}

pub fn changed_keys() -> Controls {
    let mut controls = stalled();
    let key = |host, seen: &str| ChangedKey {
        host,
        pinned: "SHA256:2Qv5oPpLZ0dlhB2mB7xJ3s0m4v7cO3oWQ1t8yq3vY9E".into(),
        seen: seen.into(),
        since: ago(300),
    };
    controls.status.changed_keys = vec![
        key(KeyHost::Target, "SHA256:9fTz1mC0nG6a5H2s8u4JkQeWbXcVdLrYpOiUyTrEwQa"),
        key(KeyHost::Hypervisor, "SHA256:Zz1mC0nG6a5H2s8u4JkQeWbXcVdLrYpOiUyTrEwQa9fT"),
    ];
    controls
}

pub fn busy() -> Controls {
    let mut controls = seen(
        running_host(),
        answering(),
        verdict(Standing::Busy, "devvm answers and is short of memory.", &["memory is 97 % full"], None),
    );
    if let Some(SshLook { says: SshSays::Answers(figures), .. }) = &mut controls.status.ssh {
        figures.memory = Some(Share { used: 39 * GIB / 10, of: 4 * GIB });
        figures.swap = Some(Share { used: GIB, of: GIB });
        figures.load = Some([31.5, 24.0, 11.25]);
    }
    controls
}

/// Every state that has a look of its own.
pub fn states() -> Vec<(&'static str, Controls)> {
    let dead = |standing, headline: &str, agent| {
        let host = host("running", Some(true), Some(agent));
        let ssh = SshSays::Banner { software: "OpenSSH_9.2p1".into(), why: "no command ended within 6 s".into() };
        seen(host, ssh, verdict(standing, headline, &["SSH names itself, and no command ends"], None))
    };
    let mut nothing = controls();
    (nothing.status.hypervisor, nothing.status.ssh) = (None, None);
    let mut unclear = controls();
    let why = "status: qm gave no answer within 6 s".to_owned();
    unclear.status.hypervisor.as_mut().unwrap().says = HostSays::Unclear { why };
    unclear.status.verdict =
        Some(verdict(Standing::Unclear, "Not enough was seen to say.", &["qm gave no answer"], None));
    vec![
        ("all-answers", all_answers()),
        ("busy", busy()),
        ("ssh-dead", dead(Standing::SshDead, "SSH is dead and the guest lives: reset, or mend SSH.", true)),
        ("guest-silent", dead(Standing::GuestSilent, "The guest does not answer; QEMU runs.", false)),
        ("stalled", stalled()),
        ("stopped", stopped()),
        ("running", running()),
        ("done", done()),
        ("unknown", unknown()),
        ("locked", locked()),
        ("changed-key", changed_keys()),
        ("unclear", unclear),
        ("nothing-yet", nothing),
    ]
}
