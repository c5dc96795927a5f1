//! Figures as small labelled bars, which the page and the parts that the server renders draw alike. HTML as text, in which
//! everybody's text is escaped: the bars are pictures that nothing ever changes in.

use domain::figure::Figure;

/// The bars, as a list.
pub(crate) fn bars(figures: &[Figure]) -> String {
    let mut html = String::from("<ul class=\"meters\">");
    for Figure { name, percent, words, high } in figures {
        let (percent, width) = (percent.to_string(), percent.min(&100).to_string());
        // The picture says nothing that the words do not.
        for piece in [
            if *high { "<li class=\"meter\" data-look=\"full\"><span>" } else { "<li class=\"meter\"><span>" },
            &escaped(name),
            "</span><svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect height=\"8\" width=\"",
            &width,
            "\"/></svg><strong>",
            &percent,
            " %</strong><span class=\"meter-words\">",
            &escaped(words),
            "</span></li>",
        ] {
            html.push_str(piece);
        }
    }
    html + "</ul>"
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
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
        assert!(html.contains("width=\"100\"/></svg><strong>301 %"), "{html}");
        assert!(!html.contains("<b>") && !html.contains("<i>") && html.contains("&lt;i>6.0&lt;/i>"), "{html}");
        assert!(html.contains("<span>/mnt/\">&lt;b>&amp;</span>"), "{html}");
    }
}
