//! How the target is, as pictures where one would rather look: small labelled bars, each with its words.

use domain::probe::{Disk, Figures, Share};
use leptos::prelude::*;

use super::words::lasting;

/// From this share on a bar says that it is nearly full, in hundredths.
const NEARLY_FULL: u64 = 90;

/// The figures of a target that answers.
pub(super) fn figures(figures: &Figures) -> impl IntoView + use<> {
    let Figures { uptime, load, cpus, memory, swap, disks } = figures;
    let uptime = uptime.map(|seconds| view! { <span>"up "{lasting(seconds)}</span> });
    let load = load.map(|[one, five, fifteen]| {
        let cpus = match cpus {
            Some(1) => " on 1 CPU".to_owned(),
            Some(cpus) => format!(" on {cpus} CPUs"),
            None => String::new(),
        };
        view! { <span>{format!("load {one:.2} {five:.2} {fifteen:.2}{cpus}")}</span> }
    });
    let bars: Vec<_> = [("Memory", memory), ("Swap", swap)]
        .into_iter()
        .filter_map(|(name, share)| Some(bar(name.to_owned(), (*share)?)))
        .chain(disks.iter().map(|Disk { mount, share }| bar(mount.clone(), *share)))
        .collect();
    let bars = (!bars.is_empty()).then(|| view! { <ul class="meters">{bars}</ul> });
    view! { <p class="figures">{uptime}{load}</p>{bars} }
}

/// A share as a bar: how much of it is used, in a picture and in words.
fn bar(name: String, share: Share) -> impl IntoView + use<> {
    let Share { used, of } = share;
    let percent = (u128::from(used) * 100).checked_div(u128::from(of)).unwrap_or_default().min(100) as u64;
    let look = if percent >= NEARLY_FULL { "full" } else { "room" };
    let words = amounts(used, of);
    view! {
        <li class="meter" data-look=look>
            <span class="meter-name" title=name.clone()>{name.clone()}</span>
            <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                <rect class="meter-of" width="100" height="8"></rect>
                <rect class="meter-used" width=percent.to_string() height="8"></rect>
            </svg>
            <strong>{format!("{percent} %")}</strong>
            <span class="meter-words">{words}</span>
        </li>
    }
}

/// So much of so much, with one unit where both have the same.
fn amounts(used: u64, of: u64) -> String {
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

    #[test]
    fn an_amount_is_short() {
        let short = [0, 5 << 10, 512 << 20, 1 << 30, 3 << 30, 34_359_738_368, 1_649_267_441_664].map(amount);
        assert_eq!(short, ["0 KiB", "5 KiB", "512 MiB", "1.0 GiB", "3.0 GiB", "32.0 GiB", "1.5 TiB"]);
        assert_eq!([amounts(1 << 30, 3 << 30), amounts(1 << 20, 3 << 30)], ["1.0 of 3.0 GiB", "1 MiB of 3.0 GiB"]);
    }

    #[test]
    fn a_share_of_nothing_and_more_than_all_are_bars_too() {
        for (used, of, percent) in [(0, 0, "0 %"), (5, 0, "0 %"), (7, 5, "100 %"), (u64::MAX, u64::MAX, "100 %")] {
            let html = bar("x".into(), Share { used, of }).into_view().to_html();
            assert!(html.contains(percent), "{html}");
        }
    }
}
