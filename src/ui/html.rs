//! HTML as text, in which no text of anybody becomes markup: what is markup is the program's own (`&'static str`), and
//! whatever else goes in is escaped, so that it is text where it stands and cannot end the value of an attribute, all of which
//! are quoted. The server puts it into the page, the browser makes an element of it; so what a row looks like is compiled
//! once, as a few calls, and not as a type for each element.

use domain::{figure::Figure, ids::Millis};

use super::icons;
use crate::bars::bars;

/// HTML in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// What is written by this.
    pub(super) fn of(write: impl FnOnce(&mut Html)) -> Self {
        let mut html = Html::default();
        write(&mut html);
        html
    }

    /// The markup.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// How long it is by now.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A number that differs for almost any two that differ (FNV-1a).
    pub(super) fn fingerprint(&self) -> u32 {
        self.0.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }

    /// Takes back what was written since it was so long.
    pub(super) fn shorten(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Markup, with each of these texts in the place of a `{}`, which stands between tags or between double quotes.
    pub(super) fn fill(&mut self, markup: &'static str, texts: &[&str]) {
        debug_assert_eq!(markup.matches("{}").count(), texts.len(), "{markup}");
        let mut texts = texts.iter();
        for char in markup.chars() {
            match char {
                '{' => self.text(texts.next().copied().unwrap_or_default()),
                '}' => {}
                _ => self.0.push(char),
            }
        }
    }

    /// An element with what is written by this.
    pub(super) fn element(&mut self, name: &'static str, content: impl FnOnce(&mut Html)) {
        self.tag("<", name);
        content(self);
        self.tag("</", name);
    }

    fn tag(&mut self, begin: &'static str, name: &'static str) {
        self.0.push_str(begin);
        self.0.push_str(name);
        self.0.push('>');
    }

    /// A text. A page cannot carry NUL, and a parser makes line ends of the carriage returns that stand in it.
    pub(super) fn text(&mut self, text: &str) {
        for char in text.chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#13;"),
                '\0' => self.0.push('\u{fffd}'),
                _ => self.0.push(char),
            }
        }
    }

    /// Figures as bars, which the server's own parts draw too; what draws them escapes every text in them.
    pub(super) fn bars(&mut self, figures: &[Figure]) {
        self.0.push_str(&bars(figures));
    }

    /// What was made elsewhere.
    pub(super) fn html(&mut self, html: &Html) {
        self.0.push_str(&html.0);
    }

    /// An icon. It says nothing to those who do not see it: the words beside it do.
    pub(super) fn icon(&mut self, name: &str) {
        let markup =
            r#"<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"></path></svg>"#;
        self.fill(markup, &[icons::path(name)]);
    }

    /// A time of day. The server says it in UTC; the browser's part puts its own in place.
    pub(super) fn clock(&mut self, at: Millis) {
        self.fill(r#"<time data-at="{}">{} UTC</time>"#, &[&at.0.to_string(), &at.utc_clock()]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Html;

    #[test]
    fn an_element_is_what_it_says() {
        let html = Html::of(|html| {
            html.fill(r#"<p class="{}">"#, &["a \"b\""]);
            html.element("b", |html| html.text("1 < 2 & 3"));
            html.fill("</p><hr>", &[]);
        });
        assert_eq!(html.as_str(), "<p class=\"a &quot;b&quot;\"><b>1 &lt; 2 &amp; 3</b></p><hr>");
    }

    proptest! {
        #[test]
        fn nothing_in_a_text_or_a_value_is_markup(text in "[<>&\"'/=a\\- \r\n\0]{0,40}") {
            let html = Html::of(|html| html.fill(r#"<p title="{}">{}</p>"#, &[&text, &text]));
            let inside = html.as_str().strip_prefix("<p title=\"").unwrap().strip_suffix("</p>").unwrap();
            let (value, words) = inside.split_once("\">").unwrap();
            for part in [value, words] {
                prop_assert!(!part.contains(['<', '>', '"', '\r', '\0']), "{part}");
                let back = part.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#13;", "\r");
                prop_assert_eq!(back.replace("&amp;", "&"), text.replace('\0', "\u{fffd}"));
            }
        }
    }
}
