use proptest::prelude::*;

use super::{super::html::Html, growing, prose};

fn shown(text: &str) -> String {
    let html = Html::of(|html| prose(html, text)).as_str().to_owned();
    // What each block of code has around it is the same.
    let (head, tail) = sample_around();
    html.replace(&head, "<pre>").replace(&tail, "</pre>")
}

fn sample_around() -> (String, String) {
    let html = Html::of(|html| prose(html, "```\nWORDS")).as_str().to_owned();
    let (head, tail) = html.split_once("WORDS").unwrap();
    (head.to_owned(), tail.to_owned())
}

fn is(text: &str, html: &str) {
    assert_eq!(shown(text), html, "{text}");
}

#[test]
fn lines_make_paragraphs_and_marks_make_lists() {
    is(
        "one\ntwo\n\nthree\n- a\n- b\n\n- c\nfour",
        "<p>one\ntwo</p><p>three</p><ul><li>a</li><li>b</li><li>c</li></ul><p>four</p>",
    );
    is("3. a\n4) b", "<ol start=\"3\"><li>a</li><li>b</li></ol>");
    is("the year\n1986. was", "<p>the year\n1986. was</p>");
    is("- a\n  - b\n  - c\n- d", "<ul><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ul>");
    is("1. a\n\n   ```\n   x\n   ```\n\n2. b", "<ol start=\"1\"><li>a<pre>x</pre></li><li>b</li></ol>");
    is("- a\n\n  more\n\nafter", "<ul><li>a<p>more</p></li></ul><p>after</p>");
    is("-a\n*b\n1.c", "<p>-a\n*b\n1.c</p>");
}

#[test]
fn a_fence_makes_a_block_of_code_in_which_nothing_is_a_mark() {
    is(
        "look:\n```sh\n- a\n\n  **b**\n```\nwell\n```\nopen",
        "<p>look:</p><pre>- a\n\n  **b**</pre><p>well</p><pre>open</pre>",
    );
    is("````\n```\n````\nx", "<pre>```</pre><p>x</p>");
    is("~~~\nx\n~~~", "<pre>x</pre>");
}

#[test]
fn headings_rules_and_quotes_are_what_they_look_like() {
    is("## What **was** wrong\n### So\n#1 of 2", "<h2>What <strong>was</strong> wrong</h2><h3>So</h3><p>#1 of 2</p>");
    is("a\n---\n***\nb", "<p>a</p><hr><hr><p>b</p>");
    is("> a\n> - b\nc", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote><p>c</p>");
}

#[test]
fn bars_make_tables() {
    let table = |rows: &str| {
        format!("<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>{rows}</table></div>")
    };
    let whole = table(
        "<tr><th>a</th><th><div class=\"end\">b</div></th></tr><tr><td>1 | 2</td><td><div class=\"end\"><code>c</code></div></td></tr>",
    );
    is("| a | b |\n|---|--:|\n| 1 \\| 2 | `c` |\nafter", &format!("{whole}<p>after</p>"));
    is("| a | b", &table("<tr><th>a</th><th>b</th></tr>"));
    is("a | b", "<p>a | b</p>");
}

#[test]
fn what_stands_between_marks_is_code_or_strong_or_struck() {
    is("a `b` c `d", "<p>a <code>b</code> c `d</p>");
    is("**a**: *b* `**c**` ~~d~~", "<p><strong>a</strong>: <em>b</em> <code>**c**</code> <del>d</del></p>");
    is("**/*.rs or **/*.toml, **`d`", "<p>**/*.rs or **/*.toml, **<code>d</code></p>");
    is("**`nginx`** is ***up***", "<p><strong><code>nginx</code></strong> is <strong><em>up</em></strong></p>");
    is("a_b_c 2 * 3 * 4 rm *.log /tmp/*.txt", "<p>a_b_c 2 * 3 * 4 rm *.log /tmp/*.txt</p>");
    is("__a__ _b_ **c *d***", "<p><strong>a</strong> <em>b</em> <strong>c <em>d</em></strong></p>");
    is("`` a`b `` \\*c\\*", "<p><code>a`b</code> *c*</p>");
    is("", "");
}

#[test]
fn links_lead_where_links_may_lead_and_open_apart() {
    let link = |href: &str, words: &str| {
        format!("<a href=\"{href}\" target=\"_blank\" rel=\"noopener noreferrer\">{words}</a>")
    };
    is(
        "[a **b**](https://x.y/z?a=1&b)",
        &format!("<p>{}</p>", link("https://x.y/z?a=1&amp;b", "a <strong>b</strong>")),
    );
    is(
        "see https://x.y/z, or (http://a.b).",
        &format!("<p>see {}, or ({}).</p>", link("https://x.y/z", "https://x.y/z"), link("http://a.b", "http://a.b")),
    );
    is("[m](mailto:a@b.c)", &format!("<p>{}</p>", link("mailto:a@b.c", "m")));
    for text in [
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:x)",
        "[a](data:text/html,x)",
        "[a](//evil)",
        "[a](/s/1)",
        "[a](vbscript:x)",
        "xhttp://y",
    ] {
        is(text, &format!("<p>{text}</p>"));
    }
}

#[test]
fn nothing_in_a_text_becomes_markup() {
    for text in [
        "<img src=x onerror=alert(1)>",
        "`</code><script>`",
        "- <b>\u{0}</b>",
        "| <i> |\n|--|\n| <u>\" |",
        "```<x>\n</code></pre><script>",
        "[<b>](https://x\"onclick=alert(1))",
        "https://x\"><script>alert(1)</script>",
        "# <h1 onclick=x>",
        "> <svg/onload=x>",
        "1. <a href='javascript:x'>",
    ] {
        hostile(text);
    }
}

/// Takes out all that the renderer itself writes; no mark of markup may be left.
fn hostile(text: &str) {
    let mut left = shown(text);
    let names = [
        "p",
        "h2",
        "h3",
        "ul",
        "ol",
        "li",
        "pre",
        "code",
        "blockquote",
        "strong",
        "em",
        "del",
        "table",
        "tr",
        "th",
        "td",
        "div",
        "a",
    ];
    for name in names {
        left = left.replace(&format!("<{name}>"), "").replace(&format!("</{name}>"), "");
    }
    for look in
        ["<hr>", "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">", "<div class=\"end\">"]
    {
        left = left.replace(look, "");
    }
    while let Some((before, rest)) = left.split_once("<a href=\"") {
        let (address, rest) = rest.split_once("\" target=\"_blank\" rel=\"noopener noreferrer\">").unwrap();
        assert!(["http://", "https://", "mailto:"].iter().any(|scheme| address.starts_with(scheme)), "{address}");
        left = format!("{before}{address}{rest}");
    }
    while let Some((before, rest)) = left.split_once("<ol start=\"") {
        let (number, rest) = rest.split_once("\">").unwrap();
        assert!(number.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        left = format!("{before}{rest}");
    }
    assert!(!left.contains(['<', '>', '"']), "{text}\n{left}");
}

const REPORT: &str = "## What was wrong\n\nThe disk of **devvm** was full: `/var/log` had *41 GiB*.\n\n\
    | mount | used | free |\n|---|---:|---:|\n| `/` | 100 % | 0 |\n| /boot | 12 % | 800 MiB |\n\n\
    1. I looked at `df -h`\n2. and removed:\n   - old logs\n   - a core dump\n\n   ```sh\n   rm -v /var/log/*.1\n   ```\n3. then I looked again.\n\n\
    > Nothing else was **touched**.\n\n---\n\nSee [the runbook](https://example.org/run#book) or https://example.org/.\n\n\
    ```\nFilesystem  Size\n\n/dev/vda1   98G\n```\n\n~~Later~~ Now it is well.\n";

#[test]
fn what_was_shown_of_a_text_stands_while_it_grows() {
    let whole = growing(REPORT);
    for end in (0..REPORT.len()).filter(|end| REPORT.is_char_boundary(*end)) {
        let part = growing(&REPORT[..end]);
        let stands = part.len().saturating_sub(1);
        assert_eq!(part[..stands], whole[..stands], "{}", &REPORT[..end]);
    }
    let together: String = whole.iter().map(Html::as_str).collect();
    assert_eq!(together, Html::of(|html| prose(html, REPORT)).as_str(), "and it is what stays");
}

#[test]
fn what_is_unfinished_is_shown_as_what_it_becomes() {
    let last = |text: &str| growing(text).last().map(|html| html.as_str().to_owned()).unwrap_or_default();
    assert_eq!(last("a **b"), "<p>a <strong>b</strong></p>");
    assert_eq!(last("a `b"), "<p>a <code>b</code></p>");
    assert_eq!(last("- a\n- **b"), "<ul><li>a</li><li><strong>b</strong></li></ul>");
    assert_eq!(last("a\n\n##"), "<p>a</p>");
    assert_eq!(last("| a | b |\n|--"), last("| a | b |"));
    assert_eq!(last("x\n```sh\nls"), last("x\n```sh\nls\n```"));
    assert_eq!(growing("1"), []);
}

#[test]
fn a_text_of_any_kind_takes_no_more_than_its_length() {
    let size = 256 << 10;
    let patterns = [
        "> ",
        "- ",
        "  - ",
        "1. ",
        "* ",
        "**",
        "**a",
        "*a ",
        "_a_",
        "`",
        "`` ",
        "```\n",
        "[",
        "[a](",
        "[a](http://",
        "](",
        "http://",
        "~~",
        "\\",
        "|",
        "| a ",
        "| a |\n",
        "#",
        "# ",
        "\n",
        "a\n\n",
        "***a",
        "**a `",
        "(http://x",
        " _",
        "> - > 1. ",
        "- a\n\n  ",
        "h",
        "`a``b```c",
    ];
    for pattern in patterns {
        let text = pattern.repeat(size / pattern.len());
        let html = Html::of(|html| prose(html, &text));
        // A copy button stands for a fence of four bytes; all else is a few letters.
        assert!(html.len() < 160 * size, "{pattern:?}: {}", html.len());
        growing(&text);
    }
}

proptest! {
    #[test]
    fn nothing_of_any_text_becomes_markup(text in "([a-c<>&\"'`*_~#|\\-\\[\\]()>.1h: \n]|https://|javascript:|\\]\\(|```\n|- ){0,40}") {
        hostile(&text);
    }

    #[test]
    fn every_letter_of_a_text_is_shown(text in "([a-c *_\n-]|äö|\u{2003}|> |\\| ){0,60}") {
        let letters = |text: &str| text.chars().filter(|char| "abcäö".contains(*char)).collect::<String>();
        let mut bare = String::new();
        let html = shown(&text);
        for piece in html.split('<') {
            bare.push_str(piece.split_once('>').map_or("", |(_, words)| words));
        }
        prop_assert_eq!(letters(&bare), letters(&text));
    }
}
