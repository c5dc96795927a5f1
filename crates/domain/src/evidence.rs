//! The evidence in a run's output: what `breakglass-pve` prints before it acts, told from what it does then. It reads the
//! lines that the script promises in its head, and where they are not there everything is what was done.

/// A run's output, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// The forensics, with their headings; empty where none were taken.
    pub forensics: &'a str,
    /// What was printed before and after.
    pub rest: String,
    /// The capture's name at the hypervisor, where it was kept.
    pub capture: Option<&'a str>,
    /// The names of the capture's parts.
    pub parts: Vec<&'a str>,
}

impl<'a> Evidence<'a> {
    /// Takes an output apart.
    pub fn of(output: &'a str) -> Self {
        let begin = line_starts(output).find(|at| output[*at..].starts_with("== "));
        let end = output.find("\n== end of forensics ==");
        let (Some(begin), Some(end)) = (begin, end.map(|end| end + 1)) else {
            return Evidence { rest: output.to_owned(), ..Evidence::default() };
        };
        let after = end + output[end..].find('\n').map_or(output.len() - end, |length| length + 1);
        let mut evidence = Evidence { forensics: output.get(begin..end).unwrap_or_default(), ..Evidence::default() };
        evidence.rest.push_str(&output[..begin]);
        for line in output[after..].split_inclusive('\n') {
            match (line.strip_prefix("capture-parts:"), line.strip_prefix("capture: ")) {
                (Some(parts), _) if evidence.parts.is_empty() => evidence.parts = parts.split_whitespace().collect(),
                (_, Some(id)) if evidence.capture.is_none() && is_capture(id.trim()) => {
                    evidence.capture = Some(id.trim());
                }
                _ => evidence.rest.push_str(line),
            }
        }
        evidence
    }

    /// How many things were looked at.
    pub fn headings(&self) -> usize {
        self.forensics.lines().filter(|line| line.starts_with("== ")).count()
    }

    /// True when there is a picture of what stood on the VM's screen.
    pub fn has_screenshot(&self) -> bool {
        self.capture.is_some() && self.parts.contains(&"screenshot")
    }
}

fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1))
}

/// A name that can stand in an address as it is.
fn is_capture(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !id.is_empty() && id.len() <= 100 && !id.starts_with('.') && id.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYCLE: &str = "cycle: VM 102, forensics first\n== about ==\nverb: cycle\n== host: memory ==\nMemTotal: 1\n\
                         == end of forensics ==\ncapture-parts: about memory screenshot\n\
                         capture: 20261120T120000.1-cycle.abc123\ncycle: stopping VM 102\ncycle: done: VM 102 is running\n";

    #[test]
    fn what_was_found_is_told_from_what_was_done() {
        let found = Evidence::of(CYCLE);
        assert_eq!(found.forensics, "== about ==\nverb: cycle\n== host: memory ==\nMemTotal: 1\n");
        assert_eq!(
            found.rest,
            "cycle: VM 102, forensics first\ncycle: stopping VM 102\ncycle: done: VM 102 is running\n"
        );
        assert_eq!(found.capture, Some("20261120T120000.1-cycle.abc123"));
        assert_eq!((found.headings(), found.has_screenshot()), (2, true));
    }

    #[test]
    fn an_output_without_a_whole_capture_is_left_as_it_is() {
        for output in ["", "status: running\n", "cycle: VM 102, forensics first\n== about ==\nverb: cycle\n"] {
            let found = Evidence::of(output);
            assert_eq!((found.forensics, found.rest.as_str(), found.capture), ("", output, None));
        }
    }

    #[test]
    fn a_name_that_would_not_stay_in_its_place_is_no_capture() {
        for id in ["../../etc", "a b", "a/b", ".hidden", "a?b", ""] {
            let output = format!("== a ==\nx\n== end of forensics ==\ncapture-parts: screenshot\ncapture: {id}\nend\n");
            let found = Evidence::of(&output);
            assert_eq!((found.capture, found.has_screenshot()), (None, false), "{id:?}");
            assert!(found.rest.ends_with("end\n"));
        }
    }

    #[test]
    fn any_output_is_taken_apart_without_losing_a_line() {
        for at in 0..=CYCLE.len() {
            let found = Evidence::of(&CYCLE[..at]);
            let (whole, kept) = (CYCLE[..at].len(), found.forensics.len() + found.rest.len());
            assert!(kept <= whole && (found.forensics.is_empty() == (kept == whole)), "{at}");
        }
    }
}
