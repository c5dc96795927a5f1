//! Plain text with light Markdown as elements: paragraphs, lists, `code`. Whatever else is in it stays text.

use leptos::{either::Either, prelude::*};

/// A run of lines that belong together.
#[derive(Debug, PartialEq, Eq)]
enum Block<'a> {
    Paragraph(Vec<&'a str>),
    List(Vec<&'a str>),
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.trim().is_empty() {
            open = false;
            continue;
        }
        match (line.strip_prefix("- "), blocks.last_mut()) {
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
pub(super) fn prose(text: &str) -> impl IntoView + use<> {
    let render = |block: Block<'_>| match block {
        Block::Paragraph(lines) => Either::Left(view! { <p>{inline(&lines.join("\n"))}</p> }),
        Block::List(items) => {
            let items: Vec<_> = items.into_iter().map(|item| view! { <li>{inline(item)}</li> }).collect();
            Either::Right(view! { <ul>{items}</ul> })
        }
    };
    blocks(&shown(text)).into_iter().map(render).collect::<Vec<_>>()
}

/// Text in which what stands between backticks is code. A backtick without its partner is a backtick.
fn inline(text: &str) -> impl IntoView + use<> {
    pieces(text)
        .into_iter()
        .map(|(is_code, piece)| match is_code {
            true => Either::Left(view! { <code>{piece}</code> }),
            false => Either::Right(piece),
        })
        .collect::<Vec<_>>()
}

fn pieces(text: &str) -> Vec<(bool, String)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, code, after)) = rest.split_once('`').and_then(|(before, after)| {
        let (code, after) = after.split_once('`')?;
        Some((before, code, after))
    }) {
        if !before.is_empty() {
            pieces.push((false, before.to_owned()));
        }
        if !code.is_empty() {
            pieces.push((true, code.to_owned()));
        }
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push((false, rest.to_owned()));
    }
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
    fn what_stands_between_backticks_is_code() {
        let piece = |is_code, text: &str| (is_code, text.to_owned());
        assert_eq!(pieces("a `b` c `d"), [piece(false, "a "), piece(true, "b"), piece(false, " c `d")]);
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
