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
    /// Whether ssh says whom it meets on its way.
    tells: bool,
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
        Ssh { destination, config, host_key, identity_agent: None, tells: false }
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

    /// The same host, for a look: ssh says on its standard error whom it meets (see [`Met`]), and gives up sooner.
    pub fn that_tells(&self) -> Self {
        Ssh { tells: true, ..self.clone() }
    }

    /// The options with which it is reached, whoever goes there.
    pub fn options(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = Vec::new();
        let option = |args: &mut Vec<OsString>, text: String| args.extend(["-o".into(), text.into()]);
        // Of options that are given twice the first counts, so these stand before all others.
        if self.tells {
            for text in ["LogLevel=DEBUG1", "ConnectTimeout=5", "ServerAliveInterval=3", "ServerAliveCountMax=2"] {
                option(&mut args, text.into());
            }
        }
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

/// Whom ssh met on its way, out of what it says of itself at `LogLevel=DEBUG1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// As what the server named itself in its banner, such as `OpenSSH_9.2p1`.
    pub software: Option<String>,
    /// The fingerprint of its host key, as `SHA256:…`.
    pub fingerprint: Option<String>,
}

impl Met {
    /// Reads standard error, and gives what is left of it without what was only told. Where jump hosts tell too, the last
    /// host counts; after the command was sent, what stands there may be the command's own words.
    pub fn of(stderr: &str) -> (Self, String) {
        let (mut met, mut rest, mut sent) = (Met::default(), String::new(), false);
        for line in stderr.lines().map(str::trim_end) {
            let Some(told) = line.strip_prefix("debug1: ") else {
                if !line.starts_with("Authenticated to ") && !line.starts_with("Transferred: ") {
                    rest.push_str(line);
                    rest.push('\n');
                }
                continue;
            };
            sent |= told.starts_with("Sending command: ");
            if sent {
                continue;
            }
            if let Some((_, software)) = told.split_once("remote software version ") {
                met = Met { software: Some(software.trim().to_owned()), fingerprint: None };
            } else if let Some(key) = told.strip_prefix("Server host key: ") {
                met.fingerprint = key.split_whitespace().nth(1).map(str::to_owned);
            }
        }
        (met, rest)
    }
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
    fn what_ssh_tells_at_a_look_names_the_last_host_and_leaves_its_errors() {
        let told = "debug1: Connecting to jump [10.0.0.1] port 22.\r\n\
            debug1: Remote protocol version 2.0, remote software version OpenSSH_8.4p1\r\n\
            debug1: Server host key: ssh-ed25519 SHA256:jump\r\n\
            debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1 Debian-2\r\n\
            debug1: Server host key: ssh-ed25519 SHA256:target\r\n\
            Authenticated to devvm ([10.0.0.5]:22) using \"publickey\".\r\n\
            debug1: Sending command: exec true\r\n\
            debug1: Server host key: ssh-ed25519 SHA256:forged\r\n\
            Connection to devvm closed by remote host.\r\n\
            debug1: Exit status -1\r\n";
        let (met, rest) = Met::of(told);
        assert_eq!(met.software.as_deref(), Some("OpenSSH_9.2p1 Debian-2"));
        assert_eq!(met.fingerprint.as_deref(), Some("SHA256:target"));
        assert_eq!(rest, "Connection to devvm closed by remote host.\n");
        let (met, rest) = Met::of("debug1: x\r\nssh: connect to host devvm port 22: Connection refused\r\n");
        assert_eq!(met, Met::default());
        assert!(never_sent(255, "", &rest).is_some());
    }

    #[test]
    fn the_options_of_a_look_stand_before_those_of_a_watched_key() {
        let ssh = Ssh::new("devvm".into(), None, HostKey::Watched).that_tells();
        let args: Vec<_> = ssh.options().into_iter().map(|arg| arg.into_string().unwrap()).collect();
        let place = |wanted: &str| args.iter().position(|arg| arg == wanted).unwrap();
        assert!(place("LogLevel=DEBUG1") < place("LogLevel=ERROR"));
        assert!(place("ConnectTimeout=5") < place("ConnectTimeout=10"));
    }

    #[test]
    fn a_quoted_text_is_one_word() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
