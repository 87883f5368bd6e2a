//! Text that a scanned account chose, as a reader must see it.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::report::safe::is_hidden;

/// The text with characters that a browser hides, or that reorder others, as `\u{…}`. The caller escapes the markup.
pub(super) fn text(value: &str) -> Cow<'_, str> {
    if !value.contains(is_hidden) {
        return Cow::Borrowed(value);
    }
    let shown = |it: char| if is_hidden(it) { it.escape_unicode().to_string() } else { it.to_string() };
    Cow::Owned(value.chars().map(shown).collect())
}

/// The same for a block of lines.
pub(super) fn block(value: &str) -> String {
    value.split('\n').map(text).collect::<Vec<_>>().join("\n")
}

/// A sentence of the docs; text between backticks is code.
pub(super) fn sentence(value: &str) -> Markup {
    html! {
        @for (number, part) in value.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The first sentence below a heading of a control's docs; empty if there is none.
pub(super) fn first_sentence<'a>(docs: &'a str, heading: &str) -> &'a str {
    let is_heading = |line: &str| line.strip_prefix("## ").is_some_and(|it| it == heading);
    let mut below = docs.lines().map(str::trim).skip_while(|line| !is_heading(line)).skip(1);
    below.find(|line| !line.is_empty()).filter(|line| !line.starts_with('#')).unwrap_or_default()
}

/// The number with its noun: `1 finding`, `2 findings`.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
