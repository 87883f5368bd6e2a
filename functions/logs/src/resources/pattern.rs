//! Metric filter patterns of the form `{ … }`, compared by what they match and not by how they are written.
//!
//! Knows no filter, no log group and no control. Whether one pattern matches whatever another matches is decided over
//! events that stand for all events: for each selector, one value for every way in which a value can match the literals
//! that both patterns hold against it.
//!
//! Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax" (read in November 2026). Patterns are case-sensitive;
//! parentheses bind closer than `&&`, and `&&` closer than `||`. What the guide does not say is what `!=` makes of a field that
//! is not there or null: a relation holds only if it holds whichever way that is.
//!
//! The work is bounded, whatever the pattern: [`MAX_DEPTH`], [`MAX_TERMS`] and [`MAX_ROWS`]. Beyond them, and where a pattern
//! uses a regular expression, there is no answer but [`NotComparable`].

mod glob;
mod parse;
mod table;

use std::fmt;

use glob::Glob;
use table::Table;

/// The deepest nesting of parentheses that is read.
pub const MAX_DEPTH: usize = 32;

/// The most terms a pattern may have.
pub const MAX_TERMS: usize = 100;

/// The most events a comparison looks at.
pub const MAX_ROWS: usize = 200_000;

/// A pattern, read.
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

/// What is asked of one field.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    /// The field, as written: `$.userIdentity.type`.
    selector: String,
    test: Test,
}

/// The question.
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

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a found pattern matches, beside a wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// The same events.
    Equivalent,
    /// All of the wanted events, and others.
    Broader,
    /// Some of the wanted events, and no others.
    Narrower,
    /// Neither holds.
    Unrelated,
}

/// Why a pattern has no relation to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotComparable {
    /// It is not of the form `{ … }`.
    NotJson,
    /// It breaks off or goes on where the grammar does not.
    Syntax {
        /// The position, characters from 0.
        at: usize,
        /// What the grammar has there.
        expected: &'static str,
    },
    /// A `%…%` value.
    Regex,
    /// A selector of many values (`$.list[*]`).
    ManyValued,
    /// Parentheses nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// More terms than [`MAX_TERMS`].
    TooManyTerms,
    /// More events to look at than [`MAX_ROWS`].
    TooManyRows,
    /// A field compared both as a number and with a wildcard.
    NumberAndWildcard,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`NotComparable`] when it is no JSON pattern, uses what cannot be compared, or is too large.
    pub fn parse(text: &str) -> Result<Self, NotComparable> {
        parse::pattern(text).map(Self)
    }

    /// How `found` relates to this pattern, the wanted one.
    ///
    /// # Errors
    /// [`NotComparable`] when the two together have too many values to look at.
    pub fn relation(&self, found: &Self) -> Result<Relation, NotComparable> {
        let table = Table::of([&self.0, &found.0])?;
        let (wanted, found) = (table.compile(&self.0), table.compile(&found.0));
        let (mut broad, mut narrow) = (table::EVERY, table::EVERY);
        table.each_row(|row| {
            let (wanted, found) = (wanted.truth(row), found.truth(row));
            broad &= !wanted | found;
            narrow &= !found | wanted;
            broad == table::EVERY || narrow == table::EVERY
        });
        Ok(match (broad == table::EVERY, narrow == table::EVERY) {
            (true, true) => Relation::Equivalent,
            (true, false) => Relation::Broader,
            (false, true) => Relation::Narrower,
            (false, false) => Relation::Unrelated,
        })
    }

    /// Whether it matches an event in which each field it names is there and has a value it does not name: it would then
    /// match nearly every event.
    ///
    /// # Errors
    /// [`NotComparable`] when it has too many values to look at.
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
            Self::NotJson => out.write_str("no pattern in braces"),
            Self::Syntax { at, expected } => write!(out, "expected {expected} at character {at}"),
            Self::Regex => out.write_str("a regular expression"),
            Self::ManyValued => out.write_str("a selector of many values"),
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
