//! What the key's line allows beside its command: nothing. After OpenSSH's own regression tests (`forward-control.sh`,
//! `agent-restrict.sh`, `envpass.sh`, `forcecommand.sh`): each door is tried by the real client against the real sshd, and
//! a canary behind it sees that nobody came through. The same is tried with the key that is not restricted, so that a
//! test which could not fail is found.

use std::{
    fs,
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixListener,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use super::*;
use crate::harness::sshd::eventually;

/// A listener that nobody may reach.
struct Canary(TcpListener);

impl Canary {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn was_reached(&self) -> bool {
        match self.0.accept() {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A client that only forwards, ended with the test.
struct Forwarding(Child);

impl Forwarding {
    fn begin(sshd: &Sshd, host: &str, options: &[&str]) -> Self {
        let mut client = sshd.ssh_with(&[&["-N"], options].concat(), host);
        Self(client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Connects to a port that the client listens on, and gives it time to be let through.
    fn knock(&self, port: u16) {
        let begun = Instant::now();
        let mut stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "the client listens: {error}"),
            }
        };
        // Refused, the client closes it; let through, the canary does not answer, and that is seen by its accept.
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let _ = stream.read(&mut [0]);
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn no_port_is_forwarded_from_there() {
    let (_hypervisor, sshd) = reachable();
    for (host, reached) in [("devvm", true), ("pve", false)] {
        let (canary, port) = (Canary::new(), free_port());
        let client = Forwarding::begin(&sshd, host, &["-L", &format!("{port}:127.0.0.1:{}", canary.port())]);
        client.knock(port);
        assert_eq!(canary.was_reached(), reached, "-L to {host}: {}", sshd.log());
        drop(client);

        // As a jump host, and by hand, it is the same channel.
        let there = format!("127.0.0.1:{}", canary.port());
        let mut jump = sshd.ssh_with(&["-W", &there], host);
        let mut jump = jump.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        if reached {
            eventually("the canary is reached", || canary.was_reached());
            jump.kill().unwrap();
        }
        let end = jump.wait_with_output().unwrap();
        assert!(!end.status.success() && !canary.was_reached(), "-W to {host}: {end:?}");
    }
}

#[test]
fn no_socket_is_forwarded_from_there() {
    let (hypervisor, sshd) = reachable();
    let socket = hypervisor.path("canary.sock");
    let canary = UnixListener::bind(&socket).unwrap();
    canary.set_nonblocking(true).unwrap();
    for (host, reached) in [("devvm", true), ("pve", false)] {
        let port = free_port();
        let client = Forwarding::begin(&sshd, host, &["-L", &format!("{port}:{}", socket.display())]);
        client.knock(port);
        assert_eq!(canary.accept().is_ok(), reached, "{host}: {}", sshd.log());
    }
}

#[test]
fn no_port_is_opened_there() {
    let (_hypervisor, sshd) = reachable();
    for (host, allowed) in [("devvm", true), ("pve", false)] {
        let forward = format!("{}:127.0.0.1:9", free_port());
        let options = ["-o", "ExitOnForwardFailure=yes", "-R", &forward];
        // A command ends the connection; the forced one is a status, whatever is asked for.
        let output = finish(sshd.ssh_with(&options, host).arg(if allowed { "true" } else { "status" }));
        assert_eq!(output.status.success(), allowed, "{host}: {output:?}");
        assert_eq!(text(&output.stderr).contains("remote port forwarding failed"), !allowed, "{output:?}");
    }
}

#[test]
fn there_is_no_terminal() {
    let (hypervisor, sshd) = reachable();
    // A client that insists on one ends without it.
    let output = finish(sshd.ssh_with(&["-tt"], "pve").arg("status"));
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(text(&output.stderr).contains("PTY allocation request failed"), "{output:?}");
    hypervisor.put_before_qm(&says_to(&hypervisor.path("tty"), "tty"));
    assert!(over_ssh(&sshd, "status").status.success());
    assert_eq!(fs::read_to_string(hypervisor.path("tty")).unwrap().trim(), "not a tty");
    let free = finish(sshd.ssh_with(&["-tt"], "devvm").arg("tty"));
    assert!(text(&free.stdout).starts_with("/dev/"), "the other key gets one: {free:?}");
}

#[test]
fn no_agent_and_no_display_comes_along() {
    let (hypervisor, sshd) = reachable();
    let variables = "printf '%s %s' \"${SSH_AUTH_SOCK-none}\" \"${DISPLAY-none}\"";
    hypervisor.put_before_qm(&says_to(&hypervisor.path("forwarded"), variables));
    let agent = Agent::start(&hypervisor.path("agent.sock"));
    let with_agent = |host: &str, command: &str| {
        let from = format!("IdentityAgent={}", agent.socket.display());
        let mut client = sshd.ssh_with(&["-o", &from, "-o", "ForwardAgent=yes", "-o", "ForwardX11=yes"], host);
        client.env("DISPLAY", "127.0.0.1:0");
        finish(client.arg(command))
    };
    assert!(with_agent("pve", "status").status.success());
    assert_eq!(fs::read_to_string(hypervisor.path("forwarded")).unwrap(), "none none");
    let free = with_agent("devvm", "echo \"${SSH_AUTH_SOCK-none}\"");
    assert!(text(&free.stdout).starts_with('/'), "the other key's does: {free:?}");
}

#[test]
fn no_variable_comes_along() {
    let (hypervisor, sshd) = reachable();
    let evil = hypervisor.path("evil.conf");
    fs::write(&evil, format!("touch '{}'\n", hypervisor.path("canary").display())).unwrap();
    let set = format!("SetEnv=BREAKGLASS_PVE_CONF={} SSH_ORIGINAL_COMMAND=stop", evil.display());
    let output = finish(sshd.ssh_with(&["-o", &set], "pve").arg("status"));
    assert!(output.status.success() && text(&output.stdout).contains("status: running"), "{output:?}");
    assert!(!hypervisor.path("canary").exists() && hypervisor.count("stop") == 0);
}

#[test]
fn a_subsystem_a_shell_and_a_copy_are_the_forced_command_too() {
    let (hypervisor, sshd) = reachable();
    let sftp = finish(sshd.ssh_with(&["-s"], "pve").arg("sftp"));
    let shell = finish(&mut sshd.ssh("pve"));
    let copied = hypervisor.path("copied");
    let copy = |protocol: &str| {
        let mut scp = Command::new("scp");
        scp.arg(protocol).arg("-F").arg(sshd.ssh_config());
        finish(scp.arg("pve:/etc/passwd").arg(&copied).stdin(Stdio::null()))
    };
    for output in [sftp, shell, copy("-O"), copy("-s")] {
        assert!(!output.status.success() && !text(&output.stdout).contains("root:"), "{output:?}");
    }
    assert!(!copied.exists() && hypervisor.calls().is_empty());
}

/// Code for a test's qm that writes what a command says to a file, and goes on.
fn says_to(file: &Path, command: &str) -> String {
    format!("{command} >'{}' </dev/null", file.display())
}

/// A private ssh-agent.
struct Agent {
    child: Child,
    socket: std::path::PathBuf,
}

impl Agent {
    fn start(socket: &Path) -> Self {
        let mut agent = Command::new("ssh-agent");
        let child = agent.args(["-D", "-a"]).arg(socket).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        eventually("the agent listens", || socket.exists());
        Self { child, socket: socket.to_owned() }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
