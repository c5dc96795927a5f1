//! The blocks of a text, found line by line.

/// Lines that belong together.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    Paragraph(Vec<&'a str>),
    /// By the name of its element.
    Heading(&'static str, &'a str),
    Rule,
    Code(Vec<&'a str>),
    Quote(Vec<&'a str>),
    Table(Vec<&'a str>),
    /// With the number of its first item, if they are numbered, and the lines of each.
    List {
        start: Option<&'a str>,
        items: Vec<Vec<&'a str>>,
    },
}

/// The mark that an item of a list begins with: its number, if it has one, and how wide it is.
struct Mark<'a> {
    number: Option<&'a str>,
    width: usize,
}

/// The blocks of these lines, in which lists and quotes are read to a certain depth.
pub(super) fn blocks<'a>(lines: &[&'a str], depth: usize) -> Vec<Block<'a>> {
    let mut blocks = Vec::new();
    let mut lines = lines;
    while let Some((line, rest)) = lines.split_first() {
        let bare = unindented(line);
        let nests = depth < super::DEPTH;
        let block = if bare.trim().is_empty() {
            lines = rest;
            continue;
        } else if let Some(fence) = fence(bare) {
            lines = rest;
            Block::Code(code(&mut lines, fence, line.len() - bare.len()))
        } else if let Some((name, text)) = heading(bare) {
            lines = rest;
            Block::Heading(name, text)
        } else if is_rule(bare) {
            lines = rest;
            Block::Rule
        } else if nests && bare.starts_with('>') {
            Block::Quote(while_they_are(&mut lines, |line| {
                let quoted = unindented(line).strip_prefix('>')?;
                Some(quoted.strip_prefix(' ').unwrap_or(quoted))
            }))
        } else if is_table(bare) {
            Block::Table(while_they_are(&mut lines, |line| Some(line).filter(|line| unindented(line).starts_with('|'))))
        } else if let Some(mark) = mark(bare).filter(|_| nests) {
            list(&mut lines, &mark)
        } else {
            let mut first = true;
            Block::Paragraph(while_they_are(&mut lines, |line| {
                let goes_on = std::mem::take(&mut first) || !begins_another(line, nests);
                Some(line).filter(|line| goes_on && !line.trim().is_empty())
            }))
        };
        blocks.push(block);
    }
    blocks
}

/// Takes lines, as long as they are what is looked for, and what each is of it.
fn while_they_are<'a>(lines: &mut &[&'a str], mut what: impl FnMut(&'a str) -> Option<&'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    while let Some((line, rest)) = lines.split_first()
        && let Some(line) = what(line)
    {
        found.push(line);
        *lines = rest;
    }
    found
}

/// True for a line that a paragraph does not go on with.
fn begins_another(line: &str, nests: bool) -> bool {
    let bare = unindented(line);
    let list = || mark(bare).is_some_and(|mark| matches!(mark.number, None | Some("1")));
    fence(bare).is_some()
        || heading(bare).is_some()
        || is_rule(bare)
        || is_table(bare)
        || nests && (bare.starts_with('>') || list())
}

/// What opens a block of code.
fn fence(bare: &str) -> Option<&str> {
    ['`', '~'].into_iter().find_map(|mark| {
        let after = bare.trim_start_matches(mark);
        let width = bare.len() - after.len();
        (width >= 3 && !after.contains(mark)).then_some(&bare[..width])
    })
}

/// The lines up to the end of a block of code, without as much of their indentation as its fence has.
fn code<'a>(lines: &mut &[&'a str], fence: &str, indent: usize) -> Vec<&'a str> {
    let mark = fence.chars().next().unwrap_or_default();
    let is_end = |line: &str| line.trim().starts_with(fence) && line.trim().trim_matches(mark).is_empty();
    let found = while_they_are(lines, |line| (!is_end(line)).then(|| outdented(line, indent)));
    *lines = lines.get(1..).unwrap_or_default();
    found
}

/// A line without so many of the spaces at its beginning.
fn outdented(line: &str, most: usize) -> &str {
    &line[indent(line).min(most)..]
}

fn indent(line: &str) -> usize {
    line.len() - unindented(line).len()
}

/// A line without its indentation.
fn unindented(line: &str) -> &str {
    line.trim_start_matches([' ', '\t'])
}

fn heading(bare: &str) -> Option<(&'static str, &str)> {
    let text = bare.trim_start_matches('#');
    let level = bare.len() - text.len();
    let text = text.strip_prefix(' ').filter(|_| (1..=6).contains(&level))?;
    Some((if level < 3 { "h2" } else { "h3" }, text.trim().trim_end_matches('#').trim_end()))
}

fn is_rule(bare: &str) -> bool {
    let marks = |mark: u8| {
        bare.bytes().all(|byte| byte == mark || byte == b' ') && bare.bytes().filter(|byte| *byte == mark).count() > 2
    };
    marks(b'-') || marks(b'*') || marks(b'_')
}

fn is_table(bare: &str) -> bool {
    bare.strip_prefix('|').is_some_and(|rest| rest.contains('|'))
}

fn mark(bare: &str) -> Option<Mark<'_>> {
    let after = bare.trim_start_matches(|char: char| char.is_ascii_digit());
    let number = &bare[..bare.len() - after.len()];
    let marks: &[char] = if number.is_empty() { &['-', '*', '+'] } else { &['.', ')'] };
    after.strip_prefix(marks)?.strip_prefix(' ').filter(|_| number.len() < 10)?;
    Some(Mark { number: Some(number).filter(|number| !number.is_empty()), width: number.len() + 2 })
}

/// A list: what is indented further than its marks belongs to the item before it.
fn list<'a>(lines: &mut &[&'a str], first: &Mark<'a>) -> Block<'a> {
    let start = lines.first().map_or(0, |line| indent(line));
    let mut items: Vec<Vec<&str>> = Vec::new();
    let mut width = start + first.width;
    let mut rest = *lines;
    while let Some((line, after)) = rest.split_first() {
        let (bare, deep) = (unindented(line), indent(line));
        let next = mark(bare)
            .filter(|mark| mark.number.is_some() == first.number.is_some() && deep < start + 2 && !is_rule(bare));
        match (next, items.last_mut()) {
            // What is empty belongs to an item only if something after it does.
            _ if bare.trim().is_empty() => {
                rest = after;
                continue;
            }
            (Some(mark), _) => {
                width = deep + mark.width;
                items.push(vec![&line[width..]]);
            }
            (None, Some(item)) if deep >= start + 2 => {
                if lines.len() > rest.len() {
                    item.push("");
                }
                item.push(outdented(line, width));
            }
            _ => break,
        }
        rest = after;
        *lines = after;
    }
    Block::List { start: first.number, items }
}
