//! Reads filesystems: space, inodes, and what is mounted read-only.
//!
//! Images (squashfs, iso9660, …) are full by nature and do not count; nor does what a container's layers or memory-backed
//! filesystems say, except the root itself and a full `/run`, `/tmp` or `/dev/shm`, without which little works.

use super::{Severity, figures, finding::Account, sections::Sections, space::Biggest};

const GIB: u64 = 1024 * 1024;
/// No target has more; rules that compare each with each stay quick whatever is printed.
const MOST_LINES: usize = 500;
/// Full by nature, or another filesystem's space counted again.
const NOT_COUNTED: [&str; 16] = [
    "tmpfs",
    "devtmpfs",
    "ramfs",
    "overlay",
    "overlayfs",
    "aufs",
    "squashfs",
    "iso9660",
    "udf",
    "erofs",
    "cramfs",
    "romfs",
    "efivarfs",
    "fuse.snapfuse",
    "fuse.lxcfs",
    "autofs",
];
/// Where a full memory-backed filesystem hurts.
const IN_MEMORY: [&str; 4] = ["/run", "/tmp", "/var/tmp", "/dev/shm"];
/// Read-only by design when they are the root.
const IMMUTABLE: [&str; 7] = ["squashfs", "erofs", "iso9660", "overlay", "cramfs", "romfs", "fuse.snapfuse"];

pub(super) fn read(output: &Sections<'_>, biggest: Option<&Biggest>, account: &mut Account) -> Result<(), String> {
    let space = rows(output.get("space").unwrap_or_default());
    let mounts: Vec<Mount<'_>> =
        output.get("mounts").unwrap_or_default().iter().take(MOST_LINES).filter_map(|line| Mount::of(line)).collect();
    if space.is_empty() && mounts.is_empty() {
        return Err(output.unreadable());
    }
    if space.is_empty() {
        account.gap("df gave no figures for space (it hangs when network storage does)");
    }
    for row in &space {
        judge_space(row, biggest, account);
    }
    let inodes = rows(output.get("inodes").unwrap_or_default());
    if inodes.is_empty() {
        account.gap("inodes could not be read");
    }
    for row in inodes.iter().filter(|row| row.counts()) {
        let severity = match row.percent {
            98.. => Severity::Critical,
            90.. => Severity::Warning,
            _ => continue,
        };
        let text =
            format!("{} has used {} % of its inodes: {} left for new files", row.name(), row.percent, row.available);
        account.advise(
            severity,
            text,
            "find the folder with the very many small files: `!sudo du -x --inodes / | sort -n | tail`",
        );
    }
    if mounts.is_empty() {
        account.gap("the mounts could not be read, so read-only ones were not looked for");
    }
    read_only(&mounts, account);
    Ok(())
}

fn judge_space(row: &Row, biggest: Option<&Biggest>, account: &mut Account) {
    if !row.counts() {
        if row.percent >= 95
            && row.total >= 1_024
            && IN_MEMORY.contains(&row.mount.as_str())
            && row.kind.as_deref() == Some("tmpfs")
        {
            account.find(
                Severity::Note,
                format!("{} (in memory) {} % full of {}", row.mount, row.percent, figures::size(row.total)),
            );
        }
        return;
    }
    let Some(severity) = judge(&row.mount, row.percent, row.available) else { return };
    let reserved = row.total.saturating_sub(row.used).saturating_sub(row.available);
    let left = match (row.available, reserved) {
        (0, 1_024..) => {
            format!("nothing left of {}, but {} reserved for root", figures::size(row.total), figures::size(reserved))
        }
        (0, _) => format!("nothing left of {}", figures::size(row.total)),
        (available, _) => format!("{} left of {}", figures::size(available), figures::size(row.total)),
    };
    let fills = biggest.filter(|biggest| biggest.mount == row.mount).and_then(Biggest::names);
    let fills = fills.map(|names| format!("{names}; ")).unwrap_or_default();
    account.find(severity, format!("{} {} % full, {fills}{left}", row.name(), row.percent));
}

/// How bad it is that a filesystem is so full, in per cent, and has so many kB left; nothing where it is well.
pub(crate) fn judge(mount: &str, percent: u64, available: u64) -> Option<Severity> {
    match percent {
        _ if mount.starts_with("/boot") => (percent >= 90).then_some(Severity::Warning),
        99.. => Some(Severity::Critical),
        95.. if available < 20 * GIB => Some(Severity::Critical),
        95.. => Some(Severity::Warning),
        90.. if available < 100 * GIB => Some(Severity::Warning),
        _ => None,
    }
}

/// One row of `df -P`, with or without the column of types.
pub(crate) struct Row {
    device: String,
    kind: Option<String>,
    /// In kB, as are the next two.
    pub(crate) total: u64,
    pub(crate) used: u64,
    pub(crate) available: u64,
    pub(crate) percent: u64,
    pub(crate) mount: String,
}

impl Row {
    /// Finds its place by the column that ends in `%` (or is `-`: no inodes): names are long, and headers are translated.
    fn of(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_figure = |word: &&str| word.parse::<i64>().is_ok() || *word == "-";
        let at = (4..words.len()).find(|at| {
            words[at - 3..*at].iter().all(is_figure)
                && words[*at].strip_suffix('%').is_some_and(|number| is_figure(&number))
        })?;
        let figure =
            |word: &str| word.trim_end_matches('%').parse::<i64>().ok().map(|number| number.max(0).unsigned_abs());
        let kind = words.get(at - 4).filter(|word| at >= 5 && !is_figure(word)).map(|kind| (*kind).to_owned());
        let mount = words[at + 1..].join(" ");
        mount.starts_with('/').then_some(())?;
        Some(Self {
            device: words[0].to_owned(),
            kind,
            total: figure(words[at - 3])?,
            used: figure(words[at - 2])?,
            available: figure(words[at - 1])?,
            percent: figure(words[at])?.min(100),
            mount: figures::plain(&mount, 80),
        })
    }

    /// False for what is full by nature, and for another filesystem's space counted again.
    pub(crate) fn counts(&self) -> bool {
        let kind = self.kind.as_deref().unwrap_or(&self.device);
        self.mount == "/" || !(NOT_COUNTED.contains(&kind) || self.device.starts_with("/dev/loop") || kind == "shm")
    }

    fn name(&self) -> String {
        name(&self.mount)
    }
}

/// What a filesystem is called, by its mount.
pub(crate) fn name(mount: &str) -> String {
    if mount == "/" { "root filesystem".to_owned() } else { format!("filesystem {mount}") }
}

/// All rows, each device once: a bind mount or a subvolume repeats the figures of the filesystem it is of. A name so
/// long that df broke the line is put together again.
pub(crate) fn rows(lines: &[&str]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut name_alone = None;
    for line in lines.iter().take(MOST_LINES) {
        let words = line.split_whitespace().count();
        let name = name_alone.take().filter(|_| line.starts_with(char::is_whitespace));
        let joined = name.and_then(|name: &str| Row::of(&format!("{name} {line}")));
        let Some(row) = joined.or_else(|| Row::of(line)) else {
            name_alone = (words == 1).then_some(*line);
            continue;
        };
        let known = rows.iter_mut().find(|known| {
            known.device == row.device
                && (known.device.starts_with("/dev/") || known.mount == row.mount)
                && known.total == row.total
        });
        match known {
            Some(known) if row.mount.len() < known.mount.len() => *known = row,
            Some(_) => {}
            None => rows.push(row),
        }
    }
    rows
}

/// One line of `/proc/mounts`: device, where, type, options.
struct Mount<'a> {
    device: &'a str,
    at: &'a str,
    kind: &'a str,
    options: Vec<&'a str>,
}

impl<'a> Mount<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (device, at, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
        at.starts_with('/').then(|| Self { device, at, kind, options: options.split(',').collect() })
    }

    /// `errors=remount-ro` is a promise, `ro` a fact; newer ext4 says `emergency_ro` or `shutdown` after an error.
    fn is_read_only(&self) -> bool {
        self.options.iter().any(|option| matches!(*option, "ro" | "emergency_ro" | "shutdown"))
    }
}

fn read_only(mounts: &[Mount<'_>], account: &mut Account) {
    let advice = "look in the kernel log for the error that caused it; writes fail until the filesystem was checked and mounted anew (a reboot does both)";
    // What is mounted over an earlier mount hides it: the last one of a place counts.
    let visible = |mount: &&Mount<'_>| {
        mounts.iter().rfind(|other| other.at == mount.at).is_some_and(|last| std::ptr::eq(last, *mount))
    };
    let mut others = Vec::new();
    for mount in mounts.iter().filter(visible).filter(|mount| mount.is_read_only()) {
        if mount.at == "/" {
            if !IMMUTABLE.contains(&mount.kind) {
                account.advise(
                    Severity::Critical,
                    format!("the root filesystem is mounted read-only ({})", figures::plain(mount.kind, 20)),
                    advice,
                );
            }
            continue;
        }
        // One device that is writable elsewhere is a read-only bind mount, which somebody wanted.
        let writable_elsewhere = mounts.iter().any(|other| other.device == mount.device && !other.is_read_only());
        let image = NOT_COUNTED.contains(&mount.kind) || mount.device.starts_with("/dev/loop");
        if mount.device.starts_with("/dev/") && !writable_elsewhere && !image {
            others.push(figures::plain(mount.at, 80));
        }
    }
    if !others.is_empty() {
        account.find(
            Severity::Warning,
            format!("mounted read-only, by intent or after an error: {}", figures::list(&others, 6)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_with_or_without_its_type_and_with_spaces_in_the_mount() {
        let row = Row::of("/dev/vda1 ext4 102687672 98000000 0 100% /mnt/my disk").expect("a row");
        assert_eq!((row.kind.as_deref(), row.mount.as_str(), row.percent), (Some("ext4"), "/mnt/my disk", 100));
        let row = Row::of("/dev/mapper/ubuntu--vg-ubuntu--lv 102687672 98000000 4687672 96% /").expect("a row");
        assert_eq!((row.kind, row.total, row.available), (None, 102_687_672, 4_687_672));
    }

    #[test]
    fn a_row_without_inodes_and_a_header_are_no_rows() {
        assert!(Row::of("/dev/vda15 vfat 0 0 0 - /boot/efi").is_none());
        assert!(Row::of("/dev/vda15 - - - -% /boot/efi").is_none());
        assert!(Row::of("Dateisystem Typ 1024-Blöcke Benutzt Verfügbar Kapazität Eingehängt auf").is_none());
    }

    #[test]
    fn a_line_that_df_broke_after_a_long_name_is_put_together() {
        let rows =
            rows(&["/dev/mapper/a-very-long-name-of-a-logical-volume", "  102687672 98000000 4687672 96% /data"]);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].device.len(), rows[0].mount.as_str(), rows[0].percent), (48, "/data", 96));
    }

    #[test]
    fn one_device_mounted_in_many_places_counts_once() {
        let rows = rows(&[
            "/dev/vda1 ext4 100 97 3 97% /var/lib/docker",
            "/dev/vda1 ext4 100 97 3 97% /",
            "tmpfs tmpfs 100 0 100 0% /run",
        ]);
        assert_eq!(rows.iter().map(|row| row.mount.as_str()).collect::<Vec<_>>(), ["/", "/run"]);
    }
}
