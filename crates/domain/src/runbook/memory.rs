//! Reads memory: what is available, what waits for it, who holds it.

use super::{Severity, figures, finding::Account, sections::Sections};

/// `/proc/meminfo`, in kB. What counts is MemAvailable: free memory is near nothing on every healthy machine.
pub(super) fn read(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let value = |name: &str| {
        output.get("meminfo")?.iter().find_map(|line| {
            let (key, rest) = line.split_once(':')?;
            (key.trim() == name).then(|| figures::number(rest))?.map(|kib| kib as u64)
        })
    };
    let total = value("MemTotal").filter(|total| *total > 0).ok_or_else(|| output.unreadable())?;
    // Kernels before 3.14 have no MemAvailable; what they could free is then an estimate.
    let estimate = || Some(value("MemFree")? + value("Buffers").unwrap_or(0) + value("Cached").unwrap_or(0));
    let exact = value("MemAvailable");
    let available = exact.or_else(estimate).ok_or_else(|| output.unreadable())?;

    let swap = match (value("SwapTotal"), value("SwapFree")) {
        (Some(0), _) => "no swap".to_owned(),
        (Some(all), Some(free)) => {
            format!("swap {} % used of {}", figures::percent(all.saturating_sub(free), all), figures::size(all))
        }
        _ => "swap unknown".to_owned(),
    };
    let percent = figures::percent(available, total);
    let severity = judge(available, total);
    if let Some(severity) = severity {
        let about = if exact.is_some() { "" } else { "about " };
        let (left, all) = (figures::size(available), figures::size(total));
        account
            .find(severity, format!("memory nearly used up: {about}{left} available of {all} ({percent} %), {swap}"));
    }
    if let (Some(all @ 1..), Some(free)) = (value("SwapTotal"), value("SwapFree")) {
        let used = figures::percent(all.saturating_sub(free), all);
        if used >= 80 && severity.is_none() {
            account.find(
                Severity::Warning,
                format!("swap {used} % used: {} left of {}", figures::size(free), figures::size(all)),
            );
        }
    }
    let mut held = |kib: Option<u64>, from: u64, what: &str| {
        if let Some(kib) = kib.filter(|kib| figures::percent(*kib, total) >= from) {
            let share = figures::percent(kib, total);
            account.find(Severity::Warning, format!("{} ({share} % of memory) {what}", figures::size(kib)));
        }
    };
    held(value("SUnreclaim"), 25, "held by the kernel itself (slab): a leak there ends only with a reboot");
    held(value("Shmem"), 40, "held in shared memory and tmpfs files");
    let pages = value("HugePages_Total").unwrap_or(0).checked_mul(value("Hugepagesize").unwrap_or(0));
    held(pages, 50, "reserved as huge pages, which other programs cannot use");
    Ok(())
}

/// How bad it is that so much of all memory is available; nothing where it is well.
pub(crate) fn judge(available: u64, total: u64) -> Option<Severity> {
    match figures::percent(available, total) {
        0..=4 => Some(Severity::Critical),
        5..=9 => Some(Severity::Warning),
        _ => None,
    }
}

/// `/proc/pressure/*`: the share of time in which some (or all: full) tasks waited, in per cent.
pub(super) fn read_pressure(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let mut any = false;
    for (kind, word, line, warning, critical) in [
        ("memory", "memory", "full", 5.0, 25.0),
        ("io", "disks", "full", 30.0, 70.0),
        ("cpu", "a CPU", "some", 60.0, 95.0),
    ] {
        let lines = output.get(kind).unwrap_or_default();
        let Some((ten, sixty)) = lines.iter().find_map(|text| averages(text, line)) else {
            if output.get(kind).is_some() {
                account.gap(format!("pressure of {kind} is not to be had on this kernel"));
            }
            continue;
        };
        any = true;
        let who = if line == "full" { "all work" } else { "some work" };
        if sixty >= warning || ten >= critical {
            let severity = if sixty >= critical { Severity::Critical } else { Severity::Warning };
            account.find(
                severity,
                format!("{who} waited for {word} {sixty:.0} % of the last minute ({ten:.0} % of the last 10 s)"),
            );
        }
    }
    if any {
        return Ok(());
    }
    account.gaps.clear();
    if output.whole().contains("/proc/pressure") {
        return Err("this kernel does not tell (no /proc/pressure)".to_owned());
    }
    Err(output.unreadable())
}

/// `full avg10=0.00 avg60=0.00 avg300=0.00 total=0`: the averages over 10 s and 60 s.
fn averages(text: &str, kind: &str) -> Option<(f64, f64)> {
    let rest = text.trim().strip_prefix(kind)?;
    let value = |name: &str| rest.split_whitespace().find_map(|word| figures::number(word.strip_prefix(name)?));
    Some((value("avg10=")?, value("avg60=")?))
}

/// The largest processes, single and by name. Sums count pages that processes share once for each of them.
pub(super) fn read_largest(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let total = output.whole().lines().find_map(|line| line.trim().strip_prefix("MemTotal:")).and_then(figures::number);
    let total = total.unwrap_or(0.0) as u64;
    let largest: Vec<(u64, String, &str)> = output
        .get("largest")
        .unwrap_or_default()
        .iter()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (kib, pid) = (figures::number(words.next()?)? as u64, words.next()?);
            pid.parse::<u32>().ok()?;
            let name = words.skip(1).collect::<Vec<_>>().join(" ");
            (!name.is_empty()).then(|| (kib, figures::plain(&name, 32), pid))
        })
        .collect();
    let Some((first, name, pid)) = largest.first() else {
        return Err(output.unreadable());
    };
    let share = figures::percent(*first, total);
    let most = format!("{name} (pid {pid}) holds {}, {share} % of memory", figures::size(*first));
    if total > 0 && share >= 50 {
        account.advise(
            Severity::Warning,
            most,
            format!("restarting the service of {name} frees most memory: `!systemctl status {pid}` says which it is"),
        );
    } else {
        let others: Vec<String> = largest
            .iter()
            .take(4)
            .map(|(kib, name, pid)| format!("{name} (pid {pid}) {}", figures::size(*kib)))
            .collect();
        account.find(Severity::Note, format!("largest processes: {}", others.join(", ")));
    }
    for line in output.get("together").unwrap_or_default() {
        let mut words = line.split_whitespace();
        let (Some(kib), Some(number)) =
            (words.next().and_then(figures::number), words.next().and_then(figures::number))
        else {
            continue;
        };
        let name = figures::plain(&words.collect::<Vec<_>>().join(" "), 32);
        let share = figures::percent(kib as u64, total);
        if number >= 10.0 && total > 0 && share >= 30 {
            let together = figures::size(kib as u64);
            account.find(Severity::Warning, format!("{number:.0} processes {name} hold {together} together, {share} % of memory (shared pages counted for each)"));
        }
    }
    Ok(())
}
