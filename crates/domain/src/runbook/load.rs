//! Reads load for the number of CPUs, uptime, the clock, limits of processes and files, blocked processes and zombies.

use super::{Severity, figures, finding::Account, sections::Sections};

/// A target that started so recently may have been restarted by somebody, or by itself.
const RECENT_START: f64 = 900.0;
/// Before this year no target of this program was set up; a clock that says so has lost its time.
const FIRST_SOUND_YEAR: u32 = 2025;

pub(super) fn read(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let parts = [
        load(output, account),
        uptime(output, account),
        clock(output, account),
        limits(output, account),
        blocked(output, account),
        processes(output, account),
    ];
    if parts.iter().all(Option::is_none) {
        return Err(output.unreadable());
    }
    for (part, name) in parts.iter().zip(["load", "uptime", "clock", "limits", "blocked processes", "zombies"]) {
        if part.is_none() {
            account.gap(format!("{name} could not be read"));
        }
    }
    Ok(())
}

fn load(output: &Sections<'_>, account: &mut Account) -> Option<()> {
    let line = output.first("load")?;
    let mut averages = line.split_whitespace().map(figures::number);
    let (one, five, fifteen) = (averages.next()??, averages.next()??, averages.next()??);
    let cpus = output.first("cpus").and_then(figures::number).filter(|cpus| *cpus >= 1.0)?;
    if let Some((severity, text)) = judge([one, five, fifteen], cpus) {
        account.find(severity, text);
    }
    Some(())
}

/// How bad these averages are on so many CPUs, and the words for it; nothing where they are well.
pub(crate) fn judge([one, five, fifteen]: [f64; 3], cpus: f64) -> Option<(Severity, String)> {
    let severity = match (one / cpus, five / cpus) {
        (_, five) if five >= 4.0 => Severity::Critical,
        (one, five) if five >= 1.5 || one >= 3.0 => Severity::Warning,
        _ => return None,
    };
    let course = if one > five * 1.2 {
        ", rising"
    } else if one < five * 0.8 {
        ", falling"
    } else {
        ""
    };
    let cpus = figures::count(cpus as u64, "CPU");
    Some((severity, format!("load {one:.1} on {cpus} (5 min: {five:.1}, 15 min: {fifteen:.1}{course})")))
}

fn uptime(output: &Sections<'_>, account: &mut Account) -> Option<()> {
    let seconds = output.first("uptime").and_then(figures::number)?;
    if seconds < RECENT_START {
        account.find(Severity::Note, format!("the target started {} ago", figures::span(seconds as u64)));
    }
    Some(())
}

fn clock(output: &Sections<'_>, account: &mut Account) -> Option<()> {
    let now = output.first("clock")?;
    figures::timestamp(now)?;
    let year: u32 = now.trim().get(..4)?.parse().ok()?;
    if year < FIRST_SOUND_YEAR {
        account.advise(
            Severity::Warning,
            format!("the clock says {}: certificates and logins fail with it", figures::plain(now, 40)),
            "set the clock: see `!timedatectl` or `!chronyc tracking`",
        );
    }
    Some(())
}

/// `pid_max` and `threads-max` against the number of threads in `/proc/loadavg`; `file-nr` is allocated, free, most.
fn limits(output: &Sections<'_>, account: &mut Account) -> Option<()> {
    let lines = output.get("limits")?;
    let value = |name: &str| lines.iter().find_map(|line| line.split_once(name)?.1.strip_prefix(':'));
    let most_threads =
        ["pid_max", "threads-max"].into_iter().filter_map(|name| figures::number(value(name)?)).reduce(f64::min)?;
    let threads =
        output.first("load").and_then(|line| figures::number(line.split_whitespace().nth(3)?.split_once('/')?.1))?;
    let files: Vec<f64> = value("file-nr").unwrap_or_default().split_whitespace().filter_map(figures::number).collect();
    let mut full = |used: f64, most: f64, noun: &str| {
        let percent = figures::percent(used as u64, most as u64);
        let severity = match percent {
            95.. => Severity::Critical,
            80.. => Severity::Warning,
            _ => return,
        };
        account.find(
            severity,
            format!("{used:.0} of at most {most:.0} {noun} ({percent} %): nothing new can start at the limit"),
        );
    };
    full(threads, most_threads, "threads");
    if let [used, _, most] = files[..] {
        full(used, most, "open files");
    }
    Some(())
}

/// A process that waits for a disk is in state D for an instant; one that still is 2 s later is stuck.
fn blocked(output: &Sections<'_>, account: &mut Account) -> Option<()> {
    let (before, after) = (output.get("blocked")?, output.get("still")?);
    let stuck: Vec<String> = after
        .iter()
        .take(100)
        .filter(|line| before.iter().take(100).any(|earlier| earlier == *line))
        .filter_map(|line| {
            let (pid, name) = line.trim().split_once(' ')?;
            pid.parse::<u32>().ok()?;
            Some(format!("{} (pid {pid})", figures::plain(name, 32)))
        })
        .collect();
    if !stuck.is_empty() {
        let severity = if stuck.len() >= 3 { Severity::Critical } else { Severity::Warning };
        let number = figures::count(stuck.len() as u64, "process").replace("processs", "processes");
        account.find(
            severity,
            format!(
                "{number} blocked in the kernel for 2 s or more (state D: disk or network storage): {}",
                figures::list(&stuck, 5)
            ),
        );
    }
    Some(())
}

fn processes(output: &Sections<'_>, account: &mut Account) -> Option<()> {
    let line = output.first("processes")?;
    let mut numbers = line.split_whitespace().filter_map(figures::number);
    let (all, zombies) = (numbers.next().filter(|all| *all >= 1.0)?, numbers.next()?);
    if zombies >= 50.0 {
        let text = format!("{zombies:.0} zombies among {all:.0} processes: something does not reap its children");
        account.find(if zombies >= 1_000.0 { Severity::Warning } else { Severity::Note }, text);
    }
    Some(())
}
