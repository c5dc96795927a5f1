//! The newtypes that name things: sessions, runs, entries, operators. They know their form and nothing else; who makes
//! them up (the server) is not their concern.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is not the id it was given as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnId {
    /// What it should have been, for example "session id".
    pub expected: &'static str,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this is no {}: it is a lower-case uuid such as 3f2b8c1e-0000-4000-8000-000000000000", self.expected)
    }
}

impl std::error::Error for NotAnId {}

/// True for the 36-character lower-case hyphenated form of a UUID.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as it stands in URLs and JSON.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The first eight characters, which is what a person is shown.
            pub fn short(&self) -> &str {
                &self.0[..8]
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, NotAnId> {
                if is_uuid(&text) { Ok(Self(text)) } else { Err(NotAnId { expected: $what }) }
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid_id!(
    /// Names a session: a lower-case UUID.
    SessionId,
    "session id"
);
uuid_id!(
    /// Names one run of a verb: a lower-case UUID.
    RunId,
    "run id"
);

/// The place of an entry in its session's log: 0, 1, 2, … without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub u64);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds since the Unix epoch, UTC. In JSON a plain integer, as `Date` and most tools take it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The time of day in UTC as `14:05`, which is what the server can render without knowing where its reader is.
    pub fn utc_clock(self) -> String {
        let minutes = self.0 / 60_000;
        format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
    }

    /// The time of day in UTC with its seconds, `03:12:05`.
    pub fn utc_time(self) -> String {
        format!("{}:{:02}", self.utc_clock(), self.0 / 1000 % 60)
    }

    /// The date and time of day in UTC, `2026-11-20 03:12:05 UTC`.
    pub fn utc_date_time(self) -> String {
        format!("{} {} UTC", self.utc_date(), self.utc_time())
    }

    /// The date in UTC, `2026-11-20`.
    pub fn utc_date(self) -> String {
        // Days since 1970 to a date, after Howard Hinnant's `civil_from_days`.
        let days = i64::try_from(self.0 / 86_400_000).unwrap_or(0) + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// How long after `earlier` this is, in milliseconds; 0 when it is not after it.
    pub fn since(self, earlier: Millis) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A length of time as a person reads it: `840 ms`, `12 s`, `3 min 20 s`.
pub fn duration_text(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis} ms"),
        1..=9 => format!("{}.{} s", seconds, millis % 1000 / 100),
        10..=119 => format!("{seconds} s"),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// How long ago something was, or since when it lasts, in whole units, so that it can be counted on each second: `12 s`,
/// `3 min 20 s`, `48 min`, `5 h 10 min`, `3 d 4 h`.
pub fn age_text(millis: u64) -> String {
    let seconds = millis / 1000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 => format!("{minutes} min {} s", seconds % 60),
        600..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// A size as people read it: `840 B`, `12 kB`, `1.0 MB`.
pub fn size_text(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        assert!("3f2b8c1e-0000-4000-8000-00000000000a".parse::<SessionId>().is_ok());
        for bad in
            ["", "x", "3F2B8C1E-0000-4000-8000-00000000000A", "3f2b8c1e00004000800000000000000a", "../../etc/passwd"]
        {
            assert!(bad.parse::<SessionId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn times_read_as_people_say_them() {
        assert_eq!(Millis(1_763_618_700_000).utc_clock(), "06:05");
        assert_eq!(duration_text(840), "840 ms");
        assert_eq!(duration_text(1_250), "1.2 s");
        assert_eq!(duration_text(12_000), "12 s");
        assert_eq!(duration_text(200_000), "3 min 20 s");
    }

    #[test]
    fn an_age_is_said_in_the_units_that_matter() {
        let ages = [900, 59_999, 200_000, 2_880_000, 18_600_000, 273_600_000].map(age_text);
        assert_eq!(ages, ["0 s", "59 s", "3 min 20 s", "48 min", "5 h 10 min", "3 d 4 h"]);
    }

    #[test]
    fn a_size_is_short() {
        assert_eq!([0, 840, 12_345, 1_048_576].map(size_text), ["0 B", "840 B", "12 kB", "1.0 MB"]);
    }
}
