//! The words of the script by which the console knows the state of a VM and the way back up: `domain::probe` listens for
//! them.

use domain::{
    probe::{HostSays, Reached, way_up::Listener},
    runbook::StepOutcome,
    verb::Verb,
};

use super::*;

#[test]
fn the_words_on_the_way_up_are_those_that_the_console_listens_for() {
    let hypervisor = Hypervisor::practice();
    let heard = |verb: Verb| {
        let output = finish(&mut hypervisor.verb(verb.as_str()));
        assert!(output.status.success(), "{output:?}");
        Listener::new(verb).hear(text(&output.stdout))
    };
    use Reached::{Captured, Running, Starting, Stopped};
    assert_eq!(heard(Verb::Cycle), [Captured, Stopped, Starting, Running]);
    assert_eq!(heard(Verb::Reset), [Captured, Starting, Running]);
    assert_eq!(heard(Verb::Start), [Captured, Running], "it runs already");
    assert_eq!(heard(Verb::Stop), [Captured, Stopped, Stopped]);
    assert_eq!(heard(Verb::Stop), [Captured, Stopped, Stopped], "it is stopped already");
    assert_eq!(heard(Verb::Cycle), [Captured, Stopped, Starting, Running]);
    assert_eq!(heard(Verb::Stop), [Captured, Stopped, Stopped]);
    assert_eq!(heard(Verb::Start), [Captured, Starting, Running]);
}

#[test]
fn the_words_of_a_status_are_those_that_the_console_reads() {
    let hypervisor = Hypervisor::practice();
    let says = || {
        let output = finish(&mut hypervisor.verb("status"));
        let code = output.status.code().unwrap();
        match HostSays::of(&StepOutcome::Exited { code, output: text(&output.stdout).into(), truncated: false }) {
            HostSays::Answers { vm, monitor, agent, .. } => (vm, monitor, agent),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(says(), ("running".into(), Some(true), Some(true)));
    hypervisor.trouble("held", Some("io-error"));
    assert_eq!(says().0, "io-error");
    hypervisor.trouble("held", None).trouble("stalled", Some(""));
    assert_eq!(says(), ("running".into(), Some(false), None));
    finish(&mut hypervisor.verb("stop"));
    let (vm, monitor, _) = says();
    assert_eq!((vm.as_str(), monitor), ("stopped", None));
}
