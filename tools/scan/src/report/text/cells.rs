//! Text measured in the cells of a terminal, where a wide letter takes two.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The cells that a text takes.
pub(super) fn width_of(text: &str) -> usize {
    text.width()
}

/// The text, or its beginning and `…`.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (head, _) = split(text, width.saturating_sub(1));
    format!("{}…", head.trim_end())
}

/// The text, or `…` and its end.
pub(super) fn fit_end(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let tail = text.char_indices().rev().take_while(|(_, letter)| {
        let cells = letter.width().unwrap_or(0);
        let fits = cells <= left;
        left = left.saturating_sub(cells);
        fits
    });
    let start = tail.last().map_or(text.len(), |(at, _)| at);
    format!("…{}", text.get(start..).unwrap_or_default())
}

/// The text in lines of at most `width` cells, broken at spaces, or inside a word that is longer than a line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for mut word in text.split(' ').filter(|word| !word.is_empty()) {
        if let Some(line) = lines.last_mut().filter(|line| line.width() + 1 + word.width() <= width) {
            line.push(' ');
            line.push_str(word);
            continue;
        }
        while word.width() > width {
            let (head, tail) = split(word, width);
            if tail.is_empty() {
                break;
            }
            lines.push(head.to_owned());
            word = tail;
        }
        lines.push(word.to_owned());
    }
    lines
}

/// The text before and after `width` cells; at least one letter is before.
fn split(text: &str, width: usize) -> (&str, &str) {
    let mut cells = 0;
    let after = text.char_indices().find(|(at, letter)| {
        cells += letter.width().unwrap_or(0);
        cells > width && *at > 0
    });
    text.split_at(after.map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_its_width_from_either_end() {
        assert_eq!((fit("abc def", 7).as_str(), fit("abc def", 5).as_str()), ("abc def", "abc…"));
        assert_eq!(fit("漢字漢字", 6), "漢字…");
        assert_eq!((fit_end("abcdef", 6).as_str(), fit_end("abcdef", 4).as_str()), ("abcdef", "…def"));
        assert_eq!(fit_end("漢字漢字", 6), "…漢字");
    }

    #[test]
    fn lines_are_broken_at_spaces_and_in_long_words() {
        assert_eq!(wrap("a bc  d", 4), ["a bc", "d"]);
        assert_eq!(wrap("ab abcdefghij k", 4), ["ab", "abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""; 0]);
        assert_eq!(wrap("漢字漢", 3), ["漢", "字", "漢"]);
    }
}
