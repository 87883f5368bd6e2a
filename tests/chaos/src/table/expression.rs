//! DynamoDB expressions, as far as the ledger uses them: parsed, and never compared as text.
//!
//! An unknown construct panics with its text.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// An item or a part of one: attributes by name, typed as on the wire (`{"S": "text"}`).
pub type Item = Map<String, Value>;

/// A condition: of a write, of a key, or of a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// `a OR b`
    Or(Box<Self>, Box<Self>),
    /// `a AND b`
    And(Box<Self>, Box<Self>),
    /// `NOT a`
    Not(Box<Self>),
    /// `attribute_exists(path)`
    Exists(String),
    /// `attribute_not_exists(path)`
    Missing(String),
    /// `begins_with(path, value)`
    Begins(Operand, Operand),
    /// `a BETWEEN b AND c`
    Between(Operand, Operand, Operand),
    /// `a = b` and the like
    Compare(Operand, String, Operand),
}

/// An operand of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// An attribute.
    Path(String),
    /// A value of the request.
    Value(Value),
}

/// The clauses of an update.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    set: Vec<(String, Assigned)>,
    remove: Vec<String>,
    add: Vec<(String, Value)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Assigned {
    Operand(Operand),
    IfNotExists(String, Operand),
    Sum(Operand, i128, Operand),
}

/// The names and values of a request's expressions; each must be used.
#[derive(Debug)]
pub struct Placeholders<'a> {
    request: &'a Value,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Placeholders<'a> {
    /// The placeholders of this request.
    pub fn of(request: &'a Value) -> Self {
        Self { request, used: RefCell::default() }
    }

    /// Panics if no expression uses a name or value of the request, which DynamoDB refuses.
    pub fn all_used(&self) {
        for field in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            for name in self.request[field].as_object().into_iter().flat_map(Map::keys) {
                assert!(self.used.borrow().contains(name), "{field}: `{name}` is not used: {}", self.request);
            }
        }
    }

    fn name(&self, token: &str) -> String {
        if !token.starts_with('#') {
            return token.to_owned();
        }
        self.used.borrow_mut().insert(token.to_owned());
        let name = self.request["ExpressionAttributeNames"][token].as_str();
        name.unwrap_or_else(|| panic!("name `{token}` is not defined: {}", self.request)).to_owned()
    }

    fn value(&self, token: &str) -> Value {
        self.used.borrow_mut().insert(token.to_owned());
        let value = &self.request["ExpressionAttributeValues"][token];
        assert!(!value.is_null(), "value `{token}` is not defined: {}", self.request);
        value.clone()
    }
}

/// Parses a condition.
pub fn condition(text: &str, names: &Placeholders<'_>) -> Condition {
    let mut parser = Parser::new(text, names);
    let condition = parser.or();
    parser.end();
    condition
}

/// Parses an update.
pub fn update(text: &str, names: &Placeholders<'_>) -> Update {
    let mut parser = Parser::new(text, names);
    let mut update = Update::default();
    while let Some(clause) = parser.next_if(|_| true) {
        loop {
            match clause.to_ascii_uppercase().as_str() {
                "SET" => {
                    let path = parser.path();
                    parser.expect("=");
                    update.set.push((path, parser.assigned()));
                }
                "REMOVE" => update.remove.push(parser.path()),
                "ADD" => {
                    let path = parser.path();
                    let Operand::Value(value) = parser.operand() else { parser.unknown("ADD of a path") };
                    update.add.push((path, value));
                }
                _ => parser.unknown(&clause),
            }
            if parser.next_if(|it| it == ",").is_none() {
                break;
            }
        }
    }
    update
}

/// Parses a projection into attribute names.
pub fn projection(text: &str, names: &Placeholders<'_>) -> Vec<String> {
    let mut parser = Parser::new(text, names);
    let mut paths = vec![parser.path()];
    while parser.next_if(|it| it == ",").is_some() {
        paths.push(parser.path());
    }
    parser.end();
    paths
}

struct Parser<'a> {
    text: &'a str,
    tokens: std::iter::Peekable<std::vec::IntoIter<String>>,
    names: &'a Placeholders<'a>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, names: &'a Placeholders<'a>) -> Self {
        Self { text, tokens: tokens(text).into_iter().peekable(), names }
    }

    fn unknown(&self, construct: &str) -> ! {
        panic!("the table in memory does not support `{construct}`: {}", self.text)
    }

    fn next_if(&mut self, matches: impl Fn(&str) -> bool) -> Option<String> {
        self.tokens.next_if(|token| matches(token))
    }

    fn word(&mut self, word: &str) -> bool {
        self.next_if(|token| token.eq_ignore_ascii_case(word)).is_some()
    }

    fn expect(&mut self, token: &str) {
        if !self.word(token) {
            let found = self.tokens.peek().cloned().unwrap_or_default();
            self.unknown(&format!("{found}` instead of `{token}"));
        }
    }

    fn end(&mut self) {
        if let Some(rest) = self.tokens.next() {
            self.unknown(&rest);
        }
    }

    fn or(&mut self) -> Condition {
        let mut left = self.and();
        while self.word("OR") {
            left = Condition::Or(Box::new(left), Box::new(self.and()));
        }
        left
    }

    fn and(&mut self) -> Condition {
        let mut left = self.not();
        while self.word("AND") {
            left = Condition::And(Box::new(left), Box::new(self.not()));
        }
        left
    }

    fn not(&mut self) -> Condition {
        if self.word("NOT") {
            return Condition::Not(Box::new(self.not()));
        }
        if self.word("(") {
            let inner = self.or();
            self.expect(")");
            return inner;
        }
        if self.word("attribute_exists") {
            return Condition::Exists(self.in_parentheses(Self::path));
        }
        if self.word("attribute_not_exists") {
            return Condition::Missing(self.in_parentheses(Self::path));
        }
        if self.word("begins_with") {
            return self.in_parentheses(|it| {
                let left = it.operand();
                it.expect(",");
                Condition::Begins(left, it.operand())
            });
        }
        let left = self.operand();
        if self.word("BETWEEN") {
            let low = self.operand();
            self.expect("AND");
            return Condition::Between(left, low, self.operand());
        }
        match self.next_if(|it| ["=", "<>", "<", "<=", ">", ">="].contains(&it)) {
            Some(comparator) => Condition::Compare(left, comparator, self.operand()),
            None => self.unknown(&self.tokens.clone().next().unwrap_or_default()),
        }
    }

    fn in_parentheses<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.expect("(");
        let inner = inner(self);
        self.expect(")");
        inner
    }

    fn operand(&mut self) -> Operand {
        match self.next_if(|it| it.starts_with(':')) {
            Some(token) => Operand::Value(self.names.value(&token)),
            None => Operand::Path(self.path()),
        }
    }

    fn path(&mut self) -> String {
        let is_name = |it: &str| it.starts_with(|first: char| first == '#' || first == '_' || first.is_alphabetic());
        match self.next_if(is_name) {
            Some(token) if self.tokens.peek().is_none_or(|it| it != "(") => self.names.name(&token),
            Some(function) => self.unknown(&function),
            None => self.unknown(&self.tokens.clone().next().unwrap_or_default()),
        }
    }

    fn assigned(&mut self) -> Assigned {
        if self.word("if_not_exists") {
            return self.in_parentheses(|it| {
                let path = it.path();
                it.expect(",");
                Assigned::IfNotExists(path, it.operand())
            });
        }
        let left = self.operand();
        match self.next_if(|it| it == "+" || it == "-") {
            Some(sign) => Assigned::Sum(left, if sign == "+" { 1 } else { -1 }, self.operand()),
            None => Assigned::Operand(left),
        }
    }
}

/// Names (with an optional `#` or `:`), comparators and single characters; a dot or a bracket is an unsupported
/// character.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut token = String::from(first);
        let is_word = |it: char| it.is_alphanumeric() || it == '_';
        if first.is_alphabetic() || "#:_".contains(first) {
            while let Some(more) = characters.next_if(|it| is_word(*it)) {
                token.push(more);
            }
        } else if "<>".contains(first) {
            let second = |it: &char| *it == '=' || (first == '<' && *it == '>');
            token.extend(characters.next_if(second));
        }
        tokens.push(token);
    }
    tokens
}

impl Condition {
    /// Whether it holds for an item; a missing item has no attributes.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::Exists(path) => item.contains_key(path),
            Self::Missing(path) => !item.contains_key(path),
            Self::Begins(left, right) => match (left.text(item), right.text(item)) {
                (Some(left), Some(right)) => left.starts_with(&right),
                _ => false,
            },
            Self::Between(it, low, high) => {
                let within = |order: Option<std::cmp::Ordering>, bad| order.is_some_and(|order| order != bad);
                within(order(it, low, item), std::cmp::Ordering::Less)
                    && within(order(it, high, item), std::cmp::Ordering::Greater)
            }
            Self::Compare(left, comparator, right) => {
                let order = order(left, right, item);
                match comparator.as_str() {
                    "=" => order.is_some_and(std::cmp::Ordering::is_eq),
                    // A missing attribute or another type is not equal.
                    "<>" => order.is_none_or(std::cmp::Ordering::is_ne),
                    "<" => order.is_some_and(std::cmp::Ordering::is_lt),
                    "<=" => order.is_some_and(std::cmp::Ordering::is_le),
                    ">" => order.is_some_and(std::cmp::Ordering::is_gt),
                    _ => order.is_some_and(std::cmp::Ordering::is_ge),
                }
            }
        }
    }

    /// The value that this condition requires of an attribute, e.g. the partition of a key condition.
    pub fn must_equal(&self, name: &str) -> Option<Value> {
        match self {
            Self::And(left, right) => left.must_equal(name).or_else(|| right.must_equal(name)),
            Self::Compare(Operand::Path(path), comparator, Operand::Value(value))
                if path == name && comparator == "=" =>
            {
                Some(value.clone())
            }
            _ => None,
        }
    }
}

impl Operand {
    fn of(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Path(path) => item.get(path).cloned(),
            Self::Value(value) => Some(value.clone()),
        }
    }

    fn text(&self, item: &Item) -> Option<String> {
        self.of(item)?["S"].as_str().map(str::to_owned)
    }
}

/// The order of two operands; `None` if one is missing or their types differ.
fn order(left: &Operand, right: &Operand, item: &Item) -> Option<std::cmp::Ordering> {
    let (left, right) = (left.of(item)?, right.of(item)?);
    match (&left["S"], &right["S"], &left["N"], &right["N"]) {
        (Value::String(left), Value::String(right), ..) => Some(left.as_bytes().cmp(right.as_bytes())),
        (_, _, Value::String(_), Value::String(_)) => Some(integer(&left).cmp(&integer(&right))),
        _ if left.get("BOOL").is_some() && right.get("BOOL").is_some() => {
            (left == right).then_some(std::cmp::Ordering::Equal)
        }
        _ => None,
    }
}

/// A number of the ledger, which is an integer.
fn integer(value: &Value) -> i128 {
    let text = value["N"].as_str().unwrap_or_else(|| panic!("expected a number: received `{value}`"));
    text.parse().unwrap_or_else(|_| panic!("expected an integer: received `{text}`"))
}

impl Update {
    /// Applies the update; values are read from the previous item.
    pub fn apply(&self, item: &mut Item) {
        let old = item.clone();
        let read = |operand: &Operand| operand.of(&old).unwrap_or_else(|| panic!("missing: {operand:?}"));
        for (path, assigned) in &self.set {
            let value = match assigned {
                Assigned::Operand(operand) => read(operand),
                Assigned::IfNotExists(other, operand) => old.get(other).cloned().unwrap_or_else(|| read(operand)),
                Assigned::Sum(left, sign, right) => number(integer(&read(left)) + sign * integer(&read(right))),
            };
            item.insert(path.clone(), value);
        }
        for path in &self.remove {
            item.remove(path);
        }
        for (path, more) in &self.add {
            let sum = old.get(path).map_or(0, integer) + integer(more);
            item.insert(path.clone(), number(sum));
        }
    }
}

fn number(value: i128) -> Value {
    json!({"N": value.to_string()})
}
