//! Reads the kernel log: disk errors, hung tasks, OOM kills, limits and crashes. The command counts the lines of each kind
//! and keeps the last ones; how bad they are depends on their age.

use super::{
    Severity,
    figures::{self, Clock},
    finding::Account,
    oom,
    sections::Sections,
};

pub(super) fn read(output: &Sections<'_>, account: &mut Account) -> Result<(), String> {
    match output.first("source").map(str::trim) {
        None => return Err(output.unreadable()),
        Some("false") => {
            return Err(
                "the kernel log may not be read: neither journalctl nor dmesg gave a line, nor did sudo".to_owned()
            );
        }
        Some(_) => {}
    }
    let clock = Clock::of(output.get("now").unwrap_or_default());
    let mut any = false;
    let mut lines = |section: &str| {
        let lines = Lines::of(output.get(section)?, &clock)?;
        any = true;
        Some(lines)
    };
    let (storage, hangs, limits, crashes) = (lines("storage"), lines("hangs"), lines("limits"), lines("crashes"));
    let kills = lines("memory");
    if !any {
        return Err(output.unreadable());
    }

    if let Some(storage) = storage.filter(Lines::is_any) {
        let remounted = storage.samples.iter().rfind(|line| line.contains("emounting filesystem read-only"));
        if let Some(line) = remounted {
            let severity = severity(clock.age(line), Severity::Critical);
            account.advise(
                severity,
                format!("the kernel remounted a filesystem read-only{}: {}", ago(clock.age(line)), message(line)),
                "copy off what matters first; then the filesystem has to be checked, which a reboot does",
            );
        }
        let noun = "disk or filesystem error";
        account.advise(
            storage.severity(Severity::Critical),
            storage.text(noun),
            "look at the disk's storage on the hypervisor too: a full or failing store looks like this from inside",
        );
    }
    if let Some(hangs) = hangs.filter(Lines::is_any) {
        let worst = if hangs
            .samples
            .iter()
            .any(|line| line.contains("Kernel panic") || line.contains("kernel BUG") || line.contains("Oops:"))
        {
            "kernel crash or hang"
        } else {
            "hung task or stuck CPU"
        };
        account.find(hangs.severity(Severity::Critical), hangs.text(worst));
    }
    if let Some(kills) = kills
        && let Some((severity, text)) = oom::kills(&kills.samples, &clock)
    {
        let more = kills.number > kills.samples.len() as u64;
        account.find(severity, if more { format!("{text} ({} kills in the log)", kills.number) } else { text });
    }
    if let Some(limits) = limits.filter(Lines::is_any) {
        account.find(limits.severity(Severity::Warning), limits.text("limit reached"));
    }
    if let Some(crashes) = crashes.filter(Lines::is_any) {
        let flood = if crashes.number >= 10 { Severity::Warning } else { Severity::Note };
        account.find(crashes.severity(flood), crashes.text("crash of a program"));
    }
    Ok(())
}

/// The lines of one kind: how many there are, and the last of them.
struct Lines<'a> {
    number: u64,
    samples: Vec<&'a str>,
    /// Seconds since the newest.
    age: Option<u64>,
}

impl<'a> Lines<'a> {
    /// The first line is the number, the others are the lines.
    fn of(lines: &[&'a str], clock: &Clock) -> Option<Self> {
        let (number, samples) = lines.split_first()?;
        let number: u64 = number.trim().parse().ok()?;
        Some(Self { number, samples: samples.to_vec(), age: samples.iter().filter_map(|line| clock.age(line)).min() })
    }

    fn is_any(&self) -> bool {
        self.number > 0 && !self.samples.is_empty()
    }

    fn severity(&self, now: Severity) -> Severity {
        severity(self.age, now)
    }

    fn text(&self, noun: &str) -> String {
        let last = self.samples.last().map(|line| message(line)).unwrap_or_default();
        let plural = match self.number {
            1 => noun.to_owned(),
            _ if noun.starts_with("crash of") => noun.replacen("crash", "crashes", 1),
            _ if noun.starts_with("limit") => noun.replacen("limit", "limits", 1),
            _ if noun.starts_with("hung") => "hung tasks or stuck CPUs".to_owned(),
            _ if noun.starts_with("kernel") => "kernel crashes or hangs".to_owned(),
            _ => format!("{noun}s"),
        };
        format!("{} {plural} in the kernel log{}: {last}", self.number, ago(self.age))
    }
}

/// As bad as that within the hour, or if nobody knows when; a step milder within the day; then a note.
fn severity(age: Option<u64>, now: Severity) -> Severity {
    match age {
        None | Some(0..=3_600) => now,
        Some(..=86_400) => now.milder(),
        Some(_) => Severity::Note,
    }
}

fn ago(age: Option<u64>) -> String {
    age.map(|age| format!(", last {} ago", figures::span(age))).unwrap_or_default()
}

/// What the kernel said, without the time and the names before it.
fn message(line: &str) -> String {
    let text = match line.split_once(" kernel: ") {
        Some((_, text)) => text,
        None if line.starts_with('[') => line.split_once(']').map_or(line, |(_, text)| text),
        None => line,
    };
    figures::plain(text, 160)
}
