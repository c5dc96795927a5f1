//! The target's figures: the one command that asks for them at a look, and what its output says.

use super::{Disk, Figures, Share};
use crate::runbook::{
    figures::number,
    filesystems::{Row, rows},
    sections::Sections,
};

/// What is run on the target at a look: cheap, without root, understood by Debian's, Alpine's and busybox's tools. One line,
/// so that every login shell takes it as one. What may hang, `df` on a dead network share, is limited and comes last.
pub const GLANCE: &str = concat!(
    "echo '== load =='; cat /proc/loadavg; ",
    "echo '== cpus =='; nproc 2>/dev/null || grep -c ^processor /proc/cpuinfo; ",
    "echo '== uptime =='; cat /proc/uptime; ",
    "echo '== meminfo =='; grep -E '^(MemTotal|MemFree|MemAvailable|Buffers|Cached|SwapTotal|SwapFree):' /proc/meminfo; ",
    "echo '== space in kB =='; timeout 2 df -PTkl 2>/dev/null || timeout 2 df -Pk 2>/dev/null; true",
);

/// The most filesystems that are told of.
const MOST_DISKS: usize = 3;
/// `/proc/meminfo` and `df` count in these.
const KIB: u64 = 1024;

impl Figures {
    /// Reads what [`GLANCE`] printed. What is not understood is left out.
    pub fn of(output: &str) -> Self {
        let output = Sections::of(output);
        let load = output.first("load").and_then(|line| {
            let mut averages = line.split_whitespace().map_while(number);
            Some([averages.next()?, averages.next()?, averages.next()?])
        });
        let cpus = output.first("cpus").and_then(number).filter(|cpus| (1.0..=65_536.0).contains(cpus));
        let of_memory = |name: &str| {
            let line =
                output.get("meminfo")?.iter().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))?;
            number(line).map(|kib| kib as u64)
        };
        // Kernels before 3.14 have no MemAvailable; what they could free is then an estimate.
        let free = || {
            let rest = of_memory("Buffers").unwrap_or(0).saturating_add(of_memory("Cached").unwrap_or(0));
            Some(of_memory("MemFree")?.saturating_add(rest))
        };
        Figures {
            uptime: output.first("uptime").and_then(number).map(|seconds| seconds as u64),
            load,
            cpus: cpus.map(|cpus| cpus as u32),
            memory: share_of(of_memory("MemTotal"), of_memory("MemAvailable").or_else(free)),
            swap: share_of(of_memory("SwapTotal"), of_memory("SwapFree")),
            disks: disks(output.get("space").unwrap_or_default()),
        }
    }
}

/// Of so many kB in all so many are left; nothing of nothing.
fn share_of(all: Option<u64>, left: Option<u64>) -> Option<Share> {
    let of = all.filter(|all| *all > 0)?;
    let used = of.saturating_sub(left?);
    Some(Share { used: used.saturating_mul(KIB), of: of.saturating_mul(KIB) })
}

/// The fullest, by what an ordinary user can have of them: what is reserved for root counts as not there, as `df` counts.
fn disks(lines: &[&str]) -> Vec<Disk> {
    let mut rows: Vec<_> = rows(lines).into_iter().filter(Row::counts).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.percent));
    let of = |used: u64, available: u64| used.saturating_add(available).saturating_mul(KIB);
    let disk = |row: Row| Disk {
        share: Share { used: row.used.saturating_mul(KIB), of: of(row.used, row.available) },
        mount: row.mount,
    };
    rows.into_iter().take(MOST_DISKS).map(disk).collect()
}

impl Share {
    /// How much of it is in use, in per cent, rounded up, as `df` does.
    pub fn percent(&self) -> u64 {
        if self.of == 0 {
            return 0;
        }
        u64::try_from((u128::from(self.used) * 100).div_ceil(u128::from(self.of))).unwrap_or(u64::MAX)
    }

    /// How much is left.
    pub fn left(&self) -> u64 {
        self.of.saturating_sub(self.used)
    }
}
