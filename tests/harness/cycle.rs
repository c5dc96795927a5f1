//! A cycle over breakglass's real path, console → ssh → sshd → script, whose connection is lost at some moment.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use breakglass::server::config::{BackendChoice, HostKeys, Settings};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{
    console::Console,
    sshd::eventually,
    wire::{Loss, Wire, script_runs},
};

/// A console that reaches a hypervisor over a wire that can be cut.
pub struct Reach<'a> {
    pub console: Console,
    wire: Wire,
    sshd: Pid,
    conf: PathBuf,
    /// Whether the VM runs, and its process.
    vm: Box<dyn Fn() -> (bool, u32) + 'a>,
}

/// What came of a cycle whose connection was lost.
#[derive(Debug)]
pub struct Came {
    /// The console's answer.
    pub told: Value,
    /// Whether the VM runs in another process than before.
    pub fresh_process: bool,
}

/// Settings of a console that does its turns without AI, on real hosts.
pub fn plain(ssh_config: PathBuf) -> Settings {
    Settings {
        ssh_config: Some(ssh_config),
        host_keys: Some(HostKeys::Pin),
        backend: Some(BackendChoice::Runbook),
        ..Settings::default()
    }
}

impl Came {
    /// True for one that the host carried through by itself, and told of afterwards.
    pub fn was_asked_for(&self) -> bool {
        self.fresh_process && self.told["detail"].as_str().is_some_and(|detail| detail.contains("said afterwards"))
    }
}

impl<'a> Reach<'a> {
    /// `sshd` listens for the hypervisor, `conf` configures its script, `vm` looks at its VM.
    pub async fn of(ssh_config: PathBuf, sshd: Pid, conf: PathBuf, vm: impl Fn() -> (bool, u32) + 'a) -> Self {
        let wire = Wire::before(&ssh_config);
        let console = Console::start(plain(wire.ssh_config())).await;
        Self { console, wire, sshd, conf, vm: Box::new(vm) }
    }

    /// A cycle that nobody disturbs: how long it takes.
    pub async fn undisturbed(&self) -> Duration {
        let begun = Instant::now();
        let (status, told) = self.console.post("/api/pve/cycle", json!({})).await;
        assert_eq!((status, &told["outcome"]), (200, &json!("done")), "{told}");
        begun.elapsed()
    }

    /// A cycle whose connection is lost after so long. Whatever the moment, the VM must run in the end, and what the
    /// console says of it must be true.
    pub async fn lost(&self, loss: Loss, after: Duration) -> Came {
        let before = (self.vm)().1;
        let losing = async {
            // Not a wait for anything: the moment itself is what is tried.
            tokio::time::sleep(after).await;
            loss.happen(&self.wire, self.sshd);
            if loss == Loss::Frozen {
                // The host finds out nothing and goes on; then the network ends, so that the console need not wait.
                self.settle();
                assert!((self.vm)().0, "{loss:?} after {after:?}: the VM is down");
                self.wire.cut();
            }
        };
        let (told, ()) = tokio::join!(self.console.post("/api/pve/cycle", json!({ "override": true })), losing);
        let told = told.1;
        self.settle();
        let (running, pid) = (self.vm)();
        assert!(running, "{loss:?} after {after:?}: the VM is down: {told}");
        let came = Came { told, fresh_process: pid != before };
        match came.told["outcome"].as_str().unwrap() {
            "done" => assert!(came.fresh_process, "{came:?}"),
            "refused" => assert!(!came.fresh_process, "{came:?}"),
            other => panic!("the host was there to be asked, and it is {other}: {came:?}"),
        }
        came
    }

    /// Waits until nothing of the host's script runs any more.
    fn settle(&self) {
        eventually("the host's script has ended", || !script_runs(&self.conf));
    }
}
