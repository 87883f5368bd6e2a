//! The AWS calls that the code of a function can reach, followed by the names of called functions.
//!
//! Only names are compared: the result contains every reachable call, and perhaps more. It reads sources as rustfmt
//! formats them, where a function ends at the indent it begins at.

use std::collections::{BTreeMap, BTreeSet};

use crate::operations;

/// How a source calls DynamoDB: by a request, or by an item of a transaction.
const BUILDERS: &[(&str, &str)] = &[
    (".get_item(", "dynamodb:GetItem"),
    (".put_item(", "dynamodb:PutItem"),
    (".update_item(", "dynamodb:UpdateItem"),
    (".delete_item(", "dynamodb:DeleteItem"),
    (".query()", "dynamodb:Query"),
    (".scan(", "dynamodb:Scan"),
    (".batch_get_item(", "dynamodb:BatchGetItem"),
    (".batch_write_item(", "dynamodb:BatchWriteItem"),
    (".transact_get_items(", "dynamodb:GetItem"),
    ("Put::builder()", "dynamodb:PutItem"),
    ("Update::builder()", "dynamodb:UpdateItem"),
    ("Delete::builder()", "dynamodb:DeleteItem"),
    ("ConditionCheck::builder()", "dynamodb:ConditionCheckItem"),
];

/// The functions of some sources by owner and name; functions of the same name are merged.
#[derive(Debug, Default)]
pub struct Code(BTreeMap<Key, Function>);

/// The owner of a function, its name, and whether it is a method.
type Key = (&'static str, String, bool);

#[derive(Debug, Default)]
struct Function {
    body: String,
    /// Whether a function of this name has no parameters besides `self`: empty parentheses call no other.
    takes_nothing: bool,
}

/// The owner of functions that any code may call.
const UNOWNED: &str = "";

impl Code {
    /// The functions of these sources.
    pub fn of<'a>(sources: impl IntoIterator<Item = &'a str>) -> Self {
        Self::default().with(UNOWNED, sources)
    }

    /// The same with functions that others call through a value of this name: `ledger.save(…)`.
    #[must_use]
    pub fn with<'a>(mut self, owner: &'static str, sources: impl IntoIterator<Item = &'a str>) -> Self {
        for source in sources {
            let lines: Vec<&str> = source.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let Some(name) = function_name(line) else { continue };
                let indent = line.len() - line.trim_start().len();
                let closes = |part: &str| {
                    let (before, rest) = part.split_at_checked(indent).unwrap_or((part, ""));
                    before.trim().is_empty() && rest.starts_with('}')
                };
                let mut body = String::new();
                for (number, part) in lines.iter().skip(at).enumerate() {
                    body.push_str(part);
                    body.push('\n');
                    if (number == 0 && part.ends_with(['}', ';'])) || (number > 0 && closes(part)) {
                        break;
                    }
                }
                let parameters = parameters(&body);
                let method = parameters.first().is_some_and(|it| it.ends_with("self"));
                let takes_nothing = parameters.len() == usize::from(method);
                let function = self.0.entry((owner, name.to_owned(), method)).or_default();
                function.takes_nothing |= takes_nothing;
                function.body.push_str(&body);
            }
        }
        self
    }

    /// The IAM actions of every call that can be reached from `text`, which has no owner.
    pub fn actions_reached_from(&self, text: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![(UNOWNED, text)];
        let mut actions = BTreeSet::new();
        while let Some((owner, body)) = open.pop() {
            let built = BUILDERS.iter().filter(|(builder, _)| body.contains(builder));
            actions.extend(built.map(|(_, action)| (*action).to_owned()));
            let named = operations::named_in(body);
            actions.extend(named.iter().flat_map(|it| operations::actions(it)).map(str::to_owned));
            for call in called(body) {
                let reached = self.0.iter().filter(|((of, name, method), function)| {
                    let within = *of == owner || *of == UNOWNED || *of == call.on;
                    let kind = if *method { call.method } else { call.free };
                    name == call.name && within && kind && (function.takes_nothing || !call.empty)
                });
                for (key, function) in reached {
                    if seen.insert(key) {
                        open.push((key.0, &function.body));
                    }
                }
            }
        }
        actions
    }
}

/// The name of the function whose signature begins in this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let modifiers = ["pub", "pub(super)", "pub(crate)", "const", "async", "unsafe"];
    before.split_whitespace().all(|word| modifiers.contains(&word)).then_some(())?;
    let name = rest.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').next()?;
    (!name.is_empty()).then_some(name)
}

/// The parameters of a function, by its text.
fn parameters(function: &str) -> Vec<&str> {
    // Past `pub(super)`.
    let signature = function.split_once("fn ").map_or(function, |(_, it)| it);
    let all = signature.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(it, _)| it);
    all.split(',').map(str::trim).filter(|it| !it.is_empty()).collect()
}

/// A name that is called (`name(`, `name::<T>(`) or passed to be called (`map(name)`, `map(Self::name)`).
struct Called<'a> {
    name: &'a str,
    /// The name before the dot, if there is one: `ledger` in `context.ledger.save(…)`.
    on: &'a str,
    /// Whether the parentheses are empty.
    empty: bool,
    /// Whether it may be a method, and whether it may be a free function.
    method: bool,
    free: bool,
}

fn called(body: &str) -> impl Iterator<Item = Called<'_>> {
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let begins = at + body.get(at..)?.find(is_word)?;
            let rest = body.get(begins..)?;
            let name = rest.split(|it| !is_word(it)).next()?;
            at = begins + name.len();
            let (before, after) = (&body[..begins], &body[at..]);
            // `map(name)` passes a function, `map(Self::name)` possibly a method.
            let passed = before.ends_with(['(', ':']) && after.starts_with([')', ',']);
            if after.starts_with('(') || after.starts_with("::<") || passed {
                let receiver = before.strip_suffix('.').map_or("", str::trim_end);
                let on = receiver.rsplit(|it| !is_word(it)).next().unwrap_or_default();
                let (dotted, pathed) = (before.ends_with('.'), before.ends_with(':'));
                let empty = after.starts_with("()");
                return Some(Called { name, on, empty, method: dotted || pathed, free: !dotted });
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_followed_by_name_and_uncalled_functions_are_not_reached() {
        let code = Code::of([r#"
impl Ledger {
    pub(super) async fn save(
        &self,
    ) -> Result<(), Error> {
        let items = vec![self.close()];
        if items.is_empty() {
            return Ok(());
        }
        self.transact(items).await
    }

    fn close(&self) -> Item { Delete::builder().build() }

    fn unused(&self, key: &str) {
        self.client.put_item().send()
    }
}
"#])
        .with(
            "bus",
            ["async fn announce(&self, it: u8) { put(it); call(\"events:PutEvents\") }\nfn put(it: u8) { .query() }"],
        );
        let reached = |text| code.actions_reached_from(text).into_iter().collect::<Vec<_>>();
        assert_eq!(reached("ledger.save(lease)"), ["dynamodb:DeleteItem"]);
        assert_eq!(reached("context\n    .bus\n    .announce(1).await"), ["dynamodb:Query", "events:PutEvents"]);
        assert_eq!(reached("other.announce(1); put(1); save(1)"), [""; 0], "another owner's method, and no method");
        for text in ["items.map(Self::unused)", "x.unused::<K>(1)", "Self::unused(x, 1)"] {
            assert_eq!(reached(text), ["dynamodb:PutItem"], "{text}");
        }
        assert_eq!(
            reached("unused + other() + items.unused()"),
            [""; 0],
            "a plain name, an unknown function, and another signature"
        );
    }
}
