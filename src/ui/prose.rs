//! Plain text with light Markdown as elements: paragraphs, headings, lists, blocks of code, `code` and **strong** words.
//! Whatever else is in it stays text.

use domain::text::{joined, parted};
use leptos::{either::EitherOf3, prelude::*};

use super::part::{Part, Parts, part};

/// A run of lines that belong together.
#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Paragraph(Vec<&'a str>),
    List(Vec<&'a str>),
    Code(Vec<&'a str>),
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let (mut open, mut code) = (false, false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
            open = false;
            if code {
                blocks.push(Block::Code(Vec::new()));
            }
            continue;
        }
        if let (true, Some(Block::Code(lines))) = (code, blocks.last_mut()) {
            lines.push(line);
            continue;
        }
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        match (item, blocks.last_mut()) {
            (Some(item), Some(Block::List(items))) if open => items.push(item),
            (Some(item), _) => blocks.push(Block::List(vec![item])),
            (None, Some(Block::Paragraph(lines))) if open => lines.push(line),
            (None, _) => blocks.push(Block::Paragraph(vec![line])),
        }
        open = true;
    }
    blocks
}

/// A text as a page can carry it: a parser drops NUL, and what it drops the browser's part would look for in vain.
pub(super) fn shown(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A text in which nothing hides, for what somebody is to allow: what is not seen, or turns the order of reading round,
/// is spelled out.
pub(super) fn revealed(text: &str) -> String {
    let mut revealed = String::new();
    for char in text.chars() {
        let hides = char.is_control() && !matches!(char, '\n' | '\t')
            || matches!(char, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(char, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..);
        if hides {
            revealed.push_str(&format!("⟨U+{:04X}⟩", char as u32));
        } else {
            revealed.push(char);
        }
    }
    revealed
}

/// The text as elements.
pub(super) fn prose(text: &str) -> Parts {
    let render = |block: Block<'_>| match block {
        Block::Paragraph(lines) => {
            let lines = together(&lines);
            part(move || view! { <p>{inline(&lines)}</p> })
        }
        Block::List(items) => {
            let items: Vec<_> = items.into_iter().map(item).collect();
            part(move || view! { <ul>{Parts::from(items)}</ul> })
        }
        Block::Code(lines) => {
            let lines = together(&lines);
            part(move || view! { <pre tabindex="0"><code>{lines}</code></pre> })
        }
    };
    blocks(&shown(text)).into_iter().map(render).collect::<Vec<_>>().into()
}

fn together(lines: &[&str]) -> String {
    joined(&mut lines.iter().map(|line| (*line).to_owned()), "\n")
}

fn item(text: &str) -> Part {
    let text = text.to_owned();
    part(move || view! { <li>{inline(&text)}</li> })
}

/// Text in which what stands between marks is code, or strong.
fn inline(text: &str) -> impl IntoView + use<> {
    pieces(text)
        .into_iter()
        .map(|(kind, piece)| match kind {
            Kind::Plain => EitherOf3::A(piece),
            Kind::Code => EitherOf3::B(view! { <code>{piece}</code> }),
            Kind::Strong => EitherOf3::C(view! { <strong>{piece}</strong> }),
        })
        .collect::<Vec<_>>()
}

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Code,
    Strong,
}

/// The pieces of a text. A mark without its partner is what it is; a line that begins as a heading is strong.
fn pieces(text: &str) -> Vec<(Kind, String)> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let heading = text.trim_start_matches('#');
    if heading.len() < text.len() && heading.starts_with(' ') && !heading.contains('\n') {
        return vec![(Kind::Strong, heading.trim().replace(['*', '`'], ""))];
    }
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        plain.push_str(before);
        let (kind, mark) = match marked.as_bytes() {
            [b'`', ..] => (Kind::Code, "`"),
            [b'*', b'*', ..] => (Kind::Strong, "**"),
            _ => (Kind::Plain, "*"),
        };
        let inside = &marked[mark.len()..];
        let closed = parted(inside, mark).filter(|(inside, _)| match kind {
            Kind::Plain => false,
            Kind::Code => true,
            // Two stars around spaces are two stars, as in a pattern of files.
            Kind::Strong => !inside.is_empty() && inside.trim() == *inside,
        });
        match closed {
            Some((inside, after)) => {
                pieces.push((Kind::Plain, std::mem::take(&mut plain)));
                pieces.push((kind, if kind == Kind::Strong { inside.replace('`', "") } else { inside.to_owned() }));
                rest = after;
            }
            None => {
                plain.push_str(mark);
                rest = inside;
            }
        }
    }
    plain.push_str(rest);
    pieces.push((Kind::Plain, plain));
    pieces.retain(|(_, piece)| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_make_paragraphs_and_dashes_make_lists() {
        let found = blocks("one\ntwo\n\nthree\n- a\n- b\n\n- c\nfour");
        assert_eq!(
            found,
            [
                Block::Paragraph(vec!["one", "two"]),
                Block::Paragraph(vec!["three"]),
                Block::List(vec!["a", "b"]),
                Block::List(vec!["c"]),
                Block::Paragraph(vec!["four"]),
            ]
        );
    }

    #[test]
    fn a_fence_makes_a_block_of_code_in_which_nothing_is_a_mark() {
        let found = blocks("look:\n```sh\n- a\n\n  **b**\n```\nwell\n```\nopen");
        assert_eq!(
            found,
            [
                Block::Paragraph(vec!["look:"]),
                Block::Code(vec!["- a", "", "  **b**"]),
                Block::Paragraph(vec!["well"]),
                Block::Code(vec!["open"]),
            ]
        );
    }

    #[test]
    fn what_stands_between_marks_is_code_or_strong() {
        use Kind::{Code, Plain, Strong};
        let is = |text: &str, expected: &[(Kind, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(kind, piece)| (*kind, (*piece).to_owned())).collect();
            assert_eq!(pieces(text), expected, "{text}");
        };
        is("a `b` c `d", &[(Plain, "a "), (Code, "b"), (Plain, " c `d")]);
        is("**a**: *b* `**c**`", &[(Strong, "a"), (Plain, ": *b* "), (Code, "**c**")]);
        is("**/*.rs or **/*.toml, **`d`", &[(Plain, "**/*.rs or **/*.toml, **"), (Code, "d")]);
        is("**`nginx`** is up", &[(Strong, "nginx"), (Plain, " is up")]);
        is("## What **was** wrong", &[(Strong, "What was wrong")]);
        is("#1 of 2", &[(Plain, "#1 of 2")]);
        is("", &[]);
    }

    #[test]
    fn nothing_hides_in_what_is_to_be_allowed() {
        assert_eq!(revealed("ls\t-l 'ä'\n"), "ls\t-l 'ä'\n");
        assert_eq!(revealed("a\rb\u{202e}c\u{200b}\0"), "a⟨U+000D⟩b⟨U+202E⟩c⟨U+200B⟩⟨U+0000⟩");
    }

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        let html = view! { <div>{prose("<img src=x onerror=alert(1)> `</code><script>` - \u{0}")}</div> }.to_html();
        assert!(!html.contains("<img") && !html.contains("<script"), "{html}");
    }
}
