//! Reads what fills a filesystem: the biggest things, what can be cleared, deleted files that are still open.

use super::{Severity, figures, finding::Account, sections::Sections};

const MIB: u64 = 1024;
/// Less than this is not worth a person's while.
const WORTH_CLEARING: u64 = 200 * MIB;

/// The biggest things under the fullest filesystem.
#[derive(Debug)]
pub(super) struct Biggest {
    /// Where that filesystem is mounted.
    pub(super) mount: String,
    /// Size in kB and path, the largest first, none within another.
    things: Vec<(u64, String)>,
    /// Why the walk did not see everything.
    incomplete: Option<String>,
}

impl Biggest {
    /// None if the output is not that of the walk.
    pub(super) fn of(output: &Sections<'_>) -> Option<Self> {
        let mount = figures::plain(output.first("fullest")?.trim(), 80);
        let lines = output.get("biggest")?;
        let all: Vec<(u64, &str)> = lines
            .iter()
            .take(40)
            .filter_map(|line| {
                let (mib, path) = line.split_once(" MB")?;
                Some(((figures::number(mib)? as u64).saturating_mul(MIB), path.trim()))
                    .filter(|(_, path)| path.starts_with('/'))
            })
            .collect();
        let incomplete =
            lines.iter().find_map(|line| line.strip_prefix("incomplete: ")).map(|why| figures::plain(why, 80));
        Some(Self { things: telling(&all, &mount), mount, incomplete })
    }

    /// `/var/log 41 GB, /home 12 GB`; none if nothing large was seen.
    pub(super) fn names(&self) -> Option<String> {
        let names: Vec<String> =
            self.things.iter().take(3).map(|(kib, path)| format!("{path} {}", figures::size(*kib))).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// The paths that say most. A folder is passed over if one thing in it accounts for most of it, and a folder at the top
/// (`/var`, `/home`) also if several do; what lies in one that was chosen is not named again.
fn telling(all: &[(u64, &str)], mount: &str) -> Vec<(u64, String)> {
    let within = |path: &str, folder: &str| {
        path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
    };
    let explained = |size: u64, folder: &str| {
        let children = all
            .iter()
            .filter(|(_, path)| within(path, folder))
            .filter(|(_, path)| {
                !all.iter().any(|(_, other)| *other != folder && within(other, folder) && within(path, other))
            })
            .map(|(size, _)| *size);
        let at_the_top =
            !folder.strip_prefix(mount.trim_end_matches('/')).unwrap_or(folder).trim_start_matches('/').contains('/');
        let inside = if at_the_top { children.fold(0, u64::saturating_add) } else { children.max().unwrap_or(0) };
        inside as f64 >= size as f64 * 0.7
    };
    let mut chosen: Vec<(u64, String)> = Vec::new();
    let mut sorted: Vec<_> = all.iter().filter(|(_, path)| *path != mount).collect();
    // The same path may stand twice: du is told some folders first.
    sorted.sort_by(|a, b| b.cmp(a));
    sorted.dedup_by_key(|(_, path)| *path);
    for (size, path) in sorted {
        if !explained(*size, path) && !chosen.iter().any(|(_, folder)| within(path, folder) || within(folder, path)) {
            chosen.push((*size, (*path).to_owned()));
        }
    }
    for (_, path) in &mut chosen {
        *path = figures::plain(path, 100);
    }
    chosen
}

pub(super) fn read_biggest(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let biggest = Biggest::of(output).ok_or_else(|| output.unreadable())?;
    match (biggest.names(), &biggest.incomplete) {
        (Some(names), None) => account.find(Severity::Note, format!("biggest things under {}: {names}", biggest.mount)),
        (Some(names), Some(_)) => {
            account.find(Severity::Note, format!("biggest things seen under {}: {names}", biggest.mount));
        }
        (None, None) => account.find(Severity::Note, format!("nothing under {} is larger than 50 MB", biggest.mount)),
        (None, Some(_)) => {}
    }
    if let Some(why) = biggest.incomplete {
        account.gap(format!("{why}, so there may be bigger things"));
    }
    Ok(())
}

pub(super) fn read_clearable(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let folders = output.get("folders").ok_or_else(|| output.unreadable())?;
    let mut clear = |kib: u64, what: &str, advice: &str| {
        if kib >= WORTH_CLEARING {
            account.advise(Severity::Note, format!("{what}: {}", figures::size(kib)), advice);
        }
    };
    for line in folders {
        let mut words = line.split_whitespace();
        let (Some(kib), Some(path)) = (words.next().and_then(figures::number), words.next()) else {
            continue;
        };
        let kib = kib as u64;
        match path {
            "/var/log/journal" => clear(
                kib,
                "journals in /var/log/journal",
                "safe to clear: old journals, `!sudo journalctl --vacuum-size=200M`",
            ),
            "/var/cache/apt/archives" => {
                clear(kib, "downloaded packages of apt", "safe to clear: apt's cache, `!sudo apt-get clean`");
            }
            "/var/cache/dnf" | "/var/cache/yum" => {
                clear(kib, "downloaded packages of dnf", "safe to clear: dnf's cache, `!sudo dnf clean all`");
            }
            "/var/cache/pacman/pkg" => clear(
                kib,
                "downloaded packages of pacman",
                "safe to clear: pacman's old packages, `!sudo pacman -Sc --noconfirm`",
            ),
            "/var/lib/systemd/coredump" | "/var/crash" => clear(
                kib,
                &format!("crash dumps in {path}"),
                "crash dumps can go when nobody wants to look at them: list them with `!ls -lh /var/lib/systemd/coredump /var/crash`",
            ),
            "/tmp" | "/var/tmp" => clear(
                kib,
                &format!("temporary files in {path}"),
                &format!("look through {path} before deleting there: running programs may use it"),
            ),
            _ => {}
        }
    }
    if let Some(kib) = output.first("rotated").and_then(figures::number) {
        clear(
            kib as u64,
            "rotated logs in /var/log",
            "rotated logs can go when nobody needs them: list them with `!sudo find /var/log -name '*.gz' -o -name '*.[0-9]'`",
        );
    } else {
        account.gap("rotated logs could not be counted");
    }
    docker(output.get("docker").unwrap_or_default(), account);
    Ok(())
}

/// Lines `Images: 11.63GB (70%) of 16.43GB`. Volumes are data and not counted.
fn docker(lines: &[&str], account: &mut Account) {
    if lines.iter().any(|line| line.contains("does not answer")) {
        account.gap("docker does not answer");
    }
    let parts: Vec<(u64, &str)> = lines
        .iter()
        .filter_map(|line| {
            let (kind, rest) = line.split_once(':')?;
            let kind = ["Images", "Containers", "Build Cache"].into_iter().find(|known| *known == kind.trim())?;
            Some((decimal_size(rest.split_whitespace().next()?)?, kind))
        })
        .filter(|(kib, _)| *kib >= WORTH_CLEARING)
        .collect();
    if !parts.is_empty() {
        let sum = parts.iter().fold(0_u64, |sum, (kib, _)| sum.saturating_add(*kib));
        let names: Vec<String> =
            parts.iter().map(|(kib, kind)| format!("{} {}", kind.to_lowercase(), figures::size(*kib))).collect();
        account.advise(
            Severity::Note,
            format!("docker can give back up to {}: {}", figures::size(sum), names.join(", ")),
            "safe to clear in docker: `!sudo docker builder prune -f`, then `!sudo docker image prune -f` (add -a only if every image can be pulled again); never volumes",
        );
    }
}

/// docker's sizes, which count in powers of 1000: `11.63GB` in kB of 1024.
fn decimal_size(text: &str) -> Option<u64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return None,
    };
    Some((figures::number(number)? * factor / 1024.0) as u64)
}

/// Lines `3072 MB 812 nginx /var/log/nginx/access.log (deleted)`.
pub(super) fn read_deleted(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    let lines = output.get("held").ok_or_else(|| output.unreadable())?;
    let held: Vec<(u64, String)> = lines
        .iter()
        .filter_map(|line| {
            let (mib, rest) = line.split_once(" MB ")?;
            let (pid, rest) = rest.split_once(' ')?;
            pid.parse::<u32>().ok()?;
            let (name, path) = rest.split_once(" /")?;
            let kib = (figures::number(mib)? as u64).saturating_mul(MIB);
            let path = path.trim_end_matches(" (deleted)");
            Some((
                kib,
                format!(
                    "{} (pid {pid}) {} in /{}",
                    figures::plain(name, 32),
                    figures::size(kib),
                    figures::plain(path, 80)
                ),
            ))
        })
        .collect();
    let sum = held.iter().fold(0_u64, |sum, (kib, _)| sum.saturating_add(*kib));
    if sum >= WORTH_CLEARING {
        let names: Vec<String> = held.into_iter().map(|(_, name)| name).collect();
        account.advise(
            if sum >= 5 * MIB * MIB { Severity::Warning } else { Severity::Note },
            format!("deleted files that are still open hold {}: {}", figures::size(sum), figures::list(&names, 3)),
            "restart what holds deleted files open: their space comes back only then",
        );
    }
    match output.first("seen").map(str::trim) {
        Some("root") => {}
        Some(user) => {
            account.gap(format!("only files of {} could be seen, not those of other users", figures::plain(user, 32)));
        }
        None => account.gap("it is not known whose files could be seen"),
    }
    Ok(())
}
