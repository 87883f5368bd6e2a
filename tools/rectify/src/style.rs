//! Colored output: only on a terminal, unless `NO_COLOR` is set.

use rectify_compliance::Verdict;
use rectify_runtime::settings::Environment;

/// Whether output is colored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    colored: bool,
}

impl Style {
    /// The style for this output: see <https://no-color.org> (2026-02).
    pub(crate) fn of(environment: &Environment, terminal: bool) -> Self {
        let dumb = environment.get("TERM") == Some("dumb");
        Self { colored: terminal && !dumb && environment.get("NO_COLOR").is_none() }
    }

    /// Whether output is colored.
    pub(crate) const fn is_colored(self) -> bool {
        self.colored
    }

    /// An error or a finding, red.
    pub(crate) fn error(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    /// Success, green.
    pub(crate) fn success(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// A warning, yellow.
    pub(crate) fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Secondary text, dim.
    pub(crate) fn muted(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// A verdict in its color.
    pub(crate) fn verdict(self, verdict: &Verdict) -> String {
        let word = verdict.compliance_type();
        match verdict {
            Verdict::Compliant(_) => self.success(word),
            Verdict::NonCompliant(_) => self.error(word),
            Verdict::NotApplicable(_) => self.muted(word),
        }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colored { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The width of the terminal; that of `COLUMNS` if standard output is not one.
pub(crate) fn width(environment: &Environment) -> Option<u16> {
    let terminal = console::Term::stdout().size_checked().map(|(_, columns)| columns);
    terminal.or_else(|| environment.get("COLUMNS")?.parse().ok())
}

/// Without color, for a file.
#[cfg(test)]
pub(crate) const PLAIN: Style = Style { colored: false };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_is_colored_and_no_color_disables_it() {
        let none = Environment::default();
        assert_eq!(Style::of(&none, true).error("x"), "\u{1b}[31;1mx\u{1b}[0m");
        assert_eq!(Style::of(&none, false), PLAIN);
        assert_eq!(Style::of(&Environment::of([("NO_COLOR", "1")]), true), PLAIN);
        assert_eq!(Style::of(&Environment::of([("TERM", "dumb")]), true), PLAIN);
    }
}
