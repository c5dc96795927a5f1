//! Figures as small labelled bars, which the page and the parts that the server renders draw alike. HTML as text, in which
//! everybody's text is escaped: the bars are pictures that nothing ever changes in.

use domain::figure::Figure;

/// The bars, as a list.
pub(crate) fn bars(figures: &[Figure]) -> String {
    let mut html = String::from("<ul class=\"meters\">");
    for Figure { name, percent, words, high } in figures {
        let look = if *high { "full" } else { "room" };
        let (name, words, width) = (escaped(name), escaped(words), percent.min(&100));
        // The picture says nothing that the words do not.
        html.push_str(&format!(
            "<li class=\"meter\" data-look=\"{look}\"><span class=\"meter-name\" title=\"{name}\">{name}</span>\
             <svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">\
             <rect class=\"meter-of\" width=\"100\" height=\"8\"></rect>\
             <rect class=\"meter-used\" width=\"{width}\" height=\"8\"></rect></svg>\
             <strong>{percent} %</strong><span class=\"meter-words\">{words}</span></li>"
        ));
    }
    html.push_str("</ul>");
    html
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_where_its_picture_does_and_no_text_becomes_markup() {
        let figure = Figure { name: "/mnt/\"><b>&".into(), percent: 301, words: "<i>6.0</i>".into(), high: true };
        let html = bars(&[figure]);
        assert!(html.contains("width=\"100\" height=\"8\"></rect></svg><strong>301 %"), "{html}");
        assert!(!html.contains("<b>") && !html.contains("<i>") && html.contains("&lt;i>6.0&lt;/i>"), "{html}");
        assert!(html.contains("title=\"/mnt/&quot;>&lt;b>&amp;\""), "{html}");
    }
}
