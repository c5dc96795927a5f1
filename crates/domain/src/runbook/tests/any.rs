//! Properties that hold for any output.

use proptest::prelude::*;

use super::*;

const READINGS: [Reading; 18] = [
    Reading::Load,
    Reading::Memory,
    Reading::Pressure,
    Reading::TopMemory,
    Reading::OomKills,
    Reading::Swaps,
    Reading::Filesystems,
    Reading::BiggestFiles,
    Reading::Clearable,
    Reading::DeletedOpen,
    Reading::FailedUnits,
    Reading::StuckUnits,
    Reading::UnitJournal,
    Reading::KernelLog,
    Reading::Answers,
    Reading::HypervisorStatus,
    Reading::Forensics,
    Reading::Nothing,
];

/// Text that gets past the first look of the rules: their headings, recorded lines, and figures at the edges.
fn output() -> impl Strategy<Value = String> {
    let recorded: Vec<String> = [disk::DF, disk::BIGGEST, target::LOAD, kernel_log::KILLS, kernel_log::KERNEL, "== folders ==\n== held ==\n== docker ==\n== cpu ==\n== io ==\n== units ==\n== a.service ==\nActiveState=failed\nstatus: running\nqmpstatus: é\nImages: 9e99GB of\n9 MB 1 a /b\nMemTotal: 1 kB\n== meminfo ==\n== largest ==\n"]
        .iter()
        .flat_map(|text| text.lines().map(str::to_owned))
        .collect();
    let line = prop_oneof![
        4 => proptest::sample::select(recorded.clone()),
        2 => (proptest::sample::select(recorded), any::<prop::sample::Index>(), "\\PC{0,6}|-|%|99999999999999999999|NaN|1e308|:").prop_map(|(line, at, junk)| {
            let mut words: Vec<&str> = line.split(' ').collect();
            let at = at.index(words.len());
            words[at] = &junk;
            words.join(" ")
        }),
        1 => any::<String>(),
    ];
    prop::collection::vec(line, 0..30).prop_map(|lines| lines.join("\n"))
}

fn outcome() -> impl Strategy<Value = StepOutcome> {
    prop_oneof![
        6 => (any::<i32>(), output(), any::<bool>()).prop_map(|(code, output, truncated)| StepOutcome::Exited { code, output, truncated }),
        1 => any::<u32>().prop_map(|seconds| StepOutcome::TimedOut { seconds }),
        1 => any::<String>().prop_map(|why| StepOutcome::Unreachable { why }),
        1 => any::<String>().prop_map(|why| StepOutcome::Refused { why }),
    ]
}

fn observations() -> impl Strategy<Value = Vec<Observation>> {
    let one =
        (proptest::sample::select(READINGS.to_vec()), outcome()).prop_map(|(reading, outcome)| seen(reading, outcome));
    prop::collection::vec(one, 0..8)
}

proptest! {
    #[test]
    fn any_output_gives_the_same_verdict_twice_and_no_panic(target in any::<String>(), observed in observations()) {
        let first = verdict(&target, &observed);
        prop_assert_eq!(&first, &verdict(&target, &observed));
        prop_assert!(first.findings.is_sorted_by_key(|finding| finding.severity));
        for line in first.findings.iter().map(|finding| &finding.text).chain(&first.unread) {
            prop_assert!(!line.contains(|c: char| c.is_control()), "{:?}", line);
        }
        prop_assert!(first.text().starts_with(&first.headline()));
    }

    #[test]
    fn each_check_is_either_read_or_named_as_not_read(observed in observations()) {
        let verdict = verdict("devvm", &observed);
        for observation in &observed {
            let unread = verdict.unread.iter().any(|line| line.starts_with(&observation.title));
            prop_assert!(unread || verdict.read.contains(&observation.title));
        }
    }

    #[test]
    fn no_verb_is_recommended_while_the_target_answers(host in output()) {
        let observed = [ran(Reading::Answers, "x"), ran(Reading::HypervisorStatus, &host)];
        prop_assert_eq!(verdict("devvm", &observed).recommendation, None);
    }

    #[test]
    fn only_start_and_cycle_are_ever_recommended(observed in observations()) {
        let verb = verdict("devvm", &observed).recommendation.map(|recommendation| recommendation.verb);
        prop_assert!(matches!(verb, None | Some(Verb::Start | Verb::Cycle)));
    }

    #[test]
    fn every_runbook_ends_whatever_happens(kinds in prop::collection::vec(0..4_usize, 32)) {
        let outcomes = [fine(), late(), silent(), StepOutcome::Refused { why: String::new() }];
        for id in ["triage", "disk", "qemu"] {
            prop_assert!(!plan::course(&preset(id), |at, _| outcomes[kinds[at]].clone()).is_empty());
        }
    }
}
