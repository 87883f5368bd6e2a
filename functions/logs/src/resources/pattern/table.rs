//! The events of a comparison: each row has one representative value per selector.

use std::collections::BTreeMap;

use super::glob::{Glob, texts};
use super::{MAX_ROWS, Node, NotComparable, Term, Test};

/// Truth under each of [`ASSUMPTIONS`], one bit each.
pub(super) type Truth = u8;

/// Whether `!=` holds for a missing field, and for a null field.
const ASSUMPTIONS: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

/// True under every assumption.
pub(super) const EVERY: Truth = (1 << ASSUMPTIONS.len()) - 1;

/// The value of a field in an event.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Absent,
    Null,
    Bool(bool),
    /// A text, or a number as text.
    Text(String),
}

/// The representative values of every selector.
#[derive(Debug)]
pub(super) struct Table<'a> {
    selectors: BTreeMap<&'a str, (usize, Vec<Field>)>,
}

/// A pattern whose terms have their selector's position in a row and their truth for each of its values.
#[derive(Debug)]
pub(super) enum Compiled {
    All(Vec<Compiled>),
    Any(Vec<Compiled>),
    Term { place: usize, truths: Vec<Truth> },
}

impl<'a> Table<'a> {
    /// The values that distinguish the terms of these patterns.
    pub(super) fn of<const N: usize>(patterns: [&'a Node; N]) -> Result<Self, NotComparable> {
        let mut tests: BTreeMap<&str, Vec<&Test>> = BTreeMap::new();
        for Term { selector, test } in patterns.into_iter().flat_map(Node::terms) {
            tests.entry(selector).or_default().push(test);
        }
        let mut rows: usize = 1;
        let mut selectors = BTreeMap::new();
        for (place, (selector, tests)) in tests.into_iter().enumerate() {
            let values = fields(&tests)?;
            rows = rows.saturating_mul(values.len());
            if rows > MAX_ROWS {
                return Err(NotComparable::TooManyRows);
            }
            selectors.insert(selector, (place, values));
        }
        Ok(Self { selectors })
    }

    pub(super) fn compile(&self, node: &Node) -> Compiled {
        match node {
            Node::All(nodes) => Compiled::All(nodes.iter().map(|it| self.compile(it)).collect()),
            Node::Any(nodes) => Compiled::Any(nodes.iter().map(|it| self.compile(it)).collect()),
            Node::Term(Term { selector, test }) => {
                let (place, values) = self.selectors.get(selector.as_str()).map_or((0, &[][..]), |(at, it)| (*at, it));
                Compiled::Term { place, truths: values.iter().map(|it| truth(test, it)).collect() }
            }
        }
    }

    /// Calls `visit` with every row, the index of a value per selector, until it returns false.
    pub(super) fn each_row(&self, mut visit: impl FnMut(&[usize]) -> bool) {
        let sizes: Vec<usize> = self.selectors.values().map(|(_, values)| values.len()).collect();
        let mut row = vec![0; sizes.len()];
        while visit(&row) {
            // Counts up, the first position fastest.
            let Some(at) = row.iter().zip(&sizes).position(|(value, size)| value + 1 < *size) else { return };
            for (place, value) in row.iter_mut().enumerate().take(at + 1) {
                *value = if place == at { *value + 1 } else { 0 };
            }
        }
    }

    /// The row in which each field is present, if possible with a value that no literal matches.
    pub(super) fn ordinary_row(&self) -> Vec<usize> {
        let ordinary = |values: &Vec<Field>| values.iter().position(|it| matches!(it, Field::Text(_))).unwrap_or(0);
        self.selectors.values().map(|(_, values)| ordinary(values)).collect()
    }
}

impl Compiled {
    /// Its truth for a row; false under every assumption if the row lacks the position.
    pub(super) fn truth(&self, row: &[usize]) -> Truth {
        match self {
            Self::All(nodes) => nodes.iter().fold(EVERY, |so_far, it| so_far & it.truth(row)),
            Self::Any(nodes) => nodes.iter().fold(0, |so_far, it| so_far | it.truth(row)),
            Self::Term { place, truths } => row.get(*place).and_then(|it| truths.get(*it)).copied().unwrap_or(0),
        }
    }
}

/// The values of one selector that its tests can distinguish. The first text matches no literal, if there is such a
/// text.
fn fields(tests: &[&Test]) -> Result<Vec<Field>, NotComparable> {
    let mut globs: Vec<&Glob> = Vec::new();
    let mut bounds: Vec<f64> = Vec::new();
    for test in tests {
        match test {
            Test::Is(glob) | Test::IsNot(glob) => globs.push(glob),
            Test::Compares(_, bound) => bounds.push(*bound),
            Test::Exists | Test::Missing | Test::Null | Test::Truth(_) => {}
        }
    }
    globs.sort();
    globs.dedup();
    let mut distinct: Vec<String> = texts(&globs).ok_or(NotComparable::TooManyRows)?;
    distinct.sort_by_key(|text| globs.iter().filter(|glob| glob.matches(text)).count());
    if !bounds.is_empty() {
        if globs.iter().any(|glob| glob.is_open()) {
            return Err(NotComparable::NumberAndWildcard);
        }
        bounds.extend(globs.iter().filter_map(|glob| glob.number()));
        distinct.extend(numbers(bounds).into_iter().map(|number| number.to_string()));
    }
    let others = [Field::Absent, Field::Null, Field::Bool(true), Field::Bool(false)];
    // Only `IS TRUE` and `IS FALSE` distinguish a boolean from its text.
    let booleans = tests.iter().any(|test| matches!(test, Test::Truth(_)));
    let others = others.into_iter().filter(|it| booleans || !matches!(it, Field::Bool(_)));
    Ok(others.chain(distinct.into_iter().map(Field::Text)).collect())
}

/// Each bound, a number between each two, and one beyond each end.
fn numbers(mut bounds: Vec<f64>) -> Vec<f64> {
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let between = bounds.iter().zip(bounds.iter().skip(1)).map(|(low, high)| low.midpoint(*high));
    let ends = bounds.first().map(|low| low - low.abs() - 1.0).into_iter();
    let ends = ends.chain(bounds.last().map(|high| high + high.abs() + 1.0));
    between.chain(ends).chain(bounds.iter().copied()).collect()
}

/// Whether `test` holds for a field, under each assumption.
pub(super) fn truth(test: &Test, field: &Field) -> Truth {
    let plain = |holds: bool| if holds { EVERY } else { 0 };
    match (test, field) {
        (Test::Exists, _) => plain(*field != Field::Absent),
        (Test::Missing, _) => plain(*field == Field::Absent),
        (Test::Null, _) => plain(*field == Field::Null),
        (Test::Truth(expected), _) => plain(*field == Field::Bool(*expected)),
        (Test::IsNot(_), Field::Absent) => assumed(|(absent_differs, _)| absent_differs),
        (Test::IsNot(_), Field::Null) => assumed(|(_, null_differs)| null_differs),
        (Test::Is(_) | Test::Compares(..), Field::Absent | Field::Null) => 0,
        (Test::Is(glob), Field::Bool(value)) => plain(glob.matches(&value.to_string())),
        (Test::IsNot(glob), Field::Bool(value)) => plain(!glob.matches(&value.to_string())),
        (Test::Compares(..), Field::Bool(_)) => 0,
        (Test::Is(glob), Field::Text(text)) => plain(glob.matches(text)),
        (Test::IsNot(glob), Field::Text(text)) => plain(!glob.matches(text)),
        (Test::Compares(comparison, bound), Field::Text(text)) => {
            plain(text.parse().is_ok_and(|value| comparison.holds(value, *bound)))
        }
    }
}

fn assumed(holds: impl Fn((bool, bool)) -> bool) -> Truth {
    (0..).zip(ASSUMPTIONS).filter(|(_, assumption)| holds(*assumption)).fold(0, |so_far, (bit, _)| so_far | 1 << bit)
}
