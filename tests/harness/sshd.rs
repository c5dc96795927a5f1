//! A real sshd on a port of its own, private to one test: host key, client keys, configuration and log are in a
//! temporary folder. It knows two hosts, as the console does: `devvm` (the target: any command) and `pve` (the
//! hypervisor: one forced command). It must not know what that command is for.
//!
//! Works as root and as an ordinary user. Everything it started is gone when it is dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long anything in the harness may take before the test fails: generous, because it is only ever reached by a
/// fault.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running sshd. Dropping it kills the daemon, its sessions, and what runs in them; a process that has detached
/// itself from a session that is already gone is not its child any more and is left alone.
pub struct Sshd {
    folder: TempDir,
    listener: Child,
    port: u16,
    user: String,
}

/// The processes of one connection, as they were when [`Sshd::connections`] looked.
#[derive(Debug)]
pub struct Connection {
    /// sshd's own: killing them is the loss of the connection.
    pub sshd: Vec<Pid>,
    /// What sshd started for the client: the forced command, or the user's shell.
    pub commands: Vec<Pid>,
}

impl Connection {
    /// Loses the connection from the server's side: its sshd processes get SIGKILL, its command lives on.
    pub fn cut(&self) {
        kill_all(&self.sshd);
    }

    /// SIGKILLs the command and its whole process group (sshd makes each command the leader of one), and leaves the
    /// connection to find out.
    pub fn kill_command(&self) {
        let groups: Vec<_> = self.commands.iter().map(|pid| Pid::from_raw(-pid.as_raw())).collect();
        kill_all(&groups);
    }
}

impl Sshd {
    /// Starts an sshd that is ready to be connected to. `forced_command` is the command line that the key for `pve`
    /// is restricted to (see [`command_line`]); without one, that key is not accepted at all.
    pub fn start(forced_command: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        for key in ["host_key", "target_key", "hypervisor_key"] {
            make_key(&folder.path().join(key));
        }
        let mut authorized = public_key(&folder.path().join("target_key"));
        if let Some(command) = forced_command {
            let quoted = command.replace('"', "\\\"");
            let key = public_key(&folder.path().join("hypervisor_key"));
            authorized.push_str(&format!("restrict,command=\"{quoted}\" {key}"));
        }
        fs::write(folder.path().join("authorized_keys"), authorized).unwrap();
        if printed(Command::new("id").arg("-u")) == "0" {
            // As root, sshd wants its privilege separation folder, which only its service unit makes.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let user = printed(Command::new("id").arg("-un"));
        let (listener, port) = listen(folder.path());
        let sshd = Self { folder, listener, port, user };
        sshd.write_ssh_config();
        sshd
    }

    /// The address that it listens on, and no other.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The one user who can sign in: the user who runs the test.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The private key for `devvm`: it may run anything.
    pub fn target_key(&self) -> PathBuf {
        self.folder.path().join("target_key")
    }

    /// The private key for `pve`: it may only run the forced command.
    pub fn hypervisor_key(&self) -> PathBuf {
        self.folder.path().join("hypervisor_key")
    }

    /// A file for `ssh -F` in which `devvm` and `pve` are this sshd, each with its key.
    pub fn ssh_config(&self) -> PathBuf {
        self.folder.path().join("ssh_config")
    }

    /// An ssh client for `devvm` or `pve`. The caller adds the remote command as one argument, which is then sent
    /// exactly as it is.
    pub fn ssh(&self, host: &str) -> Command {
        self.ssh_with(&[], host)
    }

    /// The same with options of ssh's own.
    pub fn ssh_with(&self, options: &[&str], host: &str) -> Command {
        let mut ssh = Command::new("ssh");
        // Without `--` ssh takes a command that begins with a dash for options of its own.
        ssh.arg("-F").arg(self.ssh_config()).args(options).args(["--", host]);
        ssh.stdin(Stdio::null());
        ssh
    }

    /// Gives it another host key, as a machine that was installed anew has; what is open goes on.
    pub fn change_host_key(&self) {
        for file in ["host_key", "host_key.pub"] {
            fs::remove_file(self.folder.path().join(file)).unwrap();
        }
        make_key(&self.folder.path().join("host_key"));
        // sshd reads its keys when it starts and when it is told to.
        kill(self.listener_pid(), Signal::SIGHUP).unwrap();
        let log = || self.log();
        eventually("sshd has started again", || {
            log().matches("Server listening on").count() >= 2 && banner(self.port).starts_with("SSH-2.0")
        });
    }

    /// The connections that are open now.
    pub fn connections(&self) -> Vec<Connection> {
        connections_of(self.listener_pid())
    }

    /// What sshd has logged, for the message of a test that fails.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The process that listens.
    pub fn listener_pid(&self) -> Pid {
        pid_of(&self.listener)
    }

    fn write_ssh_config(&self) {
        let folder = self.folder.path().display();
        let (host, port, user) = (self.host(), self.port, &self.user);
        let entry = |name: &str, key: &str| {
            format!(
                "Host {name}\n  HostName {host}\n  Port {port}\n  User {user}\n  IdentityFile {folder}/{key}\n  \
                 IdentitiesOnly yes\n  IdentityAgent none\n  BatchMode yes\n  ConnectTimeout 10\n  \
                 ControlPath none\n  UserKnownHostsFile {folder}/known_hosts\n  StrictHostKeyChecking accept-new\n  \
                 LogLevel ERROR\n"
            )
        };
        let text = entry("devvm", "target_key") + &entry("pve", "hypervisor_key");
        fs::write(self.ssh_config(), text).unwrap();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let listener = self.listener_pid();
        // Stopped, it accepts nobody new, and its children still have it as their parent.
        let _ = kill(listener, Signal::SIGSTOP);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let table = process_table();
            let mut pids = vec![listener];
            let mut looked_at = 0;
            while let Some(&parent) = pids.get(looked_at) {
                looked_at += 1;
                pids.extend(children(&table, parent).map(|child| child.pid));
            }
            if pids.len() == 1 || Instant::now() > deadline {
                break;
            }
            kill_all(&pids[1..]);
        }
        let _ = self.listener.kill();
        let _ = self.listener.wait();
    }
}

/// The connections that are open now to the daemon `listener`.
pub fn connections_of(listener: Pid) -> Vec<Connection> {
    let table = process_table();
    let is_sshd = |process: &&Process| process.name.starts_with("sshd");
    children(&table, listener)
        .map(|first| {
            let mut sshd = vec![first.pid];
            let mut commands = Vec::new();
            let mut looked_at = 0;
            while let Some(&parent) = sshd.get(looked_at) {
                looked_at += 1;
                sshd.extend(children(&table, parent).filter(is_sshd).map(|child| child.pid));
                commands.extend(children(&table, parent).filter(|child| !is_sshd(child)).map(|child| child.pid));
            }
            Connection { sshd, commands }
        })
        .collect()
}

/// A command line for a forced command: `program` with these environment variables set.
pub fn command_line(program: &Path, environment: &[(&str, &Path)]) -> String {
    let quote = |path: &Path| format!("'{}'", path.to_str().unwrap().replace('\'', "'\\''"));
    let assignments: String = environment.iter().map(|(name, value)| format!("{name}={} ", quote(value))).collect();
    format!("env {assignments}{}", quote(program))
}

/// Waits until `condition` holds; panics with `what` if it never does.
pub fn eventually(what: &str, condition: impl FnMut() -> bool) {
    assert!(holds_within(PATIENCE, condition), "not within {PATIENCE:?}: {what}");
}

/// Runs a command to its end and gives its output; panics, and kills it, if it takes longer than a minute and a half,
/// which is more than anything here may take.
pub fn finish(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = pid_of(&child);
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(Duration::from_secs(90)) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            kill_all(&[pid]);
            panic!("did not end: {command:?}");
        }
    }
}

/// Starts sshd on a free port and waits until it answers. Another process can take the port in between, so it tries
/// again with another one.
fn listen(folder: &Path) -> (Child, u16) {
    let program = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"]
        .map(Path::new)
        .into_iter()
        .find(|path| path.exists())
        .expect("these tests need sshd: install openssh-server");
    for _ in 0..10 {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        fs::write(folder.join("sshd_config"), sshd_config(folder, port)).unwrap();
        let log = folder.join("log");
        let mut listener = Command::new(program)
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        // Its own log says that this sshd has the port; the banner says that it answers.
        let ours = format!("Server listening on 127.0.0.1 port {port}");
        let answers =
            || fs::read_to_string(&log).unwrap_or_default().contains(&ours) && banner(port).starts_with("SSH-2.0");
        if holds_within(PATIENCE, || answers() || listener.try_wait().unwrap().is_some())
            && listener.try_wait().unwrap().is_none()
        {
            return (listener, port);
        }
        let _ = listener.kill();
        let _ = listener.wait();
        let log = fs::read_to_string(&log).unwrap_or_default();
        assert!(log.contains("Address already in use"), "sshd did not start: {log}");
    }
    panic!("no free port in ten tries");
}

/// The home is the temporary folder, so that the start-up files of whoever runs the test have no say in it.
fn sshd_config(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized_keys\n\
         PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\nUseDNS no\nPrintMotd no\nPrintLastLog no\nMaxStartups 200\nLogLevel VERBOSE\n\
         SetEnv HOME={folder}\n"
    )
}

fn banner(port: u16) -> String {
    let mut line = String::new();
    if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let _ = BufReader::new(stream).read_line(&mut line);
    }
    line
}

fn make_key(path: &Path) {
    printed(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path));
}

fn public_key(path: &Path) -> String {
    fs::read_to_string(path.with_extension("pub")).unwrap()
}

fn printed(command: &mut Command) -> String {
    let output = finish(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn holds_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

struct Process {
    pid: Pid,
    parent: Pid,
    name: String,
}

fn process_table() -> Vec<Process> {
    let folders = fs::read_dir("/proc").unwrap().flatten();
    folders.filter_map(|folder| parse_stat(&fs::read_to_string(folder.path().join("stat")).ok()?)).collect()
}

/// `PID (NAME) STATE PPID …`, see proc(5); a name may contain blanks and brackets. Zombies do not count.
fn parse_stat(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    if fields.next()? == "Z" {
        return None;
    }
    let parent = Pid::from_raw(fields.next()?.parse().ok()?);
    Some(Process { pid: Pid::from_raw(pid.parse().ok()?), parent, name: name.to_owned() })
}

fn children(table: &[Process], parent: Pid) -> impl Iterator<Item = &Process> {
    table.iter().filter(move |process| process.parent == parent)
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

fn kill_all(pids: &[Pid]) {
    for &pid in pids {
        // One that is gone already is as good as killed.
        let _ = kill(pid, Signal::SIGKILL);
    }
}
