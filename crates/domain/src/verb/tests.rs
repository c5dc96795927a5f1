use proptest::prelude::*;

use super::*;

fn ending(outcome: Outcome, started: u64, ended: u64) -> Ending {
    let exit_code = (outcome == Outcome::Done).then_some(0);
    Ending { outcome, exit_code, started: Millis(started), ended: Millis(ended) }
}

fn mutation(n: u8, verb: Verb) -> Mutation {
    let run_id = format!("00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap();
    Mutation { run_id, verb, by: "ada".into(), started: Millis(0) }
}

#[test]
fn four_of_the_six_mutate_and_each_of_those_warns() {
    assert_eq!(Verb::ALL.iter().filter(|verb| verb.mutates()).count(), 4);
    for verb in Verb::ALL {
        assert_eq!(verb.warning("devvm").is_some(), verb.mutates());
        assert_eq!(verb.as_str().parse(), Ok(verb));
    }
    for bad in ["", "Status", "status ", "status\n", "cycle;reboot", "statusx"] {
        assert_eq!(bad.parse::<Verb>(), Err(UnknownVerb), "{bad:?}");
    }
}

#[test]
fn what_was_not_sent_or_not_taken_is_refused_and_silence_is_unknown() {
    assert_eq!(outcome_of(&HostEnd::NotSent), Outcome::Refused);
    assert_eq!(outcome_of(&HostEnd::Exited(64)), Outcome::Refused);
    assert_eq!(outcome_of(&HostEnd::Exited(75)), Outcome::Refused);
    assert_eq!(outcome_of(&HostEnd::Exited(1)), Outcome::Done);
    assert_eq!(outcome_of(&HostEnd::Exited(0)), Outcome::Done);
    assert_eq!(outcome_of(&HostEnd::Exited(137)), Outcome::Unknown);
    assert_eq!(outcome_of(&HostEnd::Lost), Outcome::Unknown);
}

#[test]
fn an_unknown_outcome_blocks_until_somebody_looked_or_overrides() {
    let mut mutations = Mutations::default();
    mutations.begin(mutation(1, Verb::Cycle));
    mutations.end(&mutation(1, Verb::Cycle).run_id, Verb::Cycle, ending(Outcome::Unknown, 0, 150));
    assert!(matches!(admit(Verb::Start, false, &mutations), Err(Refused::OutcomeUnknown(_))));
    assert_eq!(admit(Verb::Start, true, &mutations), Ok(()));
    assert_eq!(admit(Verb::Status, false, &mutations), Ok(()));
    mutations.end(&mutation(2, Verb::Status).run_id, Verb::Status, ending(Outcome::Unknown, 150, 151));
    assert!(admit(Verb::Start, false, &mutations).is_err());
    // What was asked before may have been answered before.
    mutations.end(&mutation(3, Verb::Status).run_id, Verb::Status, ending(Outcome::Done, 149, 157));
    assert!(admit(Verb::Start, false, &mutations).is_err());
    mutations.end(&mutation(4, Verb::Status).run_id, Verb::Status, ending(Outcome::Done, 158, 159));
    assert_eq!(admit(Verb::Start, false, &mutations), Ok(()));
}

#[test]
fn an_override_that_came_to_nothing_leaves_the_outcome_unknown() {
    let (first, second) = (mutation(1, Verb::Cycle), mutation(2, Verb::Reset));
    let mut mutations = Mutations { unknown: Some(first.clone()), ..Mutations::default() };
    mutations.begin(second.clone());
    mutations.end(&second.run_id, Verb::Reset, ending(Outcome::Refused, 1, 2));
    assert_eq!(mutations.unknown, Some(first));
    mutations.begin(second.clone());
    mutations.end(&second.run_id, Verb::Reset, ending(Outcome::Done, 3, 4));
    assert_eq!(admit(Verb::Cycle, false, &mutations), Ok(()));
}

#[test]
fn a_lock_forbids_what_mutates_and_no_override_opens_it() {
    let lock = Lock { by: "ada".into(), since: Millis(0), why: "migration".into() };
    let mutations = Mutations { lock: Some(lock), ..Mutations::default() };
    let refused = admit(Verb::Cycle, true, &mutations).unwrap_err();
    assert_eq!(refused.to_string(), "ada locked the target at 00:00 UTC (migration): lift the lock first");
    assert_eq!(admit(Verb::Forensics, false, &mutations), Ok(()));
}

#[test]
fn an_unknown_outcome_that_comes_to_be_known_blocks_no_longer() {
    let cycle = mutation(1, Verb::Cycle);
    let mut mutations = Mutations { unknown: Some(cycle.clone()), ..Mutations::default() };
    mutations.resolve(&mutation(2, Verb::Cycle).run_id);
    assert!(admit(Verb::Start, false, &mutations).is_err());
    mutations.resolve(&cycle.run_id);
    assert_eq!(admit(Verb::Start, false, &mutations), Ok(()));
}

proptest! {
    #[test]
    fn no_sequence_of_requests_has_two_mutations_at_once(
        requests in prop::collection::vec((0usize..6, any::<bool>(), 0usize..3, any::<bool>()), 0..80),
    ) {
        let mut mutations = Mutations::default();
        let mut running: Option<(RunId, Verb)> = None;
        for (n, (verb, override_unknown, outcome, ends_first)) in requests.into_iter().enumerate() {
            let (verb, outcome) = (Verb::ALL[verb], [Outcome::Done, Outcome::Refused, Outcome::Unknown][outcome]);
            if ends_first && let Some((run_id, verb)) = running.take() {
                mutations.end(&run_id, verb, ending(outcome, n as u64, n as u64));
            }
            if admit(verb, override_unknown, &mutations).is_ok() && verb.mutates() {
                prop_assert!(running.is_none());
                let begun = mutation(n as u8, verb);
                running = Some((begun.run_id.clone(), verb));
                mutations.begin(begun);
            }
        }
    }
}
