//! Text from an account that may be written to deceive the reader of a report: what has no glyph is written as an escape.

use rectify_compliance::canonical::sorted;
use serde_json::Value;

/// Whether a terminal obeys a character, or a reader cannot see it: controls, line and paragraph separators, marks of
/// direction and width, variation selectors, letters without a shape, tags, noncharacters.
pub(super) fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text with hidden characters as Rust writes them: `\n`, `\u{202e}`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// JSON with hidden characters as its own escapes, so that it can be shown on a terminal and means the same.
///
/// Outside of strings JSON has no such character but the line feeds of its layout, which stay.
pub(super) fn json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter != '\n' && is_hidden(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// A document of JSON, the same in every build, with a line feed at its end.
pub(super) fn document(value: Value) -> String {
    json(&format!("{:#}\n", sorted(value)))
}

/// The first `limit` characters at most; a shortened text ends in `…`.
pub(super) fn clip(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
pub(super) fn assert_printable(report: &str) {
    let hidden: Vec<char> = report.chars().filter(|it| !matches!(it, '\n' | '\r') && is_hidden(*it)).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
    assert!(!report.replace("\r\n", "\n").contains('\r'), "a bare carriage return");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_written_as_escapes() {
        assert_eq!(visible("a\u{1b}[31m\u{202e}\n é 漢"), "a\\u{1b}[31m\\u{202e}\\n é 漢");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "a": "\u{9b}\u{202e}\u{e0041}\n\u{7f}é" });
        let text = json(&format!("{value:#}"));
        assert!(text.contains("\\u202e\\udb40\\udc41\\n\\u007f"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert_printable(&text);
    }

    #[test]
    fn clipped_text_has_at_most_the_limit() {
        assert_eq!(clip("äbc", 3), "äbc");
        assert_eq!(clip("äbcd", 3), "äb…");
    }
}
