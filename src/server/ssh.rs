//! How `ssh` is called: one argv list for every use, and what its exit code 255 means. Who may call it, and for what,
//! is not its concern.

use std::{ffi::OsString, path::PathBuf};

use super::child::Argv;

/// One host as `ssh` reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    destination: String,
    config: Option<PathBuf>,
    host_key: HostKey,
    /// The socket of the ssh-agent that holds its key, where the console has one of its own.
    identity_agent: Option<PathBuf>,
}

/// By what the other side must show that it is who it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKey {
    /// By what ssh's own configuration says.
    Configured,
    /// By the key in this file, where the first one is put; another one is refused.
    Pinned(PathBuf),
    /// By nothing that ssh would refuse: the console looks at the fingerprint by itself, and warns.
    Watched,
}

/// The name under which a pinned key stands in its file, whatever the host is called.
pub const PINNED_NAME: &str = "breakglass-pinned";

/// The exit code by which `ssh` says that it failed itself.
pub const SSH_FAILED: i32 = 255;

impl Ssh {
    /// A host; `config` is a file for `ssh -F`.
    pub fn new(destination: String, config: Option<PathBuf>, host_key: HostKey) -> Self {
        Ssh { destination, config, host_key, identity_agent: None }
    }

    /// What is done about its host key.
    pub fn host_key(&self) -> &HostKey {
        &self.host_key
    }

    /// The same host, held to its key in another way.
    pub fn with_host_key(self, host_key: HostKey) -> Self {
        Ssh { host_key, ..self }
    }

    /// What is reached: a host, `user@host`, or an alias of the configuration file.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// The same host, with the key that this ssh-agent holds.
    pub fn with_identity_agent(self, socket: PathBuf) -> Self {
        Ssh { identity_agent: Some(socket), ..self }
    }

    /// The options with which it is reached, whoever goes there.
    pub fn options(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let option = |args: &mut Vec<OsString>, text: String| args.extend(["-o".into(), text.into()]);
        if let Some(config) = &self.config {
            args.extend(["-F".into(), config.into()]);
        }
        // Options of the command line stand over those of a configuration file.
        match &self.host_key {
            HostKey::Configured => {}
            HostKey::Pinned(file) => {
                option(&mut args, format!("UserKnownHostsFile=\"{}\"", file.display()));
                option(&mut args, format!("HostKeyAlias={PINNED_NAME}"));
                for text in ["StrictHostKeyChecking=accept-new", "GlobalKnownHostsFile=/dev/null"] {
                    option(&mut args, text.into());
                }
                for text in ["UpdateHostKeys=no", "CheckHostIP=no", "HashKnownHosts=no"] {
                    option(&mut args, text.into());
                }
            }
            // Without a file to compare with, ssh says of every connection that it added a key, unless it is told to
            // say errors alone.
            HostKey::Watched => {
                for text in ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"] {
                    option(&mut args, text.into());
                }
                for text in ["GlobalKnownHostsFile=/dev/null", "LogLevel=ERROR"] {
                    option(&mut args, text.into());
                }
            }
        }
        // Never a question, never a terminal, never a door back; a dead link is noticed within half a minute.
        for text in ["BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=10", "ServerAliveCountMax=3"] {
            option(&mut args, text.into());
        }
        if let Some(socket) = &self.identity_agent {
            option(&mut args, format!("IdentityAgent=\"{}\"", socket.display()));
        }
        args.extend(["-T", "-a", "-x"].map(OsString::from));
        args
    }

    /// The argv that runs `command` there. `ssh` hands it to the login shell of the other side, which is the only
    /// shell that sees it.
    pub fn argv(&self, command: &str, held_stdin: bool) -> Argv {
        let mut args = self.options();
        if !held_stdin {
            args.push("-n".into());
        }
        args.extend(["--".into(), self.destination.clone().into(), command.into()]);
        Argv { program: "ssh".into(), args, env: Vec::new(), held_stdin }
    }
}

/// What `ssh` says when it ends before anything was run on the other side. After OpenSSH's own fatal messages in
/// `sshconnect.c`, `sshconnect2.c`, `kex.c`, `packet.c` and `readconf.c`, which have read so for many years. A mere
/// warning, after which it may go on, is not among them.
const BEFORE_ANYTHING: [&str; 12] = [
    "ssh: connect to host ",
    "ssh: Could not resolve hostname ",
    "Permission denied (",
    "Host key verification failed",
    "kex_exchange_identification",
    "Connection timed out during banner exchange",
    "Unable to negotiate with ",
    "Too many authentication failures",
    "Bad configuration option",
    "Can't open user config file",
    "Bad owner or permissions on ",
    "hostname contains invalid characters",
];

/// Why nothing was run on the other side, if that is certain: `ssh` failed by itself, nothing came back, and it said
/// one of the things that it says only when it ends before it sends a command, as its last words (a second line may
/// follow). Anything else may have run.
pub fn never_sent(exit_code: i32, stdout: &str, stderr: &str) -> Option<String> {
    if exit_code != SSH_FAILED || !stdout.is_empty() {
        return None;
    }
    let mut last_words = stderr.lines().rev().filter(|line| !line.trim().is_empty()).take(2);
    let certain = last_words.any(|line| BEFORE_ANYTHING.iter().any(|said| line.contains(said)));
    certain.then(|| last_line(stderr))
}

/// The fingerprint of a host key for which `ssh` would not go on, because another one is pinned.
pub fn other_host_key(stderr: &str) -> Option<String> {
    if !stderr.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return None;
    }
    let fingerprint = |word: &str| word.starts_with("SHA256:").then(|| word.trim_end_matches('.').to_owned());
    stderr.split_whitespace().find_map(fingerprint)
}

/// True when somebody answered and would not let us in, or was not who we expected.
pub fn was_answered(why: &str) -> bool {
    ["Permission denied", "Host key verification failed", "Too many authentication failures", "Unable to negotiate"]
        .iter()
        .any(|said| why.contains(said))
}

/// The last line that says something, for a person.
pub fn last_line(stderr: &str) -> String {
    stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("ssh said nothing").to_owned()
}

/// Quotes a text so that a POSIX shell takes it as one word.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_command_follows_the_destination() {
        let argv =
            Ssh::new("root@pve".into(), None, HostKey::Pinned("/data/pve_host_key".into())).argv("status", false);
        let args: Vec<_> = argv.args.iter().map(|arg| arg.to_str().unwrap()).collect();
        assert_eq!(args[args.len() - 3..], ["--", "root@pve", "status"]);
        assert!(args.contains(&"BatchMode=yes") && args.contains(&"ConnectTimeout=10"));
    }

    #[test]
    fn a_lost_connection_is_not_taken_for_one_that_never_was() {
        let refused = "ssh: connect to host pve port 22: Connection refused\n";
        assert!(never_sent(255, "", refused).is_some());
        assert!(never_sent(255, "cycle: stopping", refused).is_none());
        assert!(never_sent(1, "", refused).is_none());
        for lost in [
            "Connection to pve closed by remote host.\n",
            "client_loop: send disconnect: Broken pipe\n",
            "no such identity: /root/.ssh/old: No such file or directory\n",
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n",
            "",
        ] {
            assert!(never_sent(255, "", lost).is_none(), "{lost}");
        }
    }

    #[test]
    fn the_key_that_was_refused_is_named() {
        let stderr = "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n\
                      The fingerprint for the ED25519 key sent by the remote host is\n\
                      SHA256:0n1wfjqFRJg64AoZkb7a9RTyjZJrR3x2qFmJ5RhHvCM.\n\
                      Host key verification failed.\n";
        assert_eq!(other_host_key(stderr).as_deref(), Some("SHA256:0n1wfjqFRJg64AoZkb7a9RTyjZJrR3x2qFmJ5RhHvCM"));
        assert!(never_sent(255, "", stderr).is_some());
        assert_eq!(other_host_key("Host key verification failed.\n"), None);
    }

    #[test]
    fn a_quoted_text_is_one_word() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
