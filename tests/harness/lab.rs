//! A lab, private to one test: a real Debian guest in a real QEMU, behind a real sshd and the real host script. All of it
//! is `deploy/lab`, as a person starts it by `cargo xtask lab`; this file starts that and looks at it.
//!
//! It ends with the test, however that ends: the lab holds the other end of a pipe.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::unistd::Pid;
use tempfile::TempDir;

use super::{hypervisor::repository, sshd::finish};

/// How long a guest may take to boot: fifteen seconds where a core is free for it, and a machine may be busy.
const BOOT: Duration = Duration::from_secs(240);

/// A running lab.
pub struct Lab {
    child: Child,
    folder: PathBuf,
    _temporary: TempDir,
}

impl Lab {
    /// One whose QEMU runs; its guest begins to boot.
    pub fn start() -> Self {
        let temporary = TempDir::new().unwrap();
        let mut child = Command::new(repository().join("deploy/lab/lab"))
            .arg(temporary.path().join("lab"))
            .arg(image())
            .arg("--while-stdin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let folder = line.trim_end().strip_prefix("lab: ").expect("the lab starts").into();
        Self { child, folder, _temporary: temporary }
    }

    /// The same with a guest that answers over SSH.
    pub fn booted() -> Self {
        let lab = Self::start();
        lab.wait_for_ssh();
        lab
    }

    /// Waits until the guest answers over SSH, and says how long that took.
    pub fn wait_for_ssh(&self) -> Duration {
        let begun = Instant::now();
        while self.try_in_guest("true").is_none() {
            assert!(begun.elapsed() < BOOT, "the guest did not boot: {}", self.serial());
        }
        begun.elapsed()
    }

    /// What a command in the guest prints.
    pub fn in_guest(&self, command: &str) -> String {
        self.try_in_guest(command).unwrap_or_else(|| panic!("in the guest: {command}"))
    }

    fn try_in_guest(&self, command: &str) -> Option<String> {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.ssh_config()).args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", "devvm"]);
        let output = finish(ssh.arg(command).stdin(Stdio::null()));
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    /// Breaks the VM; see `deploy/lab/fault --list`.
    pub fn fault(&self, name: &str) {
        self.call_fault(&[name]);
    }

    /// Calls a fault off.
    pub fn cure(&self, name: &str) {
        self.call_fault(&["--cure", name]);
    }

    /// The names of all faults.
    pub fn faults() -> Vec<String> {
        let listed = finish(Command::new(repository().join("deploy/lab/fault")).arg("--list"));
        let listed = String::from_utf8(listed.stdout).unwrap();
        listed.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    fn call_fault(&self, arguments: &[&str]) {
        let output = finish(Command::new(repository().join("deploy/lab/fault")).arg(&self.folder).args(arguments));
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// Stages a line of configuration, which the next start applies.
    pub fn stage(&self, line: &str) {
        fs::write(self.path("pending"), format!("{line}\n")).unwrap();
    }

    /// Whether the VM has a QEMU process, and its PID, or that of the last one.
    pub fn vm(&self) -> (bool, u32) {
        let pid = fs::read_to_string(self.path("qemu/102.pid")).ok().and_then(|text| text.trim().parse().ok());
        let pid: u32 = pid.unwrap_or(0);
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        (command.starts_with(b"qemu-system"), pid)
    }

    /// Waits until the QEMU process runs for longer than this.
    pub fn wait_until_older_than(&self, age: Duration) {
        let begun = fs::metadata(self.path("qemu/102.pid")).unwrap().modified().unwrap();
        let deadline = Instant::now() + age;
        while begun.elapsed().unwrap() <= age {
            assert!(Instant::now() < deadline, "time goes by");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A file for `ssh -F` with `devvm` and `pve`.
    pub fn ssh_config(&self) -> PathBuf {
        self.path("ssh_config")
    }

    /// What configures the host's script.
    pub fn host_conf(&self) -> PathBuf {
        self.path("host/etc/breakglass-pve.conf")
    }

    /// The process that listens for the hypervisor.
    pub fn sshd(&self) -> Pid {
        Pid::from_raw(fs::read_to_string(self.path("sshd.pid")).unwrap().trim().parse().unwrap())
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn serial(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path("serial")).unwrap_or_default()).into_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The end of its standard input is its end, and that of all it started.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The guest as `cargo xtask test` builds it.
fn image() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_breakglass")).ancestors().nth(2).unwrap();
    let image = target.join("lab/image");
    let recipe = fs::read(repository().join("deploy/lab/image")).unwrap();
    let made_by = fs::read(image.join("recipe")).unwrap_or_default();
    assert!(recipe == made_by, "{} is not there or out of date: `cargo xtask lab --build` makes it", image.display());
    image
}
