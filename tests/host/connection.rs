//! A mutation belongs to its worker: whatever becomes of the connection, it is carried through, and alone.

use std::process::{Child, Stdio};

use super::*;

/// A cycle that was begun over ssh and is half-way: its VM is stopped, and stays so for two more seconds.
fn half_way(hypervisor: &Hypervisor, sshd: &Sshd) -> Child {
    hypervisor.configure("PRACTICE_SECONDS=2");
    let client = sshd.ssh("pve").arg("cycle").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    hypervisor.wait_until_stopped();
    client
}

/// The VM is still stopped, so that what was just killed was killed in time; then it runs, in a fresh process.
fn assert_carried_through(hypervisor: &Hypervisor) {
    assert_eq!(hypervisor.vm(), (false, 4102), "killed too late to show anything");
    hypervisor.wait_until_idle();
    let (running, pid) = hypervisor.vm();
    assert!(running && pid != 4102);
}

#[test]
fn a_cycle_whose_ssh_client_is_killed_ends_with_the_vm_running() {
    let (hypervisor, sshd) = reachable();
    let mut client = half_way(&hypervisor, &sshd);
    client.kill().unwrap();
    client.wait().unwrap();
    assert_carried_through(&hypervisor);
}

#[test]
fn a_cycle_whose_sshd_session_is_killed_ends_with_the_vm_running() {
    let (hypervisor, sshd) = reachable();
    let mut client = half_way(&hypervisor, &sshd);
    let connections = sshd.connections();
    assert!(connections.len() == 1 && !connections[0].sshd.is_empty(), "{connections:?}");
    connections[0].cut();
    assert_eq!(client.wait().unwrap().code(), Some(255));
    assert_carried_through(&hypervisor);
}

#[test]
fn a_cycle_whose_connected_process_is_killed_ends_with_the_vm_running() {
    let (hypervisor, sshd) = reachable();
    let mut client = half_way(&hypervisor, &sshd);
    let connections = sshd.connections();
    assert!(connections.len() == 1 && connections[0].commands.len() == 1, "{connections:?}");
    connections[0].kill_command();
    assert_carried_through(&hypervisor);
    client.wait().unwrap();
}

#[test]
fn a_client_that_reads_nothing_does_not_hold_up_the_rescue() {
    let (hypervisor, sshd) = reachable();
    // More output than the pipes and the SSH window take.
    hypervisor.put_before_qm("[ $1 != stop ] || head -c 8000000 /dev/zero | tr '\\0' 'x'");
    let mut client = half_way(&hypervisor, &sshd);
    assert_carried_through(&hypervisor);
    client.kill().unwrap();
    client.wait().unwrap();
}

#[test]
fn a_second_mutation_is_refused_while_one_is_under_way_and_status_is_not() {
    let (hypervisor, sshd) = reachable();
    // Long enough for three more connections.
    hypervisor.put_before_qm("[ $1 != start ] || sleep 4");
    let mut first = half_way(&hypervisor, &sshd);
    let second = over_ssh(&sshd, "reset");
    assert_eq!((second.status.code(), text(&second.stdout)), (Some(75), ""));
    // Who, what and since when.
    let refusal = text(&second.stderr);
    let (what, since) = refusal.trim_end().split_once(", since 20").unwrap();
    let expected =
        "reset: refused, nothing was done: another mutation of VM 102 is under way: cycle, asked for by 127.0.0.1";
    assert!(what == expected && since.ends_with(" UTC"), "{refusal}");
    assert_eq!(over_ssh(&sshd, "status").status.code(), Some(0));
    // The lock belongs to the worker, so it outlives the connection, and no longer than the worker does.
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(over_ssh(&sshd, "stop").status.code(), Some(75));
    assert_carried_through(&hypervisor);
    hypervisor.configure("PRACTICE_SECONDS=0");
    assert_eq!(over_ssh(&sshd, "reset").status.code(), Some(0));
}

#[test]
fn a_killed_worker_leaves_no_lock_behind() {
    let hypervisor = Hypervisor::practice();
    // qm is the child of timeout, and that is the child of the worker.
    hypervisor.put_before_qm("[ $1 != reset ] || kill -KILL \"$(cut -d' ' -f4 /proc/$PPID/stat)\"");
    let killed = finish(&mut hypervisor.verb("reset"));
    assert_ends(&killed, 137, "reset: the worker ended with code 137: the outcome is not known, ask for status");
    hypervisor.put_before_qm("");
    assert_eq!(finish(&mut hypervisor.verb("reset")).status.code(), Some(0));
}
