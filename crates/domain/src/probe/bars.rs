//! The target's figures as bars: which of them one would rather look at, in which words, and which are too high by the
//! runbook's own rules. A look and a runbook print the same sections, so both are read here.

use super::{Disk, Figures, Share};
use crate::{
    figure::Figure,
    runbook::{Observation, Reading, StepOutcome, filesystems, load, memory},
};

/// From this share on swap is nearly full, in hundredths. Swap in use is no fault by itself.
const SWAP_FULL: u64 = 90;

impl Figures {
    /// Those that are a share of something.
    pub fn bars(&self) -> Vec<Figure> {
        let load = self.load.zip(self.cpus).map(|(averages, cpus)| load_bar(averages, cpus));
        let memory = self.memory.map(|share| {
            let high = memory::judge(share.left(), share.of).is_some();
            bar("Memory".into(), share, high)
        });
        let swap = self.swap.map(|share| bar("Swap".into(), share, share.percent() >= SWAP_FULL));
        let disk = |Disk { mount, share }: &Disk| {
            let high = filesystems::judge(mount, share.percent(), share.left() / 1024).is_some();
            bar(mount.clone(), *share, high)
        };
        load.into_iter().chain(memory).chain(swap).chain(self.disks.iter().map(disk)).collect()
    }

    /// What the steps of a runbook have read of them, each once.
    pub fn observed(observed: &[Observation]) -> Self {
        let mut all = Figures::default();
        for observation in observed {
            if let (Reading::Load | Reading::Memory | Reading::Filesystems, StepOutcome::Exited { output, .. }) =
                (observation.reading, &observation.outcome)
            {
                let Figures { uptime, load, cpus, memory, swap, disks } = Figures::of(output);
                all.uptime = all.uptime.or(uptime);
                all.load = all.load.or(load);
                all.cpus = all.cpus.or(cpus);
                all.memory = all.memory.or(memory);
                all.swap = all.swap.or(swap);
                all.disks = if all.disks.is_empty() { disks } else { all.disks };
            }
        }
        all
    }
}

/// Load is as much as the CPUs can do at 100 %, and can be more.
fn load_bar(averages: [f64; 3], cpus: u32) -> Figure {
    let [one, ..] = averages;
    let on = if cpus == 1 { "1 CPU".to_owned() } else { format!("{cpus} CPUs") };
    Figure {
        name: "Load".into(),
        percent: (one * 100.0 / f64::from(cpus.max(1))).round() as u64,
        words: format!("{one:.1} on {on}"),
        high: load::judge(averages, f64::from(cpus.max(1))).is_some(),
    }
}

fn bar(name: String, share: Share, high: bool) -> Figure {
    Figure { name, percent: share.percent().min(100), words: amounts(share), high }
}

/// So much of so much, with one unit where both have the same.
fn amounts(Share { used, of }: Share) -> String {
    let (used, of) = (amount(used), amount(of));
    match (used.split_once(' '), of.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => format!("{number} of {of}"),
        _ => format!("{used} of {of}"),
    }
}

/// Bytes in the units that memory and disks are sold in.
fn amount(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    let tenths = |unit: u64| bytes / (unit / 10);
    match bytes {
        0..MIB => format!("{} KiB", bytes >> 10),
        MIB..0x4000_0000 => format!("{} MiB", bytes >> 20),
        0x4000_0000..0x100_0000_0000 => format!("{}.{} GiB", tenths(1 << 30) / 10, tenths(1 << 30) % 10),
        _ => format!("{}.{} TiB", tenths(1 << 40) / 10, tenths(1 << 40) % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn step(reading: Reading, output: &str) -> Observation {
        let outcome = StepOutcome::Exited { code: 0, output: output.into(), truncated: false };
        Observation { reading, title: String::new(), outcome }
    }

    #[test]
    fn an_amount_is_short() {
        let short = [0, 5 << 10, 512 << 20, 1 << 30, 3 << 30, 34_359_738_368, 1_649_267_441_664].map(amount);
        assert_eq!(short, ["0 KiB", "5 KiB", "512 MiB", "1.0 GiB", "3.0 GiB", "32.0 GiB", "1.5 TiB"]);
        let words = |used, of| amounts(Share { used, of });
        assert_eq!([words(GIB, 3 * GIB), words(1 << 20, 3 * GIB)], ["1.0 of 3.0 GiB", "1 MiB of 3.0 GiB"]);
    }

    #[test]
    fn a_runbooks_steps_give_the_bars_that_a_look_gives_and_the_rules_say_which_are_high() {
        let observed = [
            step(Reading::Load, "== load ==\n6.02 7.00 4.50 3/200 1\n== cpus ==\n2\n== uptime ==\n900.5 1\n"),
            step(Reading::Memory, "== meminfo ==\nMemTotal: 4194304 kB\nMemAvailable: 3145728 kB\nSwapTotal: 0 kB\n"),
            step(Reading::KernelLog, "== load ==\n99 99 99\n"),
            step(Reading::Filesystems, "== space in kB ==\n/dev/vda1 ext4 1048576 1038576 10000 100% /\n"),
        ];
        let bars = Figures::observed(&observed).bars();
        let told: Vec<_> =
            bars.iter().map(|bar| (bar.name.as_str(), bar.percent, bar.words.as_str(), bar.high)).collect();
        assert_eq!(
            told,
            [
                ("Load", 301, "6.0 on 2 CPUs", true),
                ("Memory", 25, "1.0 of 4.0 GiB", false),
                ("/", 100, "1014 MiB of 1.0 GiB", true),
            ]
        );
    }

    #[test]
    fn a_share_of_nothing_and_more_than_all_are_bars_too() {
        for (used, of, percent) in [(0, 0, 0), (5, 0, 0), (7, 5, 100), (u64::MAX, u64::MAX, 100)] {
            assert_eq!(bar("x".into(), Share { used, of }, false).percent, percent);
        }
        assert_eq!(load_bar([f64::MAX, 0.0, 0.0], 0).percent, u64::MAX);
    }

    #[test]
    fn what_was_not_read_has_no_bar() {
        assert_eq!(Figures::observed(&[step(Reading::Load, "sh: no\n")]).bars(), []);
        let lost = StepOutcome::TimedOut { seconds: 20 };
        let lost = Observation { reading: Reading::Load, title: String::new(), outcome: lost };
        assert_eq!(Figures::observed(&[lost]).bars(), []);
    }
}
