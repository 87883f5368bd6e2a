//! Metric filter patterns of the form `{ … }`, compared by the events they match, not by their text.
//!
//! Knows no filter, no log group and no control. Two patterns are compared on representative events: for each selector,
//! one
//! value for every combination of literals in the two patterns that a value can match.
//!
//! Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax" (read in November 2026). Patterns are case-sensitive;
//! parentheses bind closer than `&&`, and `&&` closer than `||`. The guide does not define `!=` for a field that is
//! missing or
//! null: a relation holds only if it holds under every assumption.
//!
//! The work is bounded for every pattern: [`MAX_DEPTH`], [`MAX_TERMS`] and [`MAX_ROWS`]. Beyond these limits, and for a
//! regular
//! expression, the result is [`NotComparable`].

mod glob;
mod parse;
mod table;

use std::fmt;

use glob::Glob;
use table::Table;

/// The maximum nesting of parentheses.
pub const MAX_DEPTH: usize = 32;

/// The maximum number of terms of a pattern.
pub const MAX_TERMS: usize = 100;

/// The maximum number of events that a comparison evaluates.
pub const MAX_ROWS: usize = 200_000;

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Node);

/// A node of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// Terms joined by `&&`.
    All(Vec<Node>),
    /// Terms joined by `||`.
    Any(Vec<Node>),
    /// One term.
    Term(Term),
}

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    /// The field, as written: `$.userIdentity.type`.
    selector: String,
    test: Test,
}

/// The test of a field.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// `= VALUE`.
    Is(Glob),
    /// `!= VALUE`.
    IsNot(Glob),
    /// `<`, `<=`, `>` or `>=` and a number.
    Compares(Comparison, f64),
    /// `EXISTS`.
    Exists,
    /// `NOT EXISTS`.
    Missing,
    /// `IS NULL`.
    Null,
    /// `IS TRUE`, `IS FALSE`.
    Truth(bool),
}

/// A numeric comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a found pattern matches, compared with the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The same events.
    Equivalent,
    /// All expected events, and others.
    Broader,
    /// Some of the expected events, and no others.
    Narrower,
    /// None of these.
    Unrelated,
}

/// Why two patterns cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotComparable {
    /// It does not have the form `{ … }`.
    NotJson,
    /// A syntax error.
    Syntax {
        /// The position, characters from 0.
        at: usize,
        /// What the grammar expects there.
        expected: &'static str,
    },
    /// A `%…%` value.
    Regex,
    /// A selector for several values (`$.list[*]`).
    ManyValued,
    /// Parentheses nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More terms than [`MAX_TERMS`].
    TooManyTerms,
    /// More events to evaluate than [`MAX_ROWS`].
    TooManyRows,
    /// A field compared both as a number and with a wildcard.
    NumberAndWildcard,
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`NotComparable`] when it is not a JSON pattern, uses an unsupported feature, or is too large.
    pub fn parse(text: &str) -> Result<Self, NotComparable> {
        parse::pattern(text).map(Self)
    }

    /// How `found` relates to this pattern, the expected one.
    ///
    /// # Errors
    /// [`NotComparable`] when the two together have too many values to evaluate.
    pub fn relation(&self, found: &Self) -> Result<Relation, NotComparable> {
        let table = Table::of([&self.0, &found.0])?;
        let (expected, found) = (table.compile(&self.0), table.compile(&found.0));
        let (mut broad, mut narrow) = (table::EVERY, table::EVERY);
        table.each_row(|row| {
            let (expected, found) = (expected.truth(row), found.truth(row));
            broad &= !expected | found;
            narrow &= !found | expected;
            broad == table::EVERY || narrow == table::EVERY
        });
        Ok(match (broad == table::EVERY, narrow == table::EVERY) {
            (true, true) => Relation::Equivalent,
            (true, false) => Relation::Broader,
            (false, true) => Relation::Narrower,
            (false, false) => Relation::Unrelated,
        })
    }

    /// The alternatives of this pattern, the expected one, of which `found` matches no event: values of terms joined by
    /// `||`. Empty if it matches none of them, since it is then about other events.
    ///
    /// # Errors
    /// [`NotComparable`] when the two together have too many values to evaluate.
    pub fn missing(&self, found: &Self) -> Result<Vec<String>, NotComparable> {
        let table = Table::of([&self.0, &found.0])?;
        let (expected, found) = (table.compile(&self.0), table.compile(&found.0));
        let alternatives = self.0.alternatives();
        let mut missing: Vec<_> = alternatives.iter().map(|(value, node)| (value, table.compile(node))).collect();
        table.each_row(|row| {
            let both = expected.truth(row) & found.truth(row);
            missing.retain(|(_, alternative)| alternative.truth(row) & both == 0);
            !missing.is_empty()
        });
        let all = missing.len() == alternatives.len();
        Ok(missing.into_iter().filter(|_| !all).map(|(value, _)| value.clone()).collect())
    }

    /// Whether it matches an event in which each of its fields is present with a value that no literal matches. Such a
    /// pattern
    /// matches nearly every event.
    ///
    /// # Errors
    /// [`NotComparable`] when it has too many values to evaluate.
    pub fn is_noisy(&self) -> Result<bool, NotComparable> {
        let table = Table::of([&self.0])?;
        Ok(table.compile(&self.0).truth(&table.ordinary_row()) != 0)
    }
}

impl Node {
    /// Every term, from left to right.
    fn terms(&self) -> Vec<&Term> {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().flat_map(Self::terms).collect(),
            Self::Term(term) => vec![term],
        }
    }

    /// The values of equality terms joined by `||`, each with its term.
    fn alternatives(&self) -> Vec<(String, &Self)> {
        match self {
            Self::All(nodes) => nodes.iter().flat_map(Self::alternatives).collect(),
            Self::Any(nodes) => nodes.iter().filter_map(Self::alternative).collect(),
            Self::Term(_) => vec![],
        }
    }

    fn alternative(&self) -> Option<(String, &Self)> {
        match self {
            Self::Term(Term { test: Test::Is(value), .. }) => Some((value.text(), self)),
            Self::Term(_) | Self::All(_) | Self::Any(_) => None,
        }
    }
}

impl Comparison {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::AtMost => value <= bound,
            Self::Greater => value > bound,
            Self::AtLeast => value >= bound,
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Equivalent => "equivalent",
            Self::Broader => "broader",
            Self::Narrower => "narrower",
            Self::Unrelated => "unrelated",
        })
    }
}

impl fmt::Display for NotComparable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => out.write_str("not a pattern in braces"),
            Self::Syntax { at, expected } => write!(out, "expected {expected} at character {at}"),
            Self::Regex => out.write_str("a regular expression"),
            Self::ManyValued => out.write_str("a selector for several values"),
            Self::TooDeep => write!(out, "nested deeper than {MAX_DEPTH}"),
            Self::TooManyTerms => write!(out, "more than {MAX_TERMS} terms"),
            Self::TooManyRows => write!(out, "more than {MAX_ROWS} cases"),
            Self::NumberAndWildcard => out.write_str("a field compared as a number and with a wildcard"),
        }
    }
}

impl std::error::Error for NotComparable {}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
