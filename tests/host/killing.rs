//! The QEMU process that will not stop: exactly it is killed, and nothing that only looks like it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::*;

/// A process that Proxmox would take for the QEMU of a VM by its name and its `-pidfile`. It lives until it is killed.
struct Process(Child);

impl Process {
    /// `program` is its name; `pidfile` what it was given for its process file.
    fn start(hypervisor: &Hypervisor, program: &str, pidfile: &Path, on_term: &str) -> Self {
        let program = hypervisor.path(program);
        symlink("/bin/sh", &program).unwrap();
        let mut command = Command::new(program);
        // It says when it is ready, and then waits for what never comes.
        command.args(["-c", &format!("trap '{on_term}' TERM; echo ready; read -r _"), "kvm", "-daemonize", "-pidfile"]);
        let mut child = command.arg(pidfile).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        Self(child)
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A hypervisor whose qm cannot stop its VM. A start writes another process file, as QEMU does.
fn with_stuck_vm() -> (Hypervisor, PathBuf) {
    let hypervisor = Hypervisor::practice();
    fs::create_dir(hypervisor.path("qemu")).unwrap();
    hypervisor.configure(&format!("QEMU_RUN='{}'", hypervisor.path("qemu").display()));
    let pidfile = hypervisor.path("qemu/102.pid");
    (hypervisor, pidfile)
}

/// qm, for which the VM runs as long as this process does.
fn follow(hypervisor: &Hypervisor, pidfile: &Path, process: &Process, stop: &str) {
    let (pid, state) = (process.0.id(), hypervisor.path("state/vm"));
    hypervisor.put_before_qm(&format!(
        "case $1 in stop) {stop} ;; start) echo 1 >'{}' ;; esac\n\
         ! grep -q 'State:.Z' /proc/{pid}/status || sed -i 's/running 4102/stopped 4102/' '{}'",
        pidfile.display(),
        state.display(),
    ));
    fs::write(pidfile, format!("{pid}\n")).unwrap();
    finish(&mut hypervisor.verb("status"));
}

#[test]
fn a_qemu_that_will_not_stop_is_killed_and_the_vm_started_anew() {
    for (stop, on_term, killed_by) in [
        ("echo 'got timeout' >&2; exit 255", "", "SIGKILL"),
        ("echo 'got timeout' >&2; exit 255", "exit 0", "SIGTERM"),
        ("sleep 600", "", "SIGKILL"),
    ] {
        let (hypervisor, pidfile) = with_stuck_vm();
        hypervisor.configure("PART_LIMIT=1 FORENSICS_LIMIT=4 STOP_LIMIT=9");
        let mut process = Process::start(&hypervisor, "kvm", &pidfile, on_term);
        follow(&hypervisor, &pidfile, &process, stop);
        let output = finish(&mut hypervisor.verb("cycle"));
        assert_ends(&output, 0, "cycle: done: VM 102 is running");
        let pid = process.0.id();
        let gone = format!(
            "cycle: sending {killed_by} to the QEMU process {pid} of VM 102\ncycle: the QEMU process {pid} is gone\n"
        );
        assert!(text(&output.stdout).contains(&gone), "{output:?}");
        assert!(!process.lives());
        assert_eq!(hypervisor.count("start"), 1);
    }
}

#[test]
fn a_process_that_is_not_the_vms_qemu_is_never_killed() {
    // Another program of that process file's PID; the QEMU of another VM; a program with kvm only in its path.
    for (program, pidfile) in
        [("sleepy", "102.pid"), ("kvm", "103.pid"), ("kvm-ok", "102.pid"), ("qemu-img", "102.pid")]
    {
        let (hypervisor, own) = with_stuck_vm();
        hypervisor.configure("PART_LIMIT=1 FORENSICS_LIMIT=4 STOP_LIMIT=8 START_LIMIT=8");
        let mut process = Process::start(&hypervisor, program, &own.with_file_name(pidfile), "");
        follow(&hypervisor, &own, &process, "exit 255");
        let output = finish(&mut hypervisor.verb("cycle"));
        assert_ends(&output, 1, "cycle: failed: VM 102 could not be stopped and is still running");
        assert!(
            text(&output.stdout).contains("is not known to be the QEMU of VM 102 (any more), so it was not killed")
        );
        assert!(process.lives(), "{program} {pidfile}");
        assert_eq!(hypervisor.count("start"), 0);
    }
}

#[test]
fn a_process_file_that_names_no_process_kills_nothing() {
    for (content, said) in [
        ("", "no process file names"),
        ("-1", "no process file names"),
        ("0", "no process file names"),
        ("1 2", "no process file names"),
        ("1", "process 1 is not known to be"),
        ("$$", "no process file names"),
    ] {
        let (hypervisor, pidfile) = with_stuck_vm();
        hypervisor.configure("PART_LIMIT=1 FORENSICS_LIMIT=4 STOP_LIMIT=8 START_LIMIT=8");
        hypervisor.put_before_qm("[ $1 != stop ] || exit 255");
        fs::write(&pidfile, content).unwrap();
        let output = finish(&mut hypervisor.verb("stop"));
        assert_ends(&output, 1, "stop: failed: VM 102 is running");
        assert!(text(&output.stdout).contains(said), "{content:?}: {output:?}");
    }
}

#[test]
fn a_vm_that_proxmox_has_locked_is_not_killed() {
    let (hypervisor, pidfile) = with_stuck_vm();
    let mut process = Process::start(&hypervisor, "kvm", &pidfile, "");
    follow(&hypervisor, &pidfile, &process, "true");
    hypervisor.trouble("locked", Some("backup"));
    let output = finish(&mut hypervisor.verb("cycle"));
    assert_ends(&output, 1, "cycle: failed: VM 102 could not be stopped and is still running");
    assert!(
        text(&output.stdout).contains("\ncycle: VM 102 is locked: backup\ncycle: it is not killed: "),
        "{output:?}"
    );
    assert!(process.lives());
}
