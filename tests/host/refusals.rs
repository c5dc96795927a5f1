//! What the hypervisor refuses, and that it then has done nothing.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::process::Output;
use std::thread;

use super::*;
use crate::harness::hostile;

const REFUSAL: &str = "breakglass-pve: refused, nothing was done: the command must be exactly one of: \
                       status forensics start stop reset cycle; each may be followed by a run's id; \
                       or run ID, or void ID, or capture ID [PART]\n";

fn assert_untouched(hypervisor: &Hypervisor) {
    assert!(!hypervisor.path("canary").exists());
    assert_eq!(hypervisor.calls(), []);
    for folder in ["captures", "live", "runs"] {
        assert!(!hypervisor.path(folder).exists(), "{folder}");
    }
}

fn assert_refused(output: &Output, command: &[u8]) {
    let shown: String = String::from_utf8_lossy(command).escape_debug().take(100).collect();
    assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(64), "", REFUSAL), "{shown}");
}

#[test]
fn hostile_commands_over_ssh_are_refused_and_run_nothing() {
    let (hypervisor, sshd) = reachable();
    let commands = hostile::commands(&hypervisor.path("canary"));
    assert!(commands.len() >= 60);
    let commands: Vec<_> = commands.iter().map(Vec::as_slice).chain([&b""[..]]).collect();
    // Several connections at a time, because most of each is waiting.
    thread::scope(|scope| {
        for some in commands.chunks(commands.len().div_ceil(8)) {
            let sshd = &sshd;
            scope.spawn(move || {
                for &command in some {
                    assert_refused(&over_ssh(sshd, OsStr::from_bytes(command)), command);
                }
            });
        }
    });
    assert_untouched(&hypervisor);
}

#[test]
fn hostile_commands_in_the_environment_are_refused_and_run_nothing() {
    let hypervisor = Hypervisor::practice();
    for command in hostile::commands(&hypervisor.path("canary")).iter().map(Vec::as_slice).chain([&b""[..]]) {
        let output = finish(hypervisor.script().env("SSH_ORIGINAL_COMMAND", OsStr::from_bytes(command)));
        assert_refused(&output, command);
    }
    assert_untouched(&hypervisor);
}

#[test]
fn arguments_are_no_verb() {
    let hypervisor = Hypervisor::practice();
    assert_refused(&finish(hypervisor.script().arg("status")), b"");
    assert_refused(&finish(hypervisor.script().args(["--worker", "stop"])), b"");
    assert_untouched(&hypervisor);
}

#[test]
fn a_bad_configuration_is_refused_before_anything_is_done() {
    for (line, reason) in [
        ("VMID='102; touch canary'", "VMID must be a number"),
        ("VMID=", "VMID must be a number"),
        ("VMID=0102", "VMID must be a number"),
        ("QM=qm", "QM must be an absolute path"),
        ("QM=/nonexistent/qm", "QM is not a program: /nonexistent/qm"),
        ("CAPTURES=captures", "CAPTURES must be an absolute path"),
        ("PART_LIMIT=soon", "the limits must be whole seconds"),
        ("START_LIMIT=60", "must not add up to more than CONSOLE_LIMIT - 24 seconds, which is 96"),
        ("CONSOLE_LIMIT=119", "must not add up to more than CONSOLE_LIMIT - 24 seconds, which is 95"),
        ("STOP_LIMIT=17", "must be at least 2 * PART_LIMIT + 6, which is 18"),
        ("FORENSICS_LIMIT=8", "must be at least PART_LIMIT + 3, which is 9"),
        ("LIVE=live", "must be absolute paths"),
        ("QEMU_RUN=run", "must be absolute paths"),
        ("VMID='102", "has an error in it"),
        ("VMID=$NO_SUCH_VARIABLE", "has an error in it"),
    ] {
        let hypervisor = Hypervisor::practice();
        let output = finish(&mut hypervisor.configure(line).verb("cycle"));
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), ""), "{line}: {output:?}");
        assert!(text(&output.stderr).contains(reason), "{line}: {output:?}");
        assert_untouched(&hypervisor);
    }
}

#[test]
fn a_named_configuration_that_is_missing_is_refused() {
    let output = finish(Hypervisor::practice().verb("status").env("BREAKGLASS_PVE_CONF", "/nonexistent/pve.conf"));
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("cannot read the configuration file /nonexistent/pve.conf"), "{output:?}");
}

#[test]
fn the_key_gets_no_terminal() {
    let sshd = Sshd::start(Some("tty"));
    let with_terminal = |host| finish(sshd.ssh_with(&["-tt"], host).arg("tty"));
    let refused = with_terminal("pve");
    let reason = "PTY allocation request failed";
    assert!(text(&refused.stderr).contains(reason) && refused.stdout.is_empty(), "{refused:?}");
    // The unrestricted key gets one, except from an ordinary user's sshd where devpts is mounted without gid=tty.
    let given = with_terminal("devvm").stdout.starts_with(b"/dev/pts/");
    assert!(given || sshd.log().contains("chown(/dev/pts/"), "{}", sshd.log());
}

#[test]
fn the_key_gets_no_agent_and_no_forwarding() {
    let sshd = Sshd::start(Some("env"));
    let agent = sshd.ssh_config().with_file_name("agent");
    let listener = UnixListener::bind(&agent).unwrap();
    // It hangs up on whoever asks it for keys, which is enough of an agent to be forwarded.
    thread::spawn(move || listener.incoming().for_each(drop));
    let agent = format!("IdentityAgent={}", agent.display());
    let own_port = format!("{}:{}", sshd.host(), sshd.port());
    // The unrestricted key shows that each of these would succeed if the options did not forbid it.
    for (host, allowed) in [("devvm", true), ("pve", false)] {
        let client = |options: &[&str], command: Option<&str>| finish(sshd.ssh_with(options, host).args(command));
        let seen = client(&["-A", "-o", &agent], Some("env"));
        let seen = text(&seen.stdout);
        assert_eq!(seen.contains("SSH_AUTH_SOCK="), allowed, "{host}: {seen}");
        let there = client(&["-W", &own_port], None);
        assert_eq!(there.stdout.starts_with(b"SSH-2.0"), allowed, "{host}: {there:?}");
        let back = client(&["-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9"], Some("true"));
        assert_eq!(back.status.success(), allowed, "{host}: {back:?}");
    }
}
