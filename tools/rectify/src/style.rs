//! Colours, where they help and nowhere else: on a terminal, unless `NO_COLOR` is set.

use rectify_compliance::Verdict;
use rectify_runtime::settings::Environment;

/// Whether and how words are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    /// Colours for this output: see <https://no-color.org> (2026-02).
    pub(crate) fn of(environment: &Environment, terminal: bool) -> Self {
        let dumb = environment.get("TERM") == Some("dumb");
        Self { coloured: terminal && !dumb && environment.get("NO_COLOR").is_none() }
    }

    /// Something that needs attention, red.
    pub(crate) fn bad(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    /// Something that is right, green.
    pub(crate) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Something that could be overlooked and must not be, yellow.
    pub(crate) fn careful(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Something beside the point, dim.
    pub(crate) fn aside(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// A verdict in its colour.
    pub(crate) fn verdict(self, verdict: &Verdict) -> String {
        let word = verdict.compliance_type();
        match verdict {
            Verdict::Compliant(_) => self.success(word),
            Verdict::NonCompliant(_) => self.error(word),
            Verdict::NotApplicable(_) => self.muted(word),
        }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
pub(crate) const PLAIN: Style = Style { coloured: false };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_is_coloured_and_only_if_nobody_minds() {
        let none = Environment::default();
        assert_eq!(Style::of(&none, true).error("x"), "\u{1b}[31;1mx\u{1b}[0m");
        assert_eq!(Style::of(&none, false), PLAIN);
        assert_eq!(Style::of(&Environment::of([("NO_COLOR", "1")]), true), PLAIN);
        assert_eq!(Style::of(&Environment::of([("TERM", "dumb")]), true), PLAIN);
    }
}
