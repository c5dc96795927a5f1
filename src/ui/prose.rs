//! Plain text with light Markdown as elements: paragraphs, lists, `code`. Whatever else is in it stays text.

use leptos::prelude::*;

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

/// The text as elements.
pub(super) fn prose(text: &str) -> impl IntoView + use<> {
    let render = |block: Block<'_>| match block {
        Block::Paragraph(lines) => view! { <p>{inline(&lines.join("\n"))}</p> }.into_any(),
        Block::List(items) => {
            let items: Vec<_> = items.into_iter().map(|item| view! { <li>{inline(item)}</li> }).collect();
            view! { <ul>{items}</ul> }.into_any()
        }
    };
    blocks(text).into_iter().map(render).collect::<Vec<_>>()
}

/// Text in which what stands between backticks is code. A backtick without its partner is a backtick.
fn inline(text: &str) -> Vec<AnyView> {
    let mut views = Vec::new();
    let mut rest = text;
    while let Some((before, code, after)) = rest.split_once('`').and_then(|(before, after)| {
        let (code, after) = after.split_once('`')?;
        Some((before, code, after))
    }) {
        if !before.is_empty() {
            views.push(before.to_owned().into_any());
        }
        views.push(view! { <code>{code.to_owned()}</code> }.into_any());
        rest = after;
    }
    if !rest.is_empty() {
        views.push(rest.to_owned().into_any());
    }
    views
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
    fn nothing_in_a_text_becomes_markup() {
        let html = view! { <div>{prose("<img src=x onerror=alert(1)> `</code><script>` - \u{0}")}</div> }.to_html();
        assert!(!html.contains("<img") && !html.contains("<script"), "{html}");
    }
}
