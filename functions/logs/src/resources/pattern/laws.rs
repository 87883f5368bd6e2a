//! Properties of all patterns.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::glob::texts;
use super::table::{EVERY, Field, truth};
use super::*;

const SELECTORS: [&str; 3] = ["$.a", "$.b", "$.c.d"];
const VALUES: [&str; 6] = ["x", "xy", "x*", "*y", "*", "*xy*"];

/// Terms whose negation is a term.
fn terms() -> impl Strategy<Value = Node> {
    let selector = prop::sample::select(SELECTORS.to_vec());
    let value = || prop::sample::select(VALUES.to_vec()).prop_map(Glob::new);
    let test = prop_oneof![
        value().prop_map(Test::Is),
        value().prop_map(Test::IsNot),
        Just(Test::Exists),
        Just(Test::Missing),
    ];
    (selector, test).prop_map(|(selector, test)| Node::Term(Term { selector: selector.to_owned(), test }))
}

fn nodes() -> impl Strategy<Value = Node> {
    terms().prop_recursive(3, 8, 3, |inner| {
        let members = prop::collection::vec(inner, 2..4);
        prop_oneof![members.clone().prop_map(Node::All), members.prop_map(Node::Any)]
    })
}

/// Any value, or a missing field.
fn field() -> impl Strategy<Value = Field> {
    prop_oneof![Just(Field::Absent), Just(Field::Null), "[xyz]{0,4}".prop_map(Field::Text)]
}

/// The pattern as text; with `wrapped`, extra parentheses around each term and group.
fn written(node: &Node, wrapped: bool) -> String {
    let joined = |nodes: &[Node], operator: &str| {
        let members: Vec<String> = nodes.iter().map(|it| written(it, wrapped)).collect();
        format!("({})", members.join(operator))
    };
    let text = match node {
        Node::All(nodes) => joined(nodes, " && "),
        Node::Any(nodes) => joined(nodes, "||"),
        Node::Term(Term { selector, test }) => match test {
            Test::Is(glob) => format!("{selector} = \"{}\"", glob.text()),
            Test::IsNot(glob) => format!("{selector}!={}", glob.text()),
            Test::Exists => format!("{selector} EXISTS"),
            Test::Missing => format!("{selector} NOT EXISTS"),
            Test::Null => format!("{selector} IS NULL"),
            Test::Truth(value) => format!("{selector} IS {value}"),
            Test::Compares(..) => format!("{selector} > 1"),
        },
    };
    if wrapped { format!("(({text}))") } else { text }
}

fn read(node: &Node, wrapped: bool) -> Pattern {
    Pattern::parse(&format!("{{ {} }}", written(node, wrapped))).unwrap()
}

fn reversed(node: &Node) -> Node {
    match node {
        Node::All(nodes) => Node::All(nodes.iter().rev().map(reversed).collect()),
        Node::Any(nodes) => Node::Any(nodes.iter().rev().map(reversed).collect()),
        Node::Term(term) => Node::Term(term.clone()),
    }
}

/// The negation, by De Morgan's laws.
fn negated(node: &Node) -> Node {
    match node {
        Node::All(nodes) => Node::Any(nodes.iter().map(negated).collect()),
        Node::Any(nodes) => Node::All(nodes.iter().map(negated).collect()),
        Node::Term(Term { selector, test }) => {
            let test = match test {
                Test::Is(glob) => Test::IsNot(glob.clone()),
                Test::IsNot(glob) => Test::Is(glob.clone()),
                Test::Exists => Test::Missing,
                Test::Missing => Test::Exists,
                other => other.clone(),
            };
            Node::Term(Term { selector: selector.clone(), test })
        }
    }
}

/// Evaluates the pattern on one event, term by term.
fn holds(node: &Node, event: &[Field; 3]) -> u8 {
    match node {
        Node::All(nodes) => nodes.iter().fold(EVERY, |so_far, it| so_far & holds(it, event)),
        Node::Any(nodes) => nodes.iter().fold(0, |so_far, it| so_far | holds(it, event)),
        Node::Term(term) => {
            let fields = SELECTORS.iter().zip(event);
            fields.filter(|(name, _)| **name == term.selector).fold(0, |_, (_, field)| truth(&term.test, field))
        }
    }
}

fn mirrored(relation: Relation) -> Relation {
    match relation {
        Relation::Broader => Relation::Narrower,
        Relation::Narrower => Relation::Broader,
        Relation::Equivalent | Relation::Unrelated => relation,
    }
}

proptest! {
    #[test]
    fn order_and_parentheses_do_not_change_a_relation(expected in nodes(), found in nodes()) {
        let plain = read(&expected, false).relation(&read(&found, false)).unwrap();
        prop_assert_eq!(read(&expected, true).relation(&read(&found, true)), Ok(plain));
        prop_assert_eq!(read(&reversed(&expected), false).relation(&read(&reversed(&found), true)), Ok(plain));
        prop_assert_eq!(read(&found, false).relation(&read(&reversed(&found), true)), Ok(Relation::Equivalent));
    }

    #[test]
    fn relations_are_symmetric(expected in nodes(), found in nodes()) {
        let (expected, found) = (Pattern(expected), Pattern(found));
        let relation = expected.relation(&found).unwrap();
        prop_assert_eq!(found.relation(&expected), Ok(mirrored(relation)));
    }

    #[test]
    fn negation_inverts_and_double_negation_is_the_identity(expected in nodes(), found in nodes(), event in [field(), field(), field()]) {
        let relation = Pattern(expected.clone()).relation(&Pattern(found.clone())).unwrap();
        let twice = Pattern(negated(&negated(&found)));
        prop_assert_eq!(Pattern(expected).relation(&twice), Ok(relation));
        // Under the last assumption, a missing field differs from every value, and `!=` is the negation of `=`.
        let last = 1 << 3;
        prop_assert_eq!(holds(&negated(&found), &event) & last, !holds(&found, &event) & last);
    }

    #[test]
    fn an_added_condition_narrows_and_an_added_alternative_broadens(expected in nodes(), term in terms()) {
        let both = Pattern(Node::All(vec![expected.clone(), term.clone()]));
        let either = Pattern(Node::Any(vec![expected.clone(), term]));
        let expected = Pattern(expected);
        let narrower = expected.relation(&both).unwrap();
        prop_assert!(matches!(narrower, Relation::Equivalent | Relation::Narrower), "{:?}", narrower);
        let broader = expected.relation(&either).unwrap();
        prop_assert!(matches!(broader, Relation::Equivalent | Relation::Broader), "{:?}", broader);
    }

    /// The rows of a comparison represent all events: a relation on the rows holds for any event.
    #[test]
    fn no_event_contradicts_a_relation(expected in nodes(), found in nodes(), event in [field(), field(), field()]) {
        let relation = Pattern(expected.clone()).relation(&Pattern(found.clone())).unwrap();
        let (expected, found) = (holds(&expected, &event), holds(&found, &event));
        if matches!(relation, Relation::Equivalent | Relation::Broader) {
            prop_assert_eq!(expected & !found, 0);
        }
        if matches!(relation, Relation::Equivalent | Relation::Narrower) {
            prop_assert_eq!(found & !expected, 0);
        }
    }

    #[test]
    fn every_text_has_a_witness_that_matches_the_same_globs(globs in prop::collection::vec("[xy*]{0,4}", 0..4), text in "[xyz]{0,6}") {
        let globs: Vec<Glob> = globs.iter().map(|it| Glob::new(it)).collect();
        let globs: Vec<&Glob> = globs.iter().collect();
        let matched = |text: &str| globs.iter().map(|it| it.matches(text)).collect::<Vec<_>>();
        let witnesses = texts(&globs).unwrap();
        prop_assert!(witnesses.iter().any(|it| matched(it) == matched(&text)), "{:?}", witnesses);
        let different: std::collections::BTreeSet<Vec<bool>> = witnesses.iter().map(|it| matched(it)).collect();
        prop_assert_eq!(different.len(), witnesses.len());
    }

    #[test]
    fn parsing_never_panics(text in "\\{[ $.a-c=!<>&|()\"%*0-9EXISTNOUL\\[\\]]{0,40}\\}") {
        let _read = Pattern::parse(&text);
    }
}
