//! A practice hypervisor, private to one test: the real `deploy/pve/breakglass-pve` over `deploy/practice/qm`, with
//! configuration, state and captures in a temporary folder. A test can put a fault of its own in front of qm.
//! It must not know how it is reached: see [`super::sshd`] for that.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::sshd::{command_line, eventually, finish};

/// A hypervisor with one running VM, 102.
pub struct Hypervisor {
    folder: TempDir,
}

impl Hypervisor {
    /// One whose qm starts and stops its VM at once.
    pub fn practice() -> Self {
        let hypervisor = Self { folder: TempDir::new().unwrap() };
        hypervisor.put_before_qm("");
        let path = |name: &str| hypervisor.path(name).display().to_string();
        hypervisor.configure(&format!(
            "VMID=102\nQM='{}'\nCAPTURES='{}'\nPRACTICE_STATE='{}'\nPRACTICE_SECONDS=0\nexport PRACTICE_STATE PRACTICE_SECONDS",
            path("qm"),
            path("captures"),
            path("state"),
        ));
        hypervisor
    }

    /// Makes trouble for the VM, or calls it off: see `deploy/practice/qm`. The text is what the trouble's file holds.
    pub fn trouble(&self, name: &str, text: Option<&str>) -> &Self {
        fs::create_dir_all(self.path("state")).unwrap();
        let file = self.path("state").join(name);
        match text {
            Some(text) => fs::write(file, format!("{text}\n")).unwrap(),
            None => fs::remove_file(file).unwrap(),
        }
        self
    }

    /// Adds lines to its configuration; a later assignment wins.
    pub fn configure(&self, lines: &str) -> &Self {
        let before = fs::read_to_string(self.configuration()).unwrap_or_default();
        fs::write(self.configuration(), format!("{before}{lines}\n")).unwrap();
        self
    }

    /// Puts shell code before every call of qm: it sees qm's arguments as its own, and what it does not `exit` from
    /// goes on to the practice qm.
    pub fn put_before_qm(&self, code: &str) -> &Self {
        let (calls, captures) = (self.path("calls"), self.path("captures"));
        let script = format!(
            "#!/bin/sh\necho \"$1 $(ls '{}' 2>/dev/null | wc -l)\" >>'{}'\n{code}\nexec '{}' \"$@\"\n",
            captures.display(),
            calls.display(),
            repository().join("deploy/practice/qm").display(),
        );
        // Written beside and moved, because a program that is being run cannot be written to.
        fs::write(self.path("qm.new"), script).unwrap();
        fs::set_permissions(self.path("qm.new"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(self.path("qm.new"), self.path("qm")).unwrap();
        self
    }

    /// The command line for [`super::sshd::Sshd::start`].
    pub fn forced_command(&self) -> String {
        command_line(&script(), &[("BREAKGLASS_PVE_CONF", &self.configuration())])
    }

    /// The script as sshd would run it, without sshd: the caller sets `SSH_ORIGINAL_COMMAND`.
    pub fn script(&self) -> Command {
        let mut command = Command::new(script());
        command.env_remove("SSH_ORIGINAL_COMMAND").env("BREAKGLASS_PVE_CONF", self.configuration());
        command.stdin(Stdio::null());
        command
    }

    /// The script with this verb, or another command that it knows, without sshd.
    pub fn verb(&self, verb: &str) -> Command {
        let mut command = self.script();
        command.env("SSH_ORIGINAL_COMMAND", verb);
        command
    }

    /// Whether the VM runs, and the PID of its QEMU process (the last one when it is stopped).
    pub fn vm(&self) -> (bool, u32) {
        let Ok(text) = fs::read_to_string(self.path("state/vm")) else {
            return (true, 4102);
        };
        let mut words = text.split_whitespace();
        let running = words.next() == Some("running");
        (running, words.next().unwrap().parse().unwrap())
    }

    /// Waits until the VM is stopped, which in a cycle is half-way.
    pub fn wait_until_stopped(&self) {
        eventually("the VM is stopped", || !self.vm().0);
    }

    /// Waits until no mutation is under way any more: a worker whose connection is gone still needs this folder.
    pub fn wait_until_idle(&self) {
        eventually("no mutation is under way", || {
            finish(Command::new("flock").arg("-n").arg(self.configuration()).arg("true")).status.success()
        });
    }

    /// The calls of qm so far, oldest first: the operation, and how many captures there were when it was called.
    pub fn calls(&self) -> Vec<(String, usize)> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let call = |line: &str| {
            let (operation, captures) = line.split_once(' ').unwrap();
            (operation.to_owned(), captures.trim().parse().unwrap())
        };
        text.lines().map(call).collect()
    }

    /// How often qm was called for this operation.
    pub fn count(&self, operation: &str) -> usize {
        self.calls().iter().filter(|call| call.0 == operation).count()
    }

    /// The kept captures, oldest first.
    pub fn captures(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(self.path("captures")).into_iter().flatten();
        let mut captures: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        captures.sort();
        captures
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self) -> PathBuf {
        self.path("pve.conf")
    }
}

/// The script under test.
pub fn script() -> PathBuf {
    repository().join("deploy/pve/breakglass-pve")
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
