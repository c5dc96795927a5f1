//! A cycle of a real QEMU whose connection is lost: the VM always ends running. `tests/host/cuts.rs` has more moments, on
//! a hypervisor that is quicker. Whether the guest has booted is not waited for, but once, at the end.

use crate::harness::{cycle::Reach, lab::Lab, wire::Loss};

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_of_a_real_qemu_whose_connection_is_lost_ends_with_it_running() {
    let lab = Lab::start();
    let reach = Reach::of(lab.ssh_config(), lab.sshd(), lab.host_conf(), || lab.vm()).await;
    let whole = reach.undisturbed().await;
    let losses = [Loss::Client, Loss::Session, Loss::Cut, Loss::Frozen, Loss::Session, Loss::Frozen];
    let mut carried_through = 0;
    for (moment, loss) in (0_u32..).zip(losses) {
        let came = reach.lost(loss, whole * (2 * moment + 1) / 12).await;
        carried_through += u32::from(came.was_asked_for());
    }
    assert!(carried_through >= 2, "of {whole:?}");
    lab.wait_for_ssh();
}
