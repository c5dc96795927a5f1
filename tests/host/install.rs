//! `deploy/pve/install.sh`, on a folder that stands for a host's root.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const OTHERS: &str =
    "# Of the cluster.\nssh-rsa AAAAB3NzaC1yc2E root@pve\n\n  ssh-ed25519 AAAAC3Nz admin # breakglass-pve:installed?\n";

/// A host: what is below this folder.
struct Host(TempDir);

impl Host {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// As Proxmox sets it up: the keys are in the cluster's file system, and root's file is a link to them.
    fn proxmox() -> Self {
        let host = Self::new();
        fs::create_dir_all(host.path("etc/pve/priv")).unwrap();
        fs::create_dir_all(host.path("root/.ssh")).unwrap();
        fs::write(host.path("etc/pve/priv/authorized_keys"), OTHERS).unwrap();
        symlink(host.path("etc/pve/priv/authorized_keys"), host.path("root/.ssh/authorized_keys")).unwrap();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn install(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("sh");
        command.arg(repository().join("deploy/pve/install.sh")).args(arguments).env("DESTDIR", self.0.path());
        finish(&mut command)
    }

    /// One that must succeed; what it printed.
    #[track_caller]
    fn installed(&self, arguments: &[&str]) -> String {
        let output = self.install(arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout).to_owned()
    }

    fn keys(&self) -> String {
        fs::read_to_string(self.path("root/.ssh/authorized_keys")).unwrap()
    }

    /// Each file and link below it, with what it holds, its mode, its inode and when it was written.
    fn all(&self) -> Vec<String> {
        let listed = finish(Command::new("find").arg(self.0.path()).args(["-printf", "%P %y %m %i %T@ %l\n"]));
        let mut lines: Vec<_> = text(&listed.stdout).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

fn key(folder: &Path) -> String {
    let file = folder.join("key");
    let _ = fs::remove_file(&file);
    let made =
        finish(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "a console", "-f"]).arg(&file));
    assert!(made.status.success(), "{made:?}");
    fs::read_to_string(file.with_extension("pub")).unwrap().trim_end().to_owned()
}

#[test]
fn it_installs_the_program_the_configuration_and_one_line_and_says_so() {
    let host = Host::proxmox();
    let key = key(host.0.path());
    let said = host.installed(&["--key", &key, "--vmid", "102", "--from", "10.0.0.5,fd00::/64"]);
    let root = host.0.path().display();
    for line in [
        format!("installed {root}/usr/local/sbin/breakglass-pve"),
        format!("wrote {root}/etc/breakglass-pve.conf: VMID=102"),
        format!("added a line to {root}/etc/pve/priv/authorized_keys"),
    ] {
        assert!(said.lines().any(|said| said == line), "{line} not in {said}");
    }
    let program = host.path("usr/local/sbin/breakglass-pve");
    assert_eq!(fs::read(&program).unwrap(), fs::read(script()).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&program), mode(&host.path("etc/breakglass-pve.conf"))), (0o755, 0o600));
    let line = format!(
        "restrict,command=\"/usr/local/sbin/breakglass-pve\",from=\"10.0.0.5,fd00::/64\" {key} breakglass-pve:installed\n"
    );
    assert_eq!(host.keys(), format!("{OTHERS}{line}"));
    assert!(fs::symlink_metadata(host.path("root/.ssh/authorized_keys")).unwrap().is_symlink());
}

#[test]
fn the_line_lets_a_real_client_run_the_program_and_nothing_else() {
    let host = Host::new();
    let hypervisor = Hypervisor::practice();
    let sshd = Sshd::start(None);
    let key = fs::read_to_string(sshd.hypervisor_key().with_extension("pub")).unwrap();
    for (from, reached) in [("127.0.0.0/8", true), ("192.0.2.1", false)] {
        host.installed(&["--key", key.trim_end(), "--vmid", "102", "--from", from]);
        // The program's path on a real host stands for the one below this folder, with the practice configuration.
        let there = hypervisor.forced_command();
        let line = host.keys().replace("/usr/local/sbin/breakglass-pve\"", &format!("{there}\""));
        fs::write(sshd.ssh_config().with_file_name("authorized_keys"), line).unwrap();
        let output = over_ssh(&sshd, "status");
        assert_eq!(output.status.code(), Some(if reached { 0 } else { 255 }), "{output:?}");
        assert_eq!(text(&output.stdout).contains("status: running"), reached);
    }
    let refused = over_ssh(&sshd, "id");
    assert!(!text(&refused.stdout).contains("uid="));
}

#[test]
fn a_second_run_changes_nothing_and_says_so() {
    for host in [Host::proxmox(), Host::new()] {
        let key = key(host.0.path());
        let arguments = ["--key", &*key, "--vmid", "102", "--from", "10.0.0.5"];
        host.installed(&arguments);
        let before = host.all();
        let said = host.installed(&arguments);
        assert_eq!(host.all(), before);
        assert!(said.ends_with("\nnothing was changed\n"), "{said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("unchanged: ")).count(), 3, "{said}");
    }
}

#[test]
fn another_key_or_another_from_replaces_our_line_and_no_other() {
    let host = Host::proxmox();
    let first = key(host.0.path());
    host.installed(&["--key", &first, "--vmid", "102"]);
    // What comes after our line stays after it.
    fs::write(host.path("root/.ssh/authorized_keys"), host.keys() + "ssh-rsa AAAAB3last last@pve").unwrap();
    let inode = |host: &Host| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(host.path("root/.ssh/authorized_keys")).unwrap().ino()
    };
    let before = inode(&host);
    let line = |from: &str, key: &str| {
        format!("restrict,command=\"/usr/local/sbin/breakglass-pve\"{from} {key} breakglass-pve:installed\n")
    };
    let second = key(host.0.path());
    for (from, key) in [("10.0.0.6", &first), ("10.0.0.6", &second)] {
        let said = host.installed(&["--key", key, "--vmid", "102", "--from", from]);
        assert!(said.contains("replaced the console's line in "), "{said}");
        let ours = line(&format!(",from=\"{from}\""), key);
        assert_eq!(host.keys(), format!("{OTHERS}{ours}ssh-rsa AAAAB3last last@pve\n"));
    }
    assert_eq!(inode(&host), before, "it is the same file");
}

#[test]
fn a_file_that_does_not_end_in_a_newline_keeps_its_last_line() {
    let host = Host::proxmox();
    fs::write(host.path("root/.ssh/authorized_keys"), "ssh-rsa AAAAB3last last@pve").unwrap();
    host.installed(&["--key", &key(host.0.path()), "--vmid", "102"]);
    assert_eq!(host.keys().lines().count(), 2);
    assert!(host.keys().starts_with("ssh-rsa AAAAB3last last@pve\nrestrict,command="));
}

#[test]
fn an_operators_configuration_is_never_overwritten() {
    let host = Host::proxmox();
    let conf = host.path("etc/breakglass-pve.conf");
    let own = "VMID=7\nSTOP_LIMIT=30\n";
    fs::write(&conf, own).unwrap();
    let said = host.installed(&["--key", &key(host.0.path()), "--vmid", "102"]);
    assert!(said.contains("which says VMID=7 and is what counts: if VM 102 is meant, edit it"), "{said}");
    let said = host.installed(&["--uninstall"]);
    assert!(said.contains("because it was edited: remove it by hand"), "{said}");
    assert_eq!(fs::read_to_string(conf).unwrap(), own);
}

#[test]
fn uninstall_removes_what_was_added_and_says_what_it_leaves() {
    let host = Host::proxmox();
    host.installed(&["--key", &key(host.0.path()), "--vmid", "102"]);
    fs::create_dir_all(host.path("var/lib/breakglass/captures")).unwrap();
    let said = host.installed(&["--uninstall"]);
    assert_eq!(host.keys(), OTHERS);
    assert!(fs::symlink_metadata(host.path("root/.ssh/authorized_keys")).unwrap().is_symlink());
    assert!(!host.path("usr/local/sbin/breakglass-pve").exists() && !host.path("etc/breakglass-pve.conf").exists());
    let left = format!("left: {}/var/lib/breakglass, with captures", host.0.path().display());
    assert!(said.contains(&left), "{said}");
    let before = host.all();
    assert!(host.installed(&["--uninstall"]).ends_with("\nnothing was changed\n"));
    assert_eq!(host.all(), before);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let host = Host::proxmox();
    let key = key(host.0.path());
    let before = host.all();
    let arguments = ["--key", &*key, "--vmid", "102", "--dry-run"];
    let said = host.installed(&arguments);
    assert_eq!(said.lines().filter(|line| line.starts_with("would ")).count(), 3, "{said}");
    assert!(said.ends_with("nothing was changed, because of --dry-run\n"), "{said}");
    assert_eq!(host.all(), before);
    host.installed(&arguments[..4]);
    let before = host.all();
    let said = host.installed(&["--uninstall", "--dry-run"]);
    assert_eq!(said.lines().filter(|line| line.starts_with("would remove ")).count(), 3, "{said}");
    assert_eq!(host.all(), before);
}

#[test]
fn what_is_not_right_is_refused_before_anything_is_changed() {
    let host = Host::proxmox();
    let good = key(host.0.path());
    let blob = good.split(' ').nth(1).unwrap();
    let canary = host.path("canary");
    let (options, two) = (format!("no-pty {good}"), format!("{good}\nssh-rsa AAAAB3 second"));
    let (quoted, run) = (format!("ssh-ed25519 {blob} a\" b"), format!("ssh-ed25519 AAAA$(touch {})", canary.display()));
    let (returned, cut) = (format!("{good}\r"), good[..40].to_owned());
    let (touchy, marked) = (format!("sk-{good}"), format!("{good} breakglass-pve:installed"));
    let (odd, accented) = (format!("{good};x"), format!("{good} café"));
    let before = host.all();
    let refused = |arguments: &[&str], reason: &str| {
        let output = host.install(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        let said = text(&output.stderr);
        assert!(said.contains(reason) && said.contains("\nnothing was changed; "), "{arguments:?}: {said}");
        assert_eq!(host.all(), before, "{arguments:?}");
    };
    for (key, reason) in [
        (&*options, "must begin with its type"),
        (&two, "one line of plain text"),
        (&returned, "one line of plain text"),
        (&accented, "one line of plain text"),
        (&quoted, "must not hold quotes"),
        (&run, "what base64 does not"),
        (&cut, "not a key that ssh-keygen understands"),
        (&touchy, "wants to be touched"),
        (&marked, "must not hold breakglass-pve:installed"),
        (&odd, "comment may only hold"),
        ("ssh-ed25519", "a type and no key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "not the private key"),
        ("", "--key is missing"),
    ] {
        refused(&["--key", key, "--vmid", "102"], reason);
    }
    for vmid in ["0102", "0", "-1", "1e3", "102;id", "$(id)", "102\n103", "9999999999"] {
        refused(&["--key", &good, "--vmid", vmid], "--vmid must be a number");
    }
    for from in ["10.0.0.5\"", "10.0.0.5 10.0.0.6", "a\nb", "a,\\b", "$(id)"] {
        refused(&["--key", &good, "--vmid", "102", "--from", from], "--from must be addresses");
    }
    refused(&["--key", &good, "--vmid", "102", "--from", ",a"], "an empty place");
    refused(&["--key", &good, "--vmid", "102", "--from", "a,!b,,c"], "an empty place");
    refused(&["--key", &good, "--vmid", "102", "--from", "!10.0.0.5"], "name who may");
    refused(&["--key", &good], "--vmid is missing");
    refused(&["--key"], "--key needs a value");
    refused(&["--vmid", "102"], "--key is missing");
    refused(&["--purge"], "unknown argument: --purge");
    refused(&["--uninstall", "--vmid", "102"], "takes no --key, --vmid or --from");
    assert!(!canary.exists());
}

#[test]
fn a_key_that_stands_there_with_other_rights_is_refused() {
    let host = Host::proxmox();
    let key = key(host.0.path());
    fs::write(host.path("root/.ssh/authorized_keys"), format!("{OTHERS}{key}\n")).unwrap();
    let output = host.install(&["--key", &key, "--vmid", "102"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(", in line 5, with other rights: remove that line first"), "{output:?}");
    assert!(!host.path("usr/local/sbin/breakglass-pve").exists());
}

#[test]
fn a_link_that_leads_nowhere_or_elsewhere_is_refused() {
    let host = Host::proxmox();
    let key = key(host.0.path());
    let keys = host.path("root/.ssh/authorized_keys");
    let elsewhere = TempDir::new().unwrap();
    for (target, reason) in [
        (host.path("etc/pve/gone/authorized_keys"), "is /etc/pve mounted"),
        (elsewhere.path().join("authorized_keys"), "leads out of DESTDIR"),
    ] {
        fs::remove_file(&keys).unwrap();
        symlink(target, &keys).unwrap();
        let output = host.install(&["--key", &key, "--vmid", "102"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains(reason), "{output:?}");
    }
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_vm_that_qm_does_not_know_is_refused() {
    let host = Host::proxmox();
    let key = key(host.0.path());
    fs::create_dir_all(host.path("usr/sbin")).unwrap();
    fs::write(host.path("usr/sbin/qm"), "#!/bin/sh\n[ \"$*\" = 'config 102' ]\n").unwrap();
    fs::set_permissions(host.path("usr/sbin/qm"), fs::Permissions::from_mode(0o755)).unwrap();
    let output = host.install(&["--key", &key, "--vmid", "103"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("this host has no VM 103 (qm list says which it has)"), "{output:?}");
    host.installed(&["--key", &key, "--vmid", "102"]);
}

#[test]
fn keys_that_are_no_file_are_refused() {
    let host = Host::new();
    fs::create_dir_all(host.path("root/.ssh/authorized_keys")).unwrap();
    let output = host.install(&["--key", &key(host.0.path()), "--vmid", "102"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot be read, or is no file"), "{output:?}");
}
