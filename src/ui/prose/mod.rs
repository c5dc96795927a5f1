//! What an agent writes, as HTML: the Markdown that agents use, and no other. Whatever else stands in it stays text.
//!
//! A text is read line by line and each line once for every level that it is nested in, of which there are few; so it takes
//! time in proportion to its length, whoever wrote it. Nothing that was read is read otherwise because of what comes after
//! its block, so the blocks of a text that is still being written stand where they are while it grows.

mod blocks;
mod inline;

use self::blocks::{Block, blocks};
use super::{html::Html, sample::sample};

/// How deep quotes and lists are read: what is deeper is shown as it stands.
const DEPTH: usize = 3;

/// A text that is complete.
pub(super) fn prose(html: &mut Html, text: &str) {
    let lines: Vec<&str> = text.lines().collect();
    for block in blocks(&lines, 0) {
        write(html, block, 0, false);
    }
}

/// The blocks of a text that is still being written.
pub(super) fn growing(text: &str) -> Vec<Html> {
    let mut lines: Vec<&str> = text.lines().collect();
    // A line of marks alone may be about to become a list, a heading or a table.
    let marks = |line: &&str| line.bytes().all(|byte| b" #>|-+*_=:.)`~0123456789".contains(&byte));
    if !text.ends_with('\n') && lines.last().is_some_and(marks) {
        lines.pop();
    }
    let blocks = blocks(&lines, 0);
    let last = blocks.len().saturating_sub(1);
    let one = |(place, block)| Html::of(|html| write(html, block, 0, place == last));
    blocks.into_iter().enumerate().map(one).collect()
}

/// Writes a block. In one that grows, what was opened and not closed counts as closed at its end.
fn write(html: &mut Html, block: Block<'_>, depth: usize, grows: bool) {
    match block {
        Block::Paragraph(lines) => html.element("p", |html| inlines(html, &lines, grows)),
        Block::Heading(name, text) => html.element(name, |html| inline::write(html, text, grows)),
        Block::Rule => html.fill("<hr>", &[]),
        Block::Code(lines) => sample(html, "", "Code", false, |html| {
            for (place, line) in lines.into_iter().enumerate() {
                html.text(if place > 0 { "\n" } else { "" });
                html.text(line);
            }
        }),
        Block::Quote(lines) => html.element("blockquote", |html| {
            for block in blocks(&lines, depth + 1) {
                write(html, block, depth + 1, false);
            }
        }),
        Block::List { start, items } => {
            let last = items.len().saturating_sub(1);
            html.fill(if start.is_some() { r#"<ol start="{}">"# } else { "<ul>" }, start.as_slice());
            for (place, lines) in items.into_iter().enumerate() {
                html.element("li", |html| item(html, &lines, depth + 1, grows && place == last));
            }
            html.fill(if start.is_some() { "</ol>" } else { "</ul>" }, &[]);
        }
        Block::Table(lines) => table(html, &lines),
    }
}

/// An item of a list: its first paragraph is not apart from its mark.
fn item(html: &mut Html, lines: &[&str], depth: usize, grows: bool) {
    for (place, block) in blocks(lines, depth).into_iter().enumerate() {
        match block {
            Block::Paragraph(lines) if place == 0 => inlines(html, &lines, grows),
            block => write(html, block, depth, false),
        }
    }
}

fn inlines(html: &mut Html, lines: &[&str], grows: bool) {
    let mut text = String::new();
    for line in lines {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line.trim());
    }
    inline::write(html, &text, grows);
}

/// A table scrolls sideways in a box of its own, never the page; keys can reach it because it scrolls.
fn table(html: &mut Html, lines: &[&str]) {
    let ways: Vec<&str> = lines.get(1).filter(|line| is_delimiter(line)).map(|line| cells(line)).unwrap_or_default();
    let has_head = lines.len() == 1 || !ways.is_empty();
    html.fill(r#"<div class="table" tabindex="0" role="region" aria-label="Table"><table>"#, &[]);
    for (place, line) in lines.iter().enumerate().filter(|(_, line)| !is_delimiter(line)) {
        let name = if has_head && place == 0 { "th" } else { "td" };
        html.element("tr", |html| {
            for (column, cell) in cells(line).into_iter().enumerate() {
                let is_end = ways.get(column).is_some_and(|way| way.ends_with(':') && !way.starts_with(':'));
                html.element(name, |html| match is_end {
                    false => inline::write(html, cell, false),
                    true => {
                        html.fill(r#"<div class="end">"#, &[]);
                        inline::write(html, cell, false);
                        html.fill("</div>", &[]);
                    }
                });
            }
        });
    }
    html.fill("</table></div>", &[]);
}

/// The line between a table's head and its rows.
fn is_delimiter(line: &str) -> bool {
    line.bytes().all(|byte| b"|-: \t".contains(&byte))
}

/// The cells of a line of a table. A bar after a backslash is part of its cell.
fn cells(line: &str) -> Vec<&str> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let (mut cells, mut from, mut before) = (Vec::new(), 0, 0);
    for (at, byte) in line.bytes().enumerate() {
        if byte == b'|' && before != b'\\' {
            cells.push(line[from..at].trim());
            from = at + 1;
        }
        before = byte;
    }
    if !line[from..].trim().is_empty() {
        cells.push(line[from..].trim());
    }
    cells
}

#[cfg(test)]
mod tests;
