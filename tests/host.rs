//! What runs on the hypervisor: the forced command `deploy/pve/breakglass-pve`, reached by a real ssh client through a
//! real sshd, over the practice qm.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::disallowed_methods, reason = "these tests are plain threads, and `finish` limits and reaps")]

mod harness;

#[path = "host/connection.rs"]
mod connection;
#[path = "host/cuts.rs"]
mod cuts;
#[path = "host/evidence.rs"]
mod evidence;
#[path = "host/faults.rs"]
mod faults;
#[path = "host/install.rs"]
mod install;
#[path = "host/killing.rs"]
mod killing;
#[path = "host/options.rs"]
mod options;
#[path = "host/refusals.rs"]
mod refusals;
#[path = "host/runs.rs"]
mod runs;
#[path = "host/verbs.rs"]
mod verbs;
#[path = "host/words.rs"]
mod words;

use std::ffi::OsStr;
use std::process::{Command, Output};

use harness::hypervisor::{Hypervisor, repository, script};
use harness::sshd::{Sshd, finish};

/// A hypervisor behind its sshd.
fn reachable() -> (Hypervisor, Sshd) {
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(Some(&hypervisor.forced_command()));
    (hypervisor, sshd)
}

fn over_ssh(sshd: &Sshd, command: impl AsRef<OsStr>) -> Output {
    finish(sshd.ssh("pve").arg(command))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn last_line(output: &Output) -> &str {
    text(&output.stdout).lines().last().unwrap_or_default()
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, last: &str) {
    assert_eq!((output.status.code(), last_line(output)), (Some(code), last), "{output:?}");
}

#[test]
fn shellcheck_finds_nothing() {
    let others = ["deploy/practice/qm", "deploy/pve/install.sh", "deploy/lab/image", "deploy/lab/fault"]
        .map(|path| repository().join(path));
    let output = Command::new("shellcheck").arg("--shell=sh").arg(script()).args(others).output();
    let output = output.expect("this test needs shellcheck: install it");
    assert!(output.status.success(), "{}", text(&output.stdout));
}
