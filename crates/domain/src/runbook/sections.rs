//! Output in sections: `== heading ==` lines, as the runbook's commands and the hypervisor's forensics print them.

use super::figures;

/// A step's output, cut at its headings. Text before the first heading (a login banner, what `uptime` prints for people)
/// belongs to no section.
#[derive(Debug)]
pub(crate) struct Sections<'a> {
    whole: &'a str,
    parts: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Sections<'a> {
    pub(crate) fn of(whole: &'a str) -> Self {
        let mut parts: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in whole.lines() {
            let heading = line.trim().strip_prefix("== ").and_then(|rest| rest.strip_suffix(" =="));
            match (heading, parts.last_mut()) {
                (Some(heading), _) => parts.push((heading.trim(), Vec::new())),
                (None, Some((_, lines))) if !line.trim().is_empty() => lines.push(line.trim_end()),
                (None, _) => {}
            }
        }
        Self { whole, parts }
    }

    /// All of the output.
    pub(crate) fn whole(&self) -> &'a str {
        self.whole
    }

    /// The lines of the first section whose heading begins with that word; blank lines are left out.
    pub(crate) fn get(&self, word: &str) -> Option<&[&'a str]> {
        self.iter().find(|(heading, _)| begins_with_word(heading, word)).map(|(_, lines)| lines)
    }

    /// The first line of that section.
    pub(crate) fn first(&self, word: &str) -> Option<&'a str> {
        self.get(word)?.first().copied()
    }

    /// Each section: its heading and its lines.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, &[&'a str])> {
        self.parts.iter().map(|(heading, lines)| (*heading, lines.as_slice()))
    }

    /// Why nothing could be read: the output's last line, which is where errors stand.
    pub(crate) fn unreadable(&self) -> String {
        let is_text = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("== ");
        match self.whole.lines().rev().find(is_text) {
            Some(line) => format!("its output was not understood: {}", figures::plain(line, 120)),
            None => "it printed nothing".to_owned(),
        }
    }
}

fn begins_with_word(heading: &str, word: &str) -> bool {
    heading.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_by_its_first_word_and_a_banner_is_passed_over() {
        let sections = Sections::of("Welcome!\n== space in kB ==\r\na\n\nb\n== spaces ==\nc\n");
        assert_eq!(sections.get("space"), Some(&["a", "b"][..]));
        assert_eq!(sections.first("spaces"), Some("c"));
        assert_eq!(sections.get("Welcome"), None);
    }

    #[test]
    fn the_reason_is_the_last_line_or_that_there_is_none() {
        assert_eq!(
            Sections::of("== a ==\nsh: 1: ps: not found\n").unreadable(),
            "its output was not understood: sh: 1: ps: not found"
        );
        assert_eq!(Sections::of("== a ==\n").unreadable(), "it printed nothing");
    }
}
