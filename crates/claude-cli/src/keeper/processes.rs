//! The processes of this machine, as `/proc` tells of them: who is below whom, and who carries a mark.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::wire::Process;

/// How much of a command line is told, in characters.
const COMMAND: usize = 200;

/// All processes below `root`, at any depth, but not `keep`. Zombies are gone as far as anybody is concerned.
pub(super) fn below(root: i32, keep: Option<i32>) -> Vec<Process> {
    let parents: HashMap<i32, i32> = pids().filter_map(|pid| Some((pid, living_parent(pid)?))).collect();
    let is_below = |pid: i32| {
        let mut above = pid;
        // A process that is born while this is read may point anywhere; no chain is longer than the table.
        for _ in 0..=parents.len() {
            match parents.get(&above) {
                Some(parent) if *parent == root => return true,
                Some(parent) => above = *parent,
                None => return false,
            }
        }
        false
    };
    let mut below: Vec<_> =
        parents.keys().copied().filter(|pid| Some(*pid) != keep && is_below(*pid)).map(described).collect();
    below.sort_by_key(|process| process.pid);
    below
}

/// The processes in whose environment `name=value` stands, but not this one.
pub fn marked(name: &str, value: &str) -> Vec<Process> {
    let mark = format!("{name}={value}").into_bytes();
    let own = nix::unistd::getpid().as_raw();
    let carries = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark)
    };
    pids().filter(|pid| *pid != own && living_parent(*pid).is_some()).filter(carries).map(described).collect()
}

/// Ends what carries a mark: asks, waits up to `grace`, then kills. What a program that was killed itself has left behind
/// is found so, unless it has cleared its environment. Gives what was found. It blocks.
pub fn end_marked(name: &str, value: &str, grace: Duration) -> Vec<Process> {
    let found = marked(name, value);
    for (signal, patience) in [(Signal::SIGTERM, grace), (Signal::SIGKILL, grace)] {
        let deadline = Instant::now() + patience;
        loop {
            let left = marked(name, value);
            if left.is_empty() {
                return found;
            }
            for process in left {
                let _ = kill(Pid::from_raw(process.pid), signal);
            }
            if Instant::now() > deadline {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
    found
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The parent of a process that is not a zombie. After `proc_pid_stat(5)`: the name stands in parentheses and may hold any,
/// so that state and parent are what follows the last one.
fn living_parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(parent)
}

fn described(pid: i32) -> Process {
    let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let mut line = read("cmdline");
    if line.is_empty() {
        line = read("comm");
    }
    let words = String::from_utf8_lossy(&line).replace(['\0', '\n'], " ");
    Process { pid, command: words.trim().chars().take(COMMAND).collect() }
}
