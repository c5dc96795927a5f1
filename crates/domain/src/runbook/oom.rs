//! Reads what the OOM killer took: names from the kernel log, their number from the kernel's own counter, times only where
//! the log has them.

use super::{
    Severity,
    figures::{self, Clock},
    finding::Account,
    sections::Sections,
};

/// The command keeps so many lines; with as many, there may have been more.
const MOST_LINES: usize = 50;

pub(super) fn read(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let counter = output
        .get("counter")
        .and_then(|lines| lines.iter().find_map(|line| figures::number(line.strip_prefix("oom_kill ")?)))
        .map(|number| number as u64);
    let readable = output.first("source").is_some_and(|source| source.trim() != "false");
    let lines = output.get("kills").unwrap_or_default();
    if readable {
        let clock = Clock::of(output.get("now").unwrap_or_default());
        if let Some((severity, text)) = kills(lines, &clock) {
            let more = if lines.len() >= MOST_LINES { ", or more: the log was read only so far" } else { "" };
            let boot = counter
                .filter(|number| *number > 0)
                .map(|number| format!(" ({} since boot)", figures::count(number, "kill")))
                .unwrap_or_default();
            account.find(severity, format!("{text}{more}{boot}"));
        } else if let Some(number @ 1..) = counter {
            account.find(
                Severity::Warning,
                format!("the OOM killer took {} since boot; their names are no longer in the log", processes(number)),
            );
        }
    } else {
        match counter {
            Some(0) => {}
            Some(number) => {
                account.find(Severity::Warning, format!("the OOM killer took {} since boot", processes(number)));
                account.gap("the kernel log, which has their names and times, may not be read");
            }
            None => return Err("neither the kernel log nor the kernel's counter of kills could be read".to_owned()),
        }
    }
    for line in output.get("oomd").unwrap_or_default().iter().rev().take(1) {
        account.find(Severity::Warning, format!("a memory guard killed too: {}", figures::plain(line, 200)));
    }
    Ok(())
}

/// How bad the kills in those lines of a kernel log are, and which: those of the last hour if there are any, else those
/// of the last day, else all.
pub(super) fn kills(lines: &[&str], clock: &Clock) -> Option<(Severity, String)> {
    let all: Vec<Kill> = lines.iter().rev().take(1_000).filter_map(|line| Kill::of(line, clock)).collect();
    let within =
        |seconds: u64| -> Vec<&Kill> { all.iter().filter(|kill| kill.age.is_some_and(|age| age <= seconds)).collect() };
    let (hour, day) = (within(3_600), within(86_400));
    let newest = all.iter().filter_map(|kill| kill.age).min();
    let (severity, kills, when) = match (hour.is_empty(), day.is_empty(), newest) {
        (false, _, _) => (Severity::Critical, hour, " in the last hour".to_owned()),
        (true, false, _) => (Severity::Warning, day, " in the last 24 h".to_owned()),
        (true, true, Some(age)) => (Severity::Note, all.iter().collect(), format!(", last {} ago", figures::span(age))),
        (true, true, None) => (Severity::Warning, all.iter().collect(), "; when, the log does not say".to_owned()),
    };
    let mut names: Vec<(&str, usize)> = Vec::new();
    for kill in &kills {
        match names.iter_mut().find(|(name, _)| *name == kill.name) {
            Some((_, number)) => *number += 1,
            None => names.push((&kill.name, 1)),
        }
    }
    names.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let taken: Vec<String> = names.iter().map(|(name, number)| format!("{name} {}", figures::times(*number))).collect();
    let limit = if !kills.is_empty() && kills.iter().all(|kill| kill.in_cgroup) {
        " (at the memory limit of a container or service, not of the machine)"
    } else {
        ""
    };
    (!taken.is_empty()).then(|| (severity, format!("OOM killer took {}{when}{limit}", figures::list(&taken, 4))))
}

struct Kill {
    name: String,
    age: Option<u64>,
    in_cgroup: bool,
}

impl Kill {
    /// `… Killed process 812 (postgres) total-vm:…`. Older kernels announce it with a line `Kill process`, and newer ones
    /// repeat it as `oom-kill:` and `oom_reaper:`; only this one is a kill.
    fn of(line: &str, clock: &Clock) -> Option<Self> {
        let rest = line.split_once("Killed process ")?.1;
        let (pid, rest) = rest.split_once(" (")?;
        pid.trim().trim_end_matches(',').parse::<u32>().ok()?;
        let end =
            [") total-vm", "), UID", "),"].into_iter().find_map(|end| rest.find(end)).or_else(|| rest.rfind(')'))?;
        let name = figures::plain(&rest[..end], 32);
        (!name.is_empty()).then(|| Self {
            name,
            age: clock.age(line),
            in_cgroup: line.contains("Memory cgroup out of memory"),
        })
    }
}

fn processes(number: u64) -> String {
    if number == 1 { "1 process".to_owned() } else { format!("{number} processes") }
}
