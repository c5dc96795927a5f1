//! What stands between marks in a line of text: code, strong, emphasised and struck words, and links.

use super::{super::html::Html, DEPTH};

/// Writes a text. In one that grows, what was opened and not closed counts as closed at its end.
pub(super) fn write(html: &mut Html, text: &str, grows: bool) {
    Inline { text, depth: 0, grows, linked: false, unclosed: String::new() }.write(html);
}

/// What is read.
struct Inline<'a> {
    text: &'a str,
    depth: usize,
    grows: bool,
    /// True inside of a link: no link stands in another.
    linked: bool,
    /// The marks of which no end was found, so that nobody looks for one again: each character is looked at but a few times.
    unclosed: String,
}

/// The marks with a meaning, the longer ones first, and the element of each.
const MARKS: [(&str, &str); 5] = [("**", "strong"), ("__", "strong"), ("~~", "del"), ("*", "em"), ("_", "em")];

impl<'a> Inline<'a> {
    fn write(&mut self, html: &mut Html) {
        // What was written, and where one is.
        let (mut from, mut at) = (0, 0);
        while let Some(found) = self.text[at..].find(['`', '*', '_', '~', '[', '\\', 'h']) {
            at += found;
            let plain = &self.text[from..at];
            match self.mark(html, plain, at) {
                Some(after) => (from, at) = (after, after),
                // A mark without its partner is what it is, and so are those beside it.
                None => at += self.run(at),
            }
        }
        html.text(&self.text[from..]);
    }

    /// How many bytes from here are the same.
    fn run(&self, at: usize) -> usize {
        let bytes = &self.text.as_bytes()[at..];
        bytes.iter().take_while(|byte| **byte == bytes[0]).count()
    }

    /// Writes what begins here, after the plain text before it, and says where it ends.
    fn mark(&mut self, html: &mut Html, plain: &str, at: usize) -> Option<usize> {
        let rest = &self.text[at..];
        match rest.as_bytes()[0] {
            b'\\' => {
                let escaped = rest[1..].starts_with(['\\', '`', '*', '_', '~', '[', ']', '|', '#']);
                escaped.then(|| {
                    html.text(plain);
                    html.text(&rest[1..2]);
                    at + 2
                })
            }
            b'`' => {
                let (inside, after) = self.code(at)?;
                html.text(plain);
                html.fill("<code>{}</code>", &[inside]);
                Some(after)
            }
            b'[' | b'h' if self.linked => None,
            b'[' => {
                let (words, address) = link(rest)?;
                html.text(plain);
                self.link(html, address, words);
                Some(at + words.len() + address.len() + 4)
            }
            b'h' => {
                let address = self.bare_link(at)?;
                html.text(plain);
                self.link(html, address, "");
                Some(at + address.len())
            }
            _ => {
                let (mark, name) = *MARKS.iter().find(|(mark, _)| rest.starts_with(mark))?;
                let (inside, after) = self.between(at, mark)?;
                html.text(plain);
                html.element(name, |html| self.inner(html, inside));
                Some(after)
            }
        }
    }

    /// A text that stands inside of something.
    fn inner(&self, html: &mut Html, text: &str) {
        if self.depth < DEPTH {
            Inline { text, depth: self.depth + 1, grows: false, linked: self.linked, unclosed: String::new() }
                .write(html);
        } else {
            html.text(text);
        }
    }

    fn is_unclosed(&self, mark: &str) -> bool {
        self.unclosed.split(' ').any(|other| other == mark)
    }

    /// What goes on to the end of a text that grows, else nothing, now and later.
    fn open(&mut self, mark: &str, begin: usize) -> Option<(&'a str, usize)> {
        self.unclosed.push(' ');
        self.unclosed.push_str(mark);
        (self.grows && begin < self.text.len() && mark != "*" && mark != "_")
            .then(|| (&self.text[begin..], self.text.len()))
    }

    /// The code that begins here, which ends at as many marks as it begins with.
    fn code(&mut self, at: usize) -> Option<(&'a str, usize)> {
        let width = self.run(at);
        let mark = &self.text[at..at + width];
        if self.is_unclosed(mark) || width > DEPTH {
            return None;
        }
        let begin = at + width;
        let mut end = begin;
        while let Some(found) = self.text[end..].find('`') {
            end += found;
            let run = self.run(end);
            if run == width {
                let inside = &self.text[begin..end];
                let bare = inside.strip_prefix(' ').and_then(|inside| inside.strip_suffix(' '));
                return Some((bare.filter(|bare| bare.contains('`')).unwrap_or(inside), end + width));
            }
            end += run;
        }
        self.open(mark, begin)
    }

    /// What stands between this mark and its partner. Marks stand at the edges of words: `2 * 3`, `snake_case` and `*.log`
    /// have none.
    fn between(&mut self, at: usize, mark: &str) -> Option<(&'a str, usize)> {
        let text = self.text;
        let begin = at + mark.len();
        let edge = |char: char| is_word(char) || "\"'`([{<*_~/".contains(char);
        let width = self.run(at);
        let opens = text[begin..].starts_with(edge) && (width == mark.len() || width == 3 && mark.len() == 2);
        if !opens || text[..at].ends_with(is_word) || text[begin..].starts_with("/*") || self.is_unclosed(mark) {
            return None;
        }
        let mut end = begin;
        let sign = char::from(text.as_bytes()[at]);
        while let Some(found) = text[end..].find(sign) {
            end += found;
            let run = self.run(end);
            let (before, after) = (&text[..end], &text[end + run..]);
            let closes =
                !before.ends_with(char::is_whitespace) && !before.ends_with('/') && !after.starts_with(is_word);
            // Three of them close what is inside, and this.
            if closes && end > begin && (run == mark.len() || run == 3) {
                let end = end + run - mark.len();
                return Some((&text[begin..end], end + mark.len()));
            }
            end += run;
        }
        self.open(mark, begin)
    }

    /// The address that stands here as it is.
    fn bare_link(&self, at: usize) -> Option<&'a str> {
        let rest = &self.text[at..];
        let scheme = ["https://", "http://"].into_iter().find(|scheme| rest.starts_with(scheme))?;
        if self.text[..at].ends_with(is_word) {
            return None;
        }
        let ends = |char: char| char.is_whitespace() || "<>\"`|*".contains(char) || char.is_control();
        let address = rest.split(ends).next().unwrap_or_default();
        // What ends a sentence or a bracket does not belong to it.
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '_', '~', ']']);
        let address = if address.contains('(') { address } else { address.trim_end_matches([')', '.', ',']) };
        (address.len() > scheme.len()).then_some(address)
    }

    fn link(&mut self, html: &mut Html, address: &str, words: &str) {
        html.fill(r#"<a href="{}" target="_blank" rel="noopener noreferrer">"#, &[address]);
        match words {
            "" => html.text(address),
            words => {
                self.linked = true;
                self.inner(html, words);
                self.linked = false;
            }
        }
        html.fill("</a>", &[]);
    }
}

/// The words and the address of the link that begins here, if it leads where a link may lead.
fn link(text: &str) -> Option<(&str, &str)> {
    let words = text[1..].split(['[', ']']).next().unwrap_or_default();
    let address = text[1 + words.len()..].strip_prefix("](")?;
    ["https://", "http://", "mailto:"].into_iter().find(|scheme| address.starts_with(scheme))?;
    let ends = |char: char| char.is_whitespace() || "()<>\"`".contains(char) || char.is_control();
    let address = &address[..address.find(ends)?];
    let closed = text[1 + words.len() + 2 + address.len()..].starts_with(')');
    (closed && !words.trim().is_empty()).then_some((words, address))
}

/// True for what words are made of. What is no mark of ASCII counts: the tables of all letters are too large for a phone.
fn is_word(char: char) -> bool {
    !char.is_whitespace() && !char.is_ascii_punctuation()
}
