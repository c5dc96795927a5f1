//! Texts as a page can carry them, and as somebody must see them who is to decide about them.

/// A text as a page can carry it: a parser drops NUL.
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

#[cfg(test)]
mod tests {
    use super::revealed;

    #[test]
    fn nothing_hides_in_what_is_to_be_allowed() {
        assert_eq!(revealed("ls\t-l 'ä'\n"), "ls\t-l 'ä'\n");
        assert_eq!(revealed("a\rb\u{202e}c\u{200b}\0"), "a⟨U+000D⟩b⟨U+202E⟩c⟨U+200B⟩⟨U+0000⟩");
    }
}
