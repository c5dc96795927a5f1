//! What a command wrote, as a terminal would show it: its colours, by classes, and of a line that it wrote over again and
//! again the last state. Every other control sequence is left out, and nothing that a terminal would hide is hidden.

use super::html::Html;

/// How what follows is shown.
#[derive(Clone, Copy, Default, PartialEq)]
struct Style {
    ink: Option<u8>,
    ground: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    under: bool,
    inverse: bool,
    struck: bool,
}

/// The names of a colour's classes. The bright ones are the same, and bold.
const INKS: [&str; 8] = ["ink-0", "ink-1", "ink-2", "ink-3", "ink-4", "ink-5", "ink-6", "ink-7"];

/// Writes an output.
pub(super) fn write(html: &mut Html, output: &str) {
    let mut style = Style::default();
    let mut words = String::new();
    let mut line = html.len();
    let mut rest = output.chars();
    while let Some(char) = rest.next() {
        match char {
            '\u{1b}' => {
                flush(html, &mut words, style);
                escape(&mut rest, &mut style);
            }
            '\n' => {
                flush(html, &mut words, style);
                html.text("\n");
                line = html.len();
            }
            // A line that is written over. At its end it is only an end of line as some systems write it.
            '\r' => {
                let next = rest.as_str().trim_start_matches('\r');
                if !next.is_empty() && !next.starts_with('\n') {
                    words.clear();
                    html.shorten(line);
                }
            }
            // A letter that is struck over.
            '\u{8}' => {
                words.pop();
            }
            '\t' => words.push(char),
            _ if char.is_control() && char != '\0' => {}
            _ => words.push(char),
        }
    }
    flush(html, &mut words, style);
}

fn flush(html: &mut Html, words: &mut String, style: Style) {
    if words.is_empty() {
        return;
    }
    // What has a ground of its own is shown on that, in the colour of the page's: so each pair can be read.
    let (ground, inverse) = (style.ground, style.inverse || style.ground.is_some());
    let ink = if style.inverse { style.ink } else { ground.or(style.ink) };
    let mut class = String::new();
    let mut add = |is: bool, name: &str| {
        if is {
            class.push_str(if class.is_empty() { "" } else { " " });
            class.push_str(name);
        }
    };
    add(style.bold || ink.is_some_and(|ink| ink > 8), "bold");
    add(style.dim, "dim");
    add(style.italic, "italic");
    add(style.under, "under");
    add(style.struck, "struck");
    add(inverse, "inverse");
    // The bright black is a grey, as the black is here.
    add(ink.is_some(), INKS[usize::from(ink.unwrap_or_default() % 8)]);
    if class.is_empty() {
        html.text(words);
    } else {
        html.fill(r#"<span class="{}">{}</span>"#, &[&class, words]);
    }
    words.clear();
}

/// Takes what follows an escape, and what it means for the style.
fn escape(rest: &mut std::str::Chars<'_>, style: &mut Style) {
    match rest.as_str().chars().next() {
        Some('[') => {
            rest.next();
            let all = rest.as_str();
            let parameters = all.trim_start_matches(|char| matches!(char, '\u{20}'..='\u{3f}'));
            let (numbers, mut after) = (&all[..all.len() - parameters.len()], parameters.chars());
            match parameters.chars().next() {
                Some('m') => {
                    after.next();
                    restyle(style, numbers);
                }
                Some('\u{40}'..='\u{7e}') => {
                    after.next();
                }
                _ => {}
            }
            *rest = after;
        }
        // A text for the terminal itself, up to its end, or to the line's: it hides nothing after that.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let all = rest.as_str();
            let end = all.find(['\u{7}', '\u{1b}', '\n']).unwrap_or(all.len());
            let after = &all[end..];
            *rest = after.strip_prefix('\u{7}').or(after.strip_prefix("\u{1b}\\")).unwrap_or(after).chars();
        }
        // Others are of one letter, after whatever says of which kind.
        Some(_) => {
            let after = rest.as_str().trim_start_matches(|char| matches!(char, '\u{20}'..='\u{2f}'));
            *rest = after.strip_prefix(|char| matches!(char, '\u{30}'..='\u{7e}')).unwrap_or(after).chars();
        }
        None => {}
    }
}

/// Changes the style by the numbers of a sequence.
fn restyle(style: &mut Style, numbers: &str) {
    let mut numbers = numbers.split([';', ':']).map(|number| match number {
        "" => Some(0),
        number => number.parse::<u8>().ok(),
    });
    while let Some(number) = numbers.next() {
        match number.unwrap_or(u8::MAX) {
            0 => *style = Style::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            3 => style.italic = true,
            4 => style.under = true,
            7 => style.inverse = true,
            9 => style.struck = true,
            22 => (style.bold, style.dim) = (false, false),
            23 => style.italic = false,
            24 => style.under = false,
            27 => style.inverse = false,
            29 => style.struck = false,
            ink @ 30..=37 => style.ink = Some(ink - 30),
            ink @ 90..=97 => style.ink = Some(ink - 82),
            39 => style.ink = None,
            // A black ground is what the page has.
            40 | 49 => style.ground = None,
            ground @ 41..=47 => style.ground = Some(ground - 40),
            ground @ 100..=107 => style.ground = Some(ground - 92),
            which @ (38 | 48) => {
                let place = if which == 38 { &mut style.ink } else { &mut style.ground };
                let mut next = || numbers.next().flatten();
                *place = match next() {
                    Some(5) => next().map(of_256),
                    Some(2) => match (next(), next(), next()) {
                        (Some(red), Some(green), Some(blue)) => Some(of_parts(red, green, blue)),
                        _ => None,
                    },
                    _ => None,
                };
            }
            _ => {}
        }
    }
}

/// The nearest of the sixteen for one of the 256: those, a cube of six by six by six, and a row of greys.
fn of_256(number: u8) -> u8 {
    match number {
        0..=15 => number,
        16..=231 => {
            let cube = number - 16;
            let part = |part: u8| part * 51;
            of_parts(part(cube / 36), part(cube / 6 % 6), part(cube % 6))
        }
        232.. => of_parts((number - 232) * 10, (number - 232) * 10, (number - 232) * 10),
    }
}

fn of_parts(red: u8, green: u8, blue: u8) -> u8 {
    let most = red.max(green).max(blue);
    let is = |part: u8| u8::from(part > most / 2);
    // What is dark all over is the grey.
    if most < 96 { 0 } else { is(red) | is(green) << 1 | is(blue) << 2 | u8::from(most > 220) << 3 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Html, write};

    fn shown(output: &str) -> String {
        Html::of(|html| write(html, output)).as_str().to_owned()
    }

    #[test]
    fn colours_and_weights_are_classes() {
        assert_eq!(shown("a \u{1b}[31mred\u{1b}[0m b"), "a <span class=\"ink-1\">red</span> b");
        assert_eq!(shown("\u{1b}[1;4;93mx\u{1b}[22;24;39my"), "<span class=\"bold under ink-3\">x</span>y");
        assert_eq!(shown("\u{1b}[2;3;9mx\u{1b}[29;23;22my"), "<span class=\"dim italic struck\">x</span>y");
        assert_eq!(shown("\u{1b}[7mx\u{1b}[27my"), "<span class=\"inverse\">x</span>y");
        assert_eq!(
            shown("\u{1b}[37;41mx\u{1b}[49my\u{1b}[my"),
            "<span class=\"inverse ink-1\">x</span><span class=\"ink-7\">y</span>y"
        );
        assert_eq!(
            shown("\u{1b}[38;5;196mx\u{1b}[38;5;10my\u{1b}[38;2;0;128;0mz"),
            "<span class=\"bold ink-1\">x</span><span class=\"bold ink-2\">y</span><span class=\"ink-2\">z</span>"
        );
        assert_eq!(shown("\u{1b}[38;5;238mx\u{1b}[38;5mz"), "<span class=\"ink-0\">x</span>z");
    }

    #[test]
    fn every_other_sequence_is_left_out_and_what_is_after_it_is_not() {
        assert_eq!(shown("a\u{1b}[2J\u{1b}[1;1Hb\u{1b}[?25lc\u{1b}(Bd\u{1b}=e\u{7}"), "abcde");
        assert_eq!(shown("\u{1b}]0;title\u{7}a\u{1b}]8;;http://x\u{1b}\\b\u{1b}]8;;\u{1b}\\c"), "abc");
        assert_eq!(shown("\u{1b}]0;never ends\nseen"), "\nseen");
        assert_eq!(shown("\u{1b}[8mhidden\u{1b}["), "hidden");
        assert_eq!(shown("a\u{1b}"), "a");
        assert_eq!(shown("\u{1b}[31"), "");
        assert_eq!(shown("\u{1b}é\u{9b}31m"), "é31m");
    }

    #[test]
    fn of_a_line_that_is_written_over_the_last_state_is_shown() {
        assert_eq!(
            shown("one\n10 %\r50 %\r\u{1b}[32m100 %\u{1b}[m\r\ntwo\r\n"),
            "one\n<span class=\"ink-2\">100 %</span>\ntwo\n"
        );
        assert_eq!(shown("90 %\r"), "90 %");
        assert_eq!(shown("a\u{8}bN\u{8}N"), "bN");
    }

    proptest! {
        #[test]
        fn nothing_in_an_output_becomes_markup(output in "[<>&\"a\u{1b}\\[\\]0-9;m\r\n\u{8}\u{7}]{0,60}") {
            let html = shown(&output);
            let without = html.replace("</span>", "");
            let spans = without.matches("<span class=\"").count();
            prop_assert_eq!(html.matches("</span>").count(), spans);
            prop_assert_eq!(without.matches('<').count(), spans, "{}", html);
        }
    }
}
