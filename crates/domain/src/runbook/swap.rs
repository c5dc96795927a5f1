//! Reads swap: its areas, its traffic, and who is swapped out. A full swap is no trouble in itself; steady traffic is.

use super::{Severity, figures, finding::Account, sections::Sections};

/// Between the two readings of the counters, by the command.
const SECONDS: u64 = 3;

pub(super) fn read(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let areas = output.get("areas").ok_or_else(|| output.unreadable())?;
    let header = areas.first().is_some_and(|line| line.trim_start().starts_with("Filename"));
    let rows: Vec<(u64, u64)> = areas.iter().skip(1).filter_map(|line| area(line)).collect();
    let (all, used) =
        rows.iter().fold((0_u64, 0_u64), |sum, row| (sum.0.saturating_add(row.0), sum.1.saturating_add(row.1)));
    if !header {
        account.gap("the swap areas could not be read");
    } else if all == 0 {
        account.find(Severity::Note, "no swap is set up: when memory ends, the OOM killer decides".to_owned());
    } else {
        let percent = figures::percent(used, all);
        // How full it is, memory's own rule judges; here it says who is in it.
        if percent >= 20 {
            account.find(
                Severity::Note,
                format!(
                    "swap {percent} % used: {} of {}{}",
                    figures::size(used),
                    figures::size(all),
                    swapped_out(output)
                ),
            );
        }
    }
    match (traffic(output), header) {
        (Some((inward, outward)), _) => {
            let both = inward.saturating_add(outward);
            let severity = match both {
                20_480.. => Severity::Critical,
                1_024.. => Severity::Warning,
                _ => return Ok(()),
            };
            account.advise(
                severity,
                format!(
                    "swapping {} a second in and {} out: the target spends its time moving memory",
                    figures::size(inward),
                    figures::size(outward)
                ),
                "stop or restart what holds most memory; everything else waits for it",
            );
            Ok(())
        }
        (None, true) => {
            account.gap("swap traffic could not be measured");
            Ok(())
        }
        (None, false) => {
            account.gaps.clear();
            Err(output.unreadable())
        }
    }
}

/// A row of `/proc/swaps`: name, type, size, used, priority; both in kB. Returns size and used.
fn area(line: &str) -> Option<(u64, u64)> {
    let mut from_end = line.split_whitespace().rev().skip(1);
    let used = figures::number(from_end.next()?)? as u64;
    let size = figures::number(from_end.next()?)? as u64;
    Some((size, used))
}

/// Swapped in and out, in kB a second.
fn traffic(output: &Sections<'_>) -> Option<(u64, u64)> {
    let page = output
        .first("pagesize")
        .and_then(figures::number)
        .filter(|bytes| *bytes >= 1_024.0)
        .map_or(4, |bytes| bytes as u64 / 1_024);
    let counter = |section: &str, name: &str| {
        output.get(section)?.iter().find_map(|line| figures::number(line.strip_prefix(name)?)).map(|pages| pages as u64)
    };
    let rate = |name: &str| {
        let pages = counter("after", name)?.saturating_sub(counter("before", name)?);
        Some(pages.saturating_mul(page) / SECONDS)
    };
    Some((rate("pswpin")?, rate("pswpout")?))
}

fn swapped_out(output: &Sections<'_>) -> String {
    let names: Vec<String> = output
        .get("swapped")
        .unwrap_or_default()
        .iter()
        .filter_map(|line| {
            let (kib, name) = line.trim().split_once(' ')?;
            Some(format!("{} {}", figures::plain(name, 32), figures::size(figures::number(kib)? as u64)))
        })
        .take(3)
        .collect();
    if names.is_empty() { String::new() } else { format!("; most of it: {}", names.join(", ")) }
}
