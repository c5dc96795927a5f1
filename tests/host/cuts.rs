//! A cycle by the console whose connection is lost, in each of the ways in which that happens, at five moments each,
//! spread over the time that it takes: the VM always ends running, and what is said of it is true.

use std::time::Duration;

use super::*;
use crate::harness::{
    cycle::{Came, Reach},
    wire::Loss,
};

const MOMENTS: u32 = 5;

async fn lost_at_every_moment(loss: Loss) {
    let (hypervisor, sshd) = reachable();
    hypervisor.configure("PRACTICE_SECONDS=0.5");
    let reach =
        Reach::of(sshd.ssh_config(), sshd.listener_pid(), hypervisor.path("pve.conf"), || hypervisor.vm()).await;
    let whole = reach.undisturbed().await;
    let mut came = Vec::new();
    for moment in 0..MOMENTS {
        came.push(reach.lost(loss, whole * (2 * moment + 1) / (2 * MOMENTS)).await);
    }
    // Else the moments were not those of the cycle.
    assert!(came.iter().any(Came::was_asked_for), "{whole:?} {came:?}");
    assert!(whole < Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_whose_ssh_is_killed_at_any_moment_ends_with_the_vm_running() {
    lost_at_every_moment(Loss::Client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_whose_sshd_is_killed_at_any_moment_ends_with_the_vm_running() {
    lost_at_every_moment(Loss::Session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_whose_network_is_cut_at_any_moment_ends_with_the_vm_running() {
    lost_at_every_moment(Loss::Cut).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_whose_network_goes_dead_at_any_moment_ends_with_the_vm_running() {
    lost_at_every_moment(Loss::Frozen).await;
}
