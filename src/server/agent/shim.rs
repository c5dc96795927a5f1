//! The agent's `ssh`: a program of its own, started from the folder in front of the agent's PATH. It knows two hosts. The
//! target it reaches by the real `ssh`, with the console's options before the agent's; `pve` is no host but the console,
//! which is asked to run a verb. Everything else it refuses.
//!
//! It trusts nothing that it is given but the turn's file: what stands behind `pve` is one of six words or nothing.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use domain::verb::Verb;

use super::reach::{Reached, TURN_MARK, TurnFile, went_there};
use crate::server::{
    ssh::{SSH_FAILED, quoted},
    verb_client,
};

/// Options of `ssh` that take a value, after `ssh(1)`.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// What the agent has typed.
#[derive(Debug, PartialEq, Eq)]
struct Typed {
    /// Options, as they were given.
    options: Vec<String>,
    /// `user@host` or `host`.
    destination: String,
    /// What follows; empty for a shell.
    command: Vec<String>,
}

/// Is the agent's `ssh`. `folder` is the session's, from the turn file's place.
pub fn run(turn: &Path, args: Vec<OsString>) -> ExitCode {
    match try_run(turn, args) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("ssh: {why}");
            ExitCode::from(u8::try_from(SSH_FAILED).unwrap_or(u8::MAX))
        }
    }
}

fn try_run(turn: &Path, args: Vec<OsString>) -> Result<ExitCode, String> {
    let args = args.into_iter().map(|arg| arg.into_string().map_err(|_| "an argument is no utf-8".to_owned()));
    let typed = parsed(args.collect::<Result<_, _>>()?)?;
    let no_turn = |_| "no turn of the console's runs here: this works in an agent's turn only".to_owned();
    let text = std::fs::read_to_string(turn).map_err(no_turn)?;
    let file: TurnFile = serde_json::from_str(&text).map_err(|error| format!("the turn's file is wrong: {error}"))?;
    let (user, host) = match typed.destination.rsplit_once('@') {
        Some((user, host)) => (Some(user.to_owned()), host),
        None => (None, typed.destination.as_str()),
    };
    if host == "pve" {
        return pve(&file, &typed);
    }
    if !file.target_names.iter().any(|name| name == host) {
        return Err(format!("{host} is not reached from here: there are devvm, the target, and `pve VERB`"));
    }
    if let Some(folder) = turn.parent().and_then(Path::parent) {
        // It says no more than that there may be something to look for.
        let _ = std::fs::write(went_there(folder), "");
    }
    Err(target(&file, user, &typed))
}

/// Becomes what reaches the target. Gives the reason when it cannot.
#[expect(clippy::disallowed_methods, reason = "it becomes the command, in place: there is no child to reap")]
fn target(file: &TurnFile, user: Option<String>, typed: &Typed) -> String {
    let marked = |shell: &str| match typed.command.is_empty() {
        true => format!("exec env {TURN_MARK}={} {shell}", file.mark),
        false => format!("exec env {TURN_MARK}={} {shell} -c {}", file.mark, quoted(&typed.command.join(" "))),
    };
    let mut command = match &file.target {
        Reached::Nowhere => return "no target is configured on this console".into(),
        Reached::Here => {
            let mut shell = Command::new("sh");
            shell.args(["-c", &marked("sh")]);
            shell
        }
        Reached::Ssh { args, destination } => {
            let mut ssh = Command::new(real_ssh(&file.path));
            ssh.args(args).args(&typed.options);
            if let Some(user) = user {
                ssh.args(["-l", &user]);
            }
            // The login shell sees one line that any of them understands, and runs the agent's in the same shell.
            ssh.args(["--", destination, &marked("\"$SHELL\"")]);
            ssh
        }
    };
    command.env("PATH", &file.path).exec().to_string()
}

fn real_ssh(path: &str) -> PathBuf {
    let found = std::env::split_paths(path).map(|folder| folder.join("ssh")).find(|ssh| ssh.is_file());
    found.unwrap_or_else(|| "/usr/bin/ssh".into())
}

fn pve(file: &TurnFile, typed: &Typed) -> Result<ExitCode, String> {
    let words: Vec<_> = typed.command.iter().map(String::as_str).collect();
    let verb = match words[..] {
        [word] => word.parse::<Verb>().ok(),
        _ => None,
    };
    let verb = verb.ok_or_else(|| {
        let verbs = Verb::ALL.map(|verb| verb.to_string()).join(", ");
        format!("pve takes one verb and nothing else: {verbs}")
    })?;
    Ok(verb_client::run(&file.console, &file.token, verb))
}

/// Takes the command line apart as `ssh` does: options, destination, options again, and the rest is the command.
fn parsed(args: Vec<String>) -> Result<Typed, String> {
    let mut typed = Typed { options: Vec::new(), destination: String::new(), command: Vec::new() };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let has_destination = !typed.destination.is_empty();
        if arg == "--" {
            if !has_destination {
                typed.destination = args.next().unwrap_or_default();
            }
            typed.command = args.collect();
            break;
        }
        match arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            Some(letters) => {
                // Letters may stand together; one that takes a value takes the rest, or what follows.
                let takes = letters.find(|letter| WITH_VALUE.contains(letter));
                let value_follows = takes.is_some_and(|at| at + 1 == letters.len());
                typed.options.push(arg.clone());
                if value_follows {
                    typed.options.push(args.next().ok_or_else(|| format!("{arg} needs a value"))?);
                }
            }
            None if !has_destination => typed.destination = arg,
            None => {
                typed.command = std::iter::once(arg).chain(args).collect();
                break;
            }
        }
    }
    if typed.destination.is_empty() {
        return Err("say where: `ssh devvm 'COMMAND'` or `ssh pve VERB`".into());
    }
    Ok(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &[&str]) -> Typed {
        parsed(line.iter().map(|word| (*word).to_owned()).collect()).unwrap()
    }

    #[test]
    fn a_command_line_is_taken_apart_as_ssh_does() {
        let plain = typed(&["devvm", "uptime", "-p"]);
        assert_eq!((plain.destination.as_str(), plain.command), ("devvm", vec!["uptime".to_owned(), "-p".into()]));
        let options = typed(&["-o", "ConnectTimeout=5", "-tt", "-p22", "-l", "root", "devvm", "-v", "ls -l"]);
        assert_eq!(options.options, ["-o", "ConnectTimeout=5", "-tt", "-p22", "-l", "root", "-v"]);
        assert_eq!((options.destination.as_str(), options.command), ("devvm", vec!["ls -l".to_owned()]));
        assert_eq!(typed(&["--", "devvm", "-x"]).command, ["-x"]);
        assert!(typed(&["devvm"]).command.is_empty());
    }

    #[test]
    fn a_line_without_a_host_says_what_to_type() {
        assert!(parsed(vec![]).unwrap_err().contains("ssh devvm"));
        assert!(parsed(vec!["-o".into()]).unwrap_err().contains("needs a value"));
    }
}
