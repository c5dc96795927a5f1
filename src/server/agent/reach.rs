//! The agent's reach: a folder of ours in front of its PATH, with an `ssh` that knows two hosts. `ssh devvm …` goes to the
//! target with the console's own SSH configuration; `ssh pve VERB` goes to the console, with a token that lives as long as
//! the turn. What that `ssh` needs to know stands in a file of the session's folder, and is written anew for every turn.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use domain::ids::SessionId;
use serde::{Deserialize, Serialize};

use crate::server::{auth::agents::TurnToken, ssh::Ssh, target::Target};

/// The variable that names the turn's file.
pub const TURN_FILE: &str = "BREAKGLASS_TURN_FILE";
/// The mark that commands of a turn carry on the target.
pub const TURN_MARK: &str = "BREAKGLASS_TURN";
/// The mark that all processes of a session's agent carry.
pub const SESSION_MARK: &str = "BREAKGLASS_SESSION";
/// The mark that all processes of this console's agents carry.
pub const CONSOLE_MARK: &str = "BREAKGLASS_CONSOLE";

/// What the agent's `ssh` has to know of the turn.
#[derive(Serialize, Deserialize)]
pub struct TurnFile {
    /// Where the console answers, such as `http://127.0.0.1:8080`.
    pub console: String,
    /// What it shows there.
    pub token: String,
    /// By which the turn's commands are found on the target.
    pub mark: String,
    /// The names by which the target may be called.
    pub target_names: Vec<String>,
    /// How the target is reached.
    pub target: Reached,
    /// The agent's `PATH` without our folder, in which the real `ssh` is looked for.
    pub path: String,
}

/// How the target is reached.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// It is this machine: practice mode.
    Here,
    /// Over ssh, with these arguments and to this destination.
    Ssh { args: Vec<String>, destination: String },
    /// None is configured.
    Nowhere,
}

/// What is the same for all turns of a console.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The folder in front of the PATH.
    pub bin: PathBuf,
    /// Where the console answers on this machine.
    pub console: String,
    pub target: Target,
    pub target_name: String,
    /// The agent's own `PATH`.
    pub path: String,
}

impl Reach {
    /// Puts our `ssh` where the agent finds it first. What is there already stays, so that a full disk is no reason to fail.
    pub fn prepare(&self, program: &Path) -> std::io::Result<()> {
        let wrong = |words: &str| std::io::Error::new(std::io::ErrorKind::InvalidInput, words.to_owned());
        if self.bin.to_string_lossy().contains(':') {
            return Err(wrong(
                "a folder with a colon in its name cannot stand in a PATH: choose another data directory",
            ));
        }
        std::fs::create_dir_all(&self.bin)?;
        let quoted = program.to_string_lossy().replace('\'', r"'\''");
        let script = format!(
            "#!/bin/sh\n# The agent's way out: the target and the console's verbs.\nexec '{quoted}' agent-ssh \"$@\"\n"
        );
        let ssh = self.bin.join("ssh");
        if std::fs::read_to_string(&ssh).ok().as_ref() != Some(&script) {
            let new = self.bin.join("ssh.new");
            std::fs::write(&new, script)?;
            std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o700))?;
            std::fs::rename(&new, &ssh)?;
        }
        // On a filesystem from which nothing may be run, the agent would find the real `ssh` instead, and nobody would know.
        let runs = nix::unistd::access(&ssh, nix::unistd::AccessFlags::X_OK);
        runs.map_err(|_| wrong("nothing may be run from there (noexec): choose another data directory"))
    }

    /// The `PATH` that the agent gets.
    pub fn path(&self) -> String {
        format!("{}:{}", self.bin.display(), self.path)
    }

    /// Writes a turn's file. Nobody but this user can read it.
    pub fn begin(&self, folder: &Path, token: &TurnToken, mark: &str) -> std::io::Result<()> {
        let target = match &self.target {
            Target::ThisMachine => Reached::Here,
            Target::Ssh(ssh) => reached(ssh),
            Target::Unconfigured => Reached::Nowhere,
        };
        let file = TurnFile {
            console: self.console.clone(),
            token: token.secret.expose().to_owned(),
            mark: mark.to_owned(),
            target_names: vec!["devvm".into(), self.target_name.clone()],
            target,
            path: self.path.clone(),
        };
        std::fs::create_dir_all(folder.join(".breakglass"))?;
        let _ = std::fs::remove_file(went_there(folder));
        let new = turn_file(folder).with_extension("new");
        write_anew(&new, serde_json::to_string(&file)?.as_bytes())?;
        std::fs::rename(new, turn_file(folder))
    }

    /// Takes a turn's file away. True when the turn has run something on the target.
    pub fn end(folder: &Path) -> bool {
        let _ = std::fs::remove_file(turn_file(folder));
        std::fs::remove_file(went_there(folder)).is_ok()
    }
}

/// Writes a file where the agent may have left anything: it is made anew, for a pipe or a link that stands there would
/// hold us or lead us away. Nobody but this user can read it.
pub(super) fn write_anew(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

/// The working directory of a session's agent, made when it is not there.
pub fn session_dir(sessions_dir: &Path, session: &SessionId) -> std::io::Result<PathBuf> {
    let folder = sessions_dir.join(session.as_str());
    std::fs::create_dir_all(&folder)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700))?;
    Ok(folder)
}

/// Where a session's turn file is.
pub fn turn_file(folder: &Path) -> PathBuf {
    folder.join(".breakglass").join("turn.json")
}

/// The file that says that this turn has run something on the target.
pub fn went_there(folder: &Path) -> PathBuf {
    folder.join(".breakglass").join("went-there")
}

fn reached(ssh: &Ssh) -> Reached {
    let args = ssh.options().into_iter().map(|option| option.to_string_lossy().into_owned()).collect();
    Reached::Ssh { args, destination: ssh.destination().to_owned() }
}

/// The command that names what carries a turn's mark on the target: one line per process, its id and its command line.
pub fn look_for(mark: &str) -> String {
    format!(
        "for f in $(grep -lszx {TURN_MARK}={mark} /proc/[0-9]*/environ); do p=${{f%/environ}}; \
         echo \"$(tr '\\0' ' ' <$p/cmdline) (${{p#/proc/}})\"; done 2>/dev/null"
    )
}
