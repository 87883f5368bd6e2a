//! A recursive descent parser with one function per precedence level; it counts the nesting depth before it descends.

use super::glob::Glob;
use super::{Comparison, MAX_DEPTH, MAX_TERMS, Node, NotComparable, Term, Test};

/// Parses `{ … }`.
pub(super) fn pattern(text: &str) -> Result<Node, NotComparable> {
    let text = text.trim();
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or(NotComparable::NotJson)?;
    let mut reader = Reader { rest: inner.chars().collect(), at: 0, depth: 0, terms: 0 };
    let node = reader.any()?;
    if reader.peek().is_some() {
        return Err(reader.expected("`&&`, `||` or the end"));
    }
    Ok(node)
}

/// The input, the position, and the counts so far.
struct Reader {
    rest: Vec<char>,
    at: usize,
    depth: usize,
    terms: usize,
}

impl Reader {
    /// Terms joined by `||`.
    fn any(&mut self) -> Result<Node, NotComparable> {
        self.joined("||", Self::all, Node::Any)
    }

    /// Terms joined by `&&`.
    fn all(&mut self) -> Result<Node, NotComparable> {
        self.joined("&&", Self::one, Node::All)
    }

    fn joined(
        &mut self,
        operator: &str,
        member: fn(&mut Self) -> Result<Node, NotComparable>,
        join: fn(Vec<Node>) -> Node,
    ) -> Result<Node, NotComparable> {
        let first = member(self)?;
        let mut nodes = Vec::new();
        while self.takes(operator) {
            nodes.push(member(self)?);
        }
        if nodes.is_empty() {
            return Ok(first);
        }
        nodes.insert(0, first);
        Ok(join(nodes))
    }

    /// A term, or a pattern in parentheses.
    fn one(&mut self) -> Result<Node, NotComparable> {
        if !self.takes("(") {
            return self.term().map(Node::Term);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(NotComparable::TooDeep);
        }
        let node = self.any()?;
        self.depth -= 1;
        if self.takes(")") { Ok(node) } else { Err(self.expected("`)`")) }
    }

    fn term(&mut self) -> Result<Term, NotComparable> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(NotComparable::TooManyTerms);
        }
        let selector = self.selector()?;
        let test = self.test()?;
        Ok(Term { selector, test })
    }

    fn selector(&mut self) -> Result<String, NotComparable> {
        if self.peek() != Some('$') {
            return Err(self.expected("a selector that begins with `$`"));
        }
        let mut bracket = false;
        let name = self.take_while(|it| {
            match it {
                '[' => bracket = true,
                ']' => bracket = false,
                _ => {}
            }
            bracket || !(it.is_whitespace() || "=!<>()&|{}\"%".contains(it))
        });
        if name.contains('*') {
            return Err(NotComparable::ManyValued);
        }
        if name.len() < 2 || bracket {
            return Err(self.expected("the rest of a selector"));
        }
        Ok(name)
    }

    fn test(&mut self) -> Result<Test, NotComparable> {
        // The longer operator first: `<=` begins with `<`.
        for (operator, comparison) in [
            ("<=", Comparison::AtMost),
            ("<", Comparison::Less),
            (">=", Comparison::AtLeast),
            (">", Comparison::Greater),
        ] {
            if self.takes(operator) {
                return Ok(Test::Compares(comparison, self.number()?));
            }
        }
        if self.takes("!=") {
            return Ok(Test::IsNot(self.value()?));
        }
        if self.takes("=") {
            return Ok(Test::Is(self.value()?));
        }
        match self.word().as_str() {
            "EXISTS" => Ok(Test::Exists),
            "NOT" if self.word() == "EXISTS" => Ok(Test::Missing),
            "IS" => match self.word().as_str() {
                "NULL" => Ok(Test::Null),
                "TRUE" => Ok(Test::Truth(true)),
                "FALSE" => Ok(Test::Truth(false)),
                _ => Err(self.expected("`NULL`, `TRUE` or `FALSE`")),
            },
            _ => Err(self.expected("an operator")),
        }
    }

    /// A quoted or bare value; `*` in either is a wildcard.
    fn value(&mut self) -> Result<Glob, NotComparable> {
        match self.peek() {
            Some('%') => Err(NotComparable::Regex),
            Some('"') => {
                self.at += 1;
                let text = self.take_while(|it| it != '"' && it != '\\');
                // The meaning of a backslash in a value is undocumented.
                if self.takes("\"") { Ok(Glob::new(&text)) } else { Err(self.expected("`\"`")) }
            }
            _ => {
                let text = self.bare()?;
                // `400`, `400.0` and `4e2` are the same number.
                Ok(finite(&text).map_or_else(|| Glob::new(&text), |number| Glob::new(&number.to_string())))
            }
        }
    }

    fn number(&mut self) -> Result<f64, NotComparable> {
        self.peek();
        let at = self.at;
        finite(&self.bare()?).ok_or(NotComparable::Syntax { at, expected: "a number" })
    }

    fn bare(&mut self) -> Result<String, NotComparable> {
        self.peek();
        let text = self.take_while(|it| !(it.is_whitespace() || "=!<>()&|{}\"%\\".contains(it)));
        if text.is_empty() { Err(self.expected("a value")) } else { Ok(text) }
    }

    /// The next word, in uppercase.
    fn word(&mut self) -> String {
        self.peek();
        self.take_while(|it| it.is_ascii_alphabetic()).to_ascii_uppercase()
    }

    /// The next character that is not whitespace.
    fn peek(&mut self) -> Option<char> {
        self.take_while(char::is_whitespace);
        self.rest.get(self.at).copied()
    }

    /// Consumes `token` if it is next.
    fn takes(&mut self, token: &str) -> bool {
        self.peek();
        let next = self.rest.iter().skip(self.at).take(token.len());
        let taken = next.copied().eq(token.chars());
        if taken {
            self.at += token.len();
        }
        taken
    }

    fn take_while(&mut self, mut belongs: impl FnMut(char) -> bool) -> String {
        let taken: String = self.rest.iter().skip(self.at).copied().take_while(|it| belongs(*it)).collect();
        self.at += taken.chars().count();
        taken
    }

    fn expected(&self, expected: &'static str) -> NotComparable {
        NotComparable::Syntax { at: self.at, expected }
    }
}

fn finite(text: &str) -> Option<f64> {
    let numeric = text.starts_with(|it: char| it.is_ascii_digit() || "+-.".contains(it));
    text.parse().ok().filter(|number: &f64| numeric && number.is_finite())
}
