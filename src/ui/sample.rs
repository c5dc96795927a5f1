//! Samples: code, commands and what commands wrote. Each scrolls by itself, and can be copied and shown whole.

use super::html::Html;

/// From how many lines or bytes on an output may be higher than its place.
const LINES: usize = 14;
const BYTES: usize = 700;

/// A sample. It stands in an element of its own inside of `pre`, whose first line end a parser drops.
pub(super) fn sample(html: &mut Html, class: &str, label: &str, is_long: bool, content: impl FnOnce(&mut Html)) {
    html.fill(
        r#"<div class="sample"><pre class="{}" tabindex="0" role="group" aria-label="{}"><code>"#,
        &[class, label],
    );
    content(html);
    html.fill("</code></pre>", &[]);
    if is_long {
        html.fill(r#"<button type="button" data-act="whole" aria-pressed="false">Show all</button>"#, &[]);
    }
    act(html, "copy", "Copy");
    html.fill("</div>", &[]);
}

/// True for an output that may be higher than its place.
pub(super) fn is_long(text: &str) -> bool {
    text.len() > BYTES || text.bytes().filter(|byte| *byte == b'\n').count() > LINES
}

/// A small button that the browser's part listens to. Without script it is not shown.
pub(super) fn act(html: &mut Html, act: &str, words: &str) {
    let markup = r#"<button type="button" class="small" data-act="{}" aria-label="{}" title="{}">"#;
    html.fill(markup, &[act, words, words]);
    html.icon(act);
    html.fill("</button>", &[]);
}
