//! Each fault of the lab, and what the status strip and the presets say of it: they must name what is really wrong, and
//! recommend what cures it, on one guest that is broken and mended again and again.

use std::time::{Duration, Instant};

use breakglass::server::config::Settings;
use domain::event::Event;
use serde_json::{Value, json};

use crate::harness::{console::Console, cycle::plain, lab::Lab};

/// A fault, and what is to be seen of it.
struct Fault {
    /// Its name in `deploy/lab/fault`.
    name: &'static str,
    /// How it stands with the target, as the strip says by itself. It looks at no units and no log.
    standing: &'static str,
    /// Presets, each with what its verdict must say.
    verdicts: &'static [(&'static str, &'static [&'static str])],
    /// The verb that the strip and the verdicts must recommend; none must be recommended where there is none.
    recommends: Option<&'static str>,
    /// How the next fault finds a machine that is well.
    then: Then,
}

enum Then {
    /// It is called off.
    Cure,
    /// Nothing need be done: it is over.
    Nothing,
}

/// In an order in which each needs no more than what the one before leaves: the guest boots once.
const FAULTS: [Fault; 7] = [
    Fault {
        name: "full-disk",
        standing: "busy",
        verdicts: &[("triage", &["/srv", "100 % full"]), ("disk", &["/srv", "100 % full", "backup.tar"])],
        recommends: None,
        then: Then::Cure,
    },
    Fault {
        name: "failed-unit",
        standing: "all_answers",
        verdicts: &[
            ("triage", &["failed unit", "shop.service"]),
            ("services", &["failed unit", "shop.service", "/etc/shop.conf"]),
        ],
        recommends: None,
        then: Then::Cure,
    },
    Fault {
        name: "oom",
        standing: "all_answers",
        verdicts: &[("triage", &["OOM killer took hoarder"]), ("memory", &["OOM killer took hoarder"])],
        recommends: None,
        then: Then::Nothing,
    },
    Fault {
        name: "runaway-load",
        standing: "busy",
        verdicts: &[("triage", &["on 1 CPU"])],
        recommends: None,
        then: Then::Cure,
    },
    Fault {
        name: "dead-sshd",
        standing: "ssh_dead",
        verdicts: &[
            ("triage", &["SSH does not answer", "the hypervisor says running"]),
            ("qemu", &["SSH does not answer", "the hypervisor says running"]),
        ],
        // The guest agent answers: the guest lives, and what is in its memory need not be lost.
        recommends: None,
        then: Then::Nothing,
    },
    Fault {
        name: "stalled-qemu",
        standing: "stalled",
        verdicts: &[("qemu", &["SSH does not answer", "monitor does not answer"])],
        recommends: Some("cycle"),
        then: Then::Cure,
    },
    Fault {
        name: "powered-off",
        standing: "stopped",
        verdicts: &[("triage", &["stopped"]), ("qemu", &["stopped"])],
        recommends: Some("start"),
        then: Then::Nothing,
    },
];

/// For so long a guest that does not answer is taken for one that boots.
const BOOTING: Duration = Duration::from_secs(120);

/// How long the strip has to see a fault: a load average needs its minute.
const STRIP: Duration = Duration::from_secs(240);

/// What a preset's turn says in the end.
async fn verdict(console: &Console, preset: &str) -> String {
    let session = console.session().await;
    let started = console.post(&format!("/api/session/{session}/prompt"), json!({ "preset": preset })).await;
    assert_eq!(started.0, 200, "{preset}: {}", started.1);
    let entries = console.finished(&session).await;
    let texts = entries.iter().filter_map(|entry| match &entry.event {
        Event::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn recommended(verdict: &str) -> Option<&str> {
    verdict.lines().find_map(|line| line.strip_prefix("- ")?.split_once(" recommended, because")).map(|(verb, _)| verb)
}

/// Waits until the strip says that it stands so with the target, and recommends this.
async fn stands(console: &Console, standing: &str, recommends: Option<&str>) {
    let mut last = Value::Null;
    let begun = Instant::now();
    while (&last["standing"], &last["recommends"]) != (&json!(standing), &json!(recommends)) {
        assert!(begun.elapsed() < STRIP, "the strip never says {standing} and {recommends:?}, but {last:#}");
        last = console.get_json("/api/target?wait=true").await["verdict"].take();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_strip_and_the_presets_name_every_fault_that_the_lab_has() {
    let lab = Lab::booted();
    let console = Console::start(Settings { probe_seconds: Some(1), ..plain(lab.ssh_config()) }).await;
    stands(&console, "all_answers", None).await;
    let well = verdict(&console, "triage").await;
    // Its load may still be that of its boot.
    assert!(!well.contains("Critical") && recommended(&well).is_none(), "{well}");
    for fault in &FAULTS {
        if matches!(fault.standing, "ssh_dead" | "stalled") {
            // A machine that has just started may still be booting, and nobody is told to cycle it.
            lab.wait_until_older_than(BOOTING);
        }
        lab.fault(fault.name);
        stands(&console, fault.standing, fault.recommends).await;
        for (preset, says) in fault.verdicts {
            let verdict = verdict(&console, preset).await;
            for text in *says {
                assert!(verdict.contains(text), "{}, {preset}, {text}:\n{verdict}", fault.name);
            }
            assert_eq!(recommended(&verdict), fault.recommends, "{}, {preset}:\n{verdict}", fault.name);
        }
        if let Then::Cure = fault.then {
            lab.cure(fault.name);
        }
    }
    let names = Lab::faults();
    assert!(
        names.len() == FAULTS.len() && FAULTS.iter().all(|fault| names.iter().any(|name| name == fault.name)),
        "{names:?}"
    );
}
