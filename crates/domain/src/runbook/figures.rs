//! Figures as people read them, and times as logs write them.
//!
//! Sizes count in powers of 1024 and are called kB, MB, GB, TB, as `df -h`, `du -h` and `free -h` count them, so that the
//! verdict's figures are those of the output above it.

/// A size: `512 kB`, `3.1 GB`, `41 GB`.
pub(crate) fn size(kib: u64) -> String {
    let mut value = kib as f64;
    let mut unit = "kB";
    for larger in ["MB", "GB", "TB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if value < 9.95 && unit != "kB" && (value * 10.0).round() % 10.0 != 0.0 {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

/// A length of time in its largest unit: `40 s`, `12 min`, `3 h`, `5 days`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How much of a whole, in per cent; 0 of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (part as f64 * 100.0 / whole as f64).round() as u64 }
}

/// A number and its noun: `1 failed unit`, `3 failed units`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// How often: `once`, `twice`, `3 times`.
pub(super) fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

/// The first few, and how many more there are.
pub(super) fn list(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Somebody else's text on one line: no control or direction characters, no run of spaces, at most so many characters.
pub(crate) fn plain(text: &str, most: usize) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || steers(c)).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The target's own present, from `date +%Y-%m-%dT%H:%M:%S%z` and `/proc/uptime`. With it a line of either log has an age.
#[derive(Debug, Default)]
pub(super) struct Clock {
    now: Option<i64>,
    uptime: Option<f64>,
}

impl Clock {
    pub(super) fn of(lines: &[&str]) -> Self {
        Self {
            now: lines.iter().find_map(|line| timestamp(line.trim())),
            uptime: lines.iter().filter(|line| !line.contains('T')).find_map(|line| number(line)),
        }
    }

    /// Seconds since the line was logged: by its date, or by its seconds after boot.
    pub(super) fn age(&self, line: &str) -> Option<u64> {
        let age = if let Some(after) = line.strip_prefix('[') {
            self.uptime? - number(after.split(']').next()?)?
        } else {
            (self.now? - timestamp(line)?) as f64
        };
        // A line a little in the future is two clocks disagreeing; a line far in the future has no age.
        (age > -120.0).then_some(age.max(0.0) as u64)
    }
}

/// The first word as a finite number that is not negative.
pub(crate) fn number(text: &str) -> Option<f64> {
    let number: f64 = text.split_whitespace().next()?.parse().ok()?;
    (number.is_finite() && (0.0..1e15).contains(&number)).then_some(number)
}

/// Seconds since 1970 of a line that begins with `2024-05-01T12:00:00+0200` (or `+02:00`, or `Z`).
pub(super) fn timestamp(line: &str) -> Option<i64> {
    let stamp = line.split_whitespace().next()?;
    let (date, time) = stamp.split_once('T')?;
    let mut parts = date.splitn(3, '-').map(digits);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let at = time.find(['+', '-', 'Z']).unwrap_or(time.len());
    let (time, zone) = time.split_at(at);
    let mut parts = time.split(['.', ',']).next()?.splitn(3, ':').map(digits);
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) {
        return None;
    }
    let offset = match (zone.get(..1), zone.get(1..).map(|rest| rest.replace(':', ""))) {
        (Some(sign @ ("+" | "-")), Some(rest)) => {
            let hhmm = digits(&rest)?;
            let seconds = (hhmm / 100) * 3_600 + (hhmm % 100) * 60;
            if sign == "-" { -seconds } else { seconds }
        }
        _ => 0,
    };
    // Days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
    // algorithms"); years begin in March there, so that a leap day is a year's last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
    Some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds - offset)
}

/// Up to four digits as a number.
fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_like_those_of_df_and_du() {
        assert_eq!(size(0), "0 kB");
        assert_eq!(size(512), "512 kB");
        assert_eq!(size(1024), "1 MB");
        assert_eq!(size(3_250_586), "3.1 GB");
        assert_eq!(size(41 * 1024 * 1024), "41 GB");
        assert_eq!(size(1_610_612_736), "1.5 TB");
        assert_eq!(size(10 * 1024 * 1024 - 1), "10 GB");
    }

    #[test]
    fn both_spellings_of_a_zone_give_the_same_time() {
        assert_eq!(timestamp("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(timestamp("2024-02-29T12:00:00+0000 devvm kernel: x"), Some(1_709_208_000));
        assert_eq!(timestamp("2024-02-29T14:00:00+02:00"), Some(1_709_208_000));
        assert_eq!(timestamp("2024-02-29T07:00:00.123456-0500"), Some(1_709_208_000));
        assert_eq!(timestamp("Feb 29 12:00:00 devvm kernel: x"), None);
    }

    #[test]
    fn a_line_has_an_age_by_its_date_or_by_its_seconds_after_boot() {
        let clock = Clock::of(&["2024-02-29T12:10:00+0000", "900.55 1700.10"]);
        assert_eq!(clock.age("2024-02-29T12:00:00+0000 devvm kernel: x"), Some(600));
        assert_eq!(clock.age("[  300.250000] x"), Some(600));
        assert_eq!(clock.age("<4>x"), None);
        assert_eq!(Clock::default().age("[  300.250000] x"), None);
    }

    #[test]
    fn somebody_elses_text_stays_on_its_line() {
        assert_eq!(plain("a\u{1b}[31m\tb\r\n\u{202e}c  d", 80), "a [31m b c d");
        assert_eq!(plain("ééé", 2), "éé…");
    }
}
