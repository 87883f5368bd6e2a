//! The table in memory answers like moto: generated sequences of operations are sent to both and their answers
//! compared.
//!
//! moto is the reference. The table replaces it where tens of thousands of calls must take seconds.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, ReturnValue, TransactWriteItem, Update};
use rectify_chaos::table::Table;
use rectify_tests::emulator::{Sandbox, sdk_over};
use std::collections::{BTreeMap, HashMap};

/// How many operations are compared.
const OPERATIONS: usize = 400;

type Values = HashMap<String, AttributeValue>;

/// An expression with the names and values it uses.
#[derive(Debug, Clone, Default)]
struct Expression {
    text: String,
    names: HashMap<String, String>,
    values: Values,
}

/// One operation, sent to both.
#[derive(Debug, Clone)]
enum Operation {
    Get { key: Values, shown: Option<Expression> },
    Put { item: Values, condition: Option<Expression>, shown: bool },
    Delete { key: Values, condition: Option<Expression> },
    Update { key: Values, update: Expression, condition: Option<Expression>, shown: bool },
    Query { key: Expression, shown: Option<Expression>, backwards: bool, limit: Option<i32> },
    Transact(Vec<Self>),
    Check { key: Values, condition: Expression },
}

/// Generates operations with few keys and few values, so that they collide.
struct Generator(fastrand::Rng);

impl Generator {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())].clone()
    }

    fn key(&mut self) -> Values {
        let (pk, sk) = (self.one(&["p", "p#q", "q"]), self.one(&["-", "A#1", "A#2", "A#3", "B#1", "LEASE"]));
        HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
    }

    /// A value for this attribute, with the attribute's type in the ledger; moto refuses to compare values of other
    /// types.
    fn value(&mut self, name: &str) -> AttributeValue {
        match name {
            "#until" | "until" | "n" => number(self.0.i64(-2..12)),
            _ => text(self.one(&["", "a", "ab", "b"])),
        }
    }

    fn item(&mut self) -> Values {
        let mut item = self.key();
        for name in ["owner", "until"] {
            if self.0.bool() {
                item.insert(name.to_owned(), self.value(name));
            }
        }
        if self.0.bool() {
            item.insert("n".to_owned(), number(self.0.i64(-2..12)));
        }
        item
    }

    fn path(&mut self, expression: &mut Expression) -> String {
        self.path_of(&["#owner", "#until", "n", "pk", "absent"], expression)
    }

    fn path_of(&mut self, names: &[&str], expression: &mut Expression) -> String {
        let name = self.one(names);
        if let Some(attribute) = name.strip_prefix('#') {
            expression.names.insert(name.to_owned(), attribute.to_owned());
        }
        name.to_owned()
    }

    fn value_in(&mut self, expression: &mut Expression, value: AttributeValue) -> String {
        let name = format!(":v{}", expression.values.len());
        expression.values.insert(name.clone(), value);
        name
    }

    fn condition_text(&mut self, depth: u32, expression: &mut Expression) -> String {
        match if depth == 0 { self.0.u32(..5) } else { self.0.u32(..8) } {
            0 => format!("attribute_exists({})", self.path(expression)),
            1 => format!("attribute_not_exists({})", self.path(expression)),
            2 => {
                let path = self.path_of(&["#owner", "pk", "absent"], expression);
                let value = text(self.one(&["", "a", "p"]));
                let value = self.value_in(expression, value);
                format!("begins_with({path}, {value})")
            }
            3 | 4 => {
                let path = self.path(expression);
                let value = self.value(&path);
                let value = self.value_in(expression, value);
                let comparator = self.one(&["=", "<>", "<", "<=", ">", ">="]);
                format!("{path} {comparator} {value}")
            }
            5 => format!("NOT ({})", self.condition_text(depth - 1, expression)),
            other => {
                let (left, right) =
                    (self.condition_text(depth - 1, expression), self.condition_text(depth - 1, expression));
                let operator = if other == 6 { "AND" } else { "OR" };
                if self.0.bool() {
                    format!("({left}) {operator} {right}")
                } else {
                    format!("{left} {operator} ({right})")
                }
            }
        }
    }

    fn condition(&mut self) -> Expression {
        let mut expression = Expression::default();
        expression.text = self.condition_text(2, &mut expression);
        expression
    }

    fn some_condition(&mut self) -> Option<Expression> {
        (self.0.u32(..4) > 0).then(|| self.condition())
    }

    fn update(&mut self) -> Expression {
        let mut it = Expression::default();
        let mut clauses = Vec::new();
        it.names.insert("#owner".to_owned(), "owner".to_owned());
        if self.0.bool() {
            let value = self.value("#owner");
            let value = self.value_in(&mut it, value);
            let more = match self.0.u32(..3) {
                0 => {
                    let start = number(self.0.i64(0..5));
                    let start = self.value_in(&mut it, start);
                    format!(", begun = if_not_exists(begun, {start})")
                }
                _ => String::new(),
            };
            clauses.push(format!("SET #owner = {value}{more}"));
        } else {
            clauses.push("REMOVE #owner, absent".to_owned());
        }
        if self.0.bool() {
            let value = number(self.0.i64(-1..2));
            clauses.push(format!("ADD fence {}", self.value_in(&mut it, value)));
        }
        if self.0.bool() {
            clauses.reverse();
        }
        it.text = clauses.join(" ");
        it
    }

    fn write(&mut self) -> Operation {
        match self.0.u32(..4) {
            0 => Operation::Put { item: self.item(), condition: self.some_condition(), shown: self.0.bool() },
            1 => Operation::Delete { key: self.key(), condition: self.some_condition() },
            _ => {
                let (key, update, condition) = (self.key(), self.update(), self.some_condition());
                Operation::Update { key, update, condition, shown: self.0.bool() }
            }
        }
    }

    fn operation(&mut self) -> Operation {
        match self.0.u32(..10) {
            0 => Operation::Get { key: self.key(), shown: self.shown() },
            1 | 2 => {
                let mut key = Expression::default();
                let pk = text(self.one(&["p", "p#q", "q"]));
                let mut condition = format!("pk = {}", self.value_in(&mut key, pk));
                match self.0.u32(..4) {
                    0 => {}
                    1 => {
                        let prefix = text(self.one(&["A#", "B", "-", "C"]));
                        condition.push_str(&format!(" AND begins_with(sk, {})", self.value_in(&mut key, prefix)));
                    }
                    2 => {
                        let (low, high) = (text(self.one(&["-", "A#2"])), text(self.one(&["A#2", "A#~", "Z"])));
                        let (low, high) = (self.value_in(&mut key, low), self.value_in(&mut key, high));
                        condition.push_str(&format!(" AND sk BETWEEN {low} AND {high}"));
                    }
                    _ => {
                        let bound = text(self.one(&["A#2", "B"]));
                        let comparator = self.one(&["=", "<", "<=", ">", ">="]);
                        condition.push_str(&format!(" AND sk {comparator} {}", self.value_in(&mut key, bound)));
                    }
                }
                key.text = condition;
                let limit = self.0.bool().then(|| self.0.i32(1..4));
                Operation::Query { key, shown: self.shown(), backwards: self.0.bool(), limit }
            }
            3..=5 => {
                let mut keys = std::collections::BTreeSet::new();
                let mut writes = Vec::new();
                for _ in 0..self.0.u32(1..5) {
                    let check = Operation::Check { key: self.key(), condition: self.condition() };
                    let write = if self.0.bool() { self.write() } else { check };
                    // DynamoDB refuses two operations on one item before it checks conditions; the ledger never sends
                    // them.
                    if keys.insert(format!("{:?} {:?}", write.key()["pk"], write.key()["sk"])) {
                        writes.push(write);
                    }
                }
                Operation::Transact(writes)
            }
            _ => self.write(),
        }
    }

    fn shown(&mut self) -> Option<Expression> {
        let names = HashMap::from([("#owner".to_owned(), "owner".to_owned())]);
        let text = "sk, #owner, absent".to_owned();
        self.0.bool().then_some(Expression { text, names, ..Expression::default() })
    }
}

impl Operation {
    fn key(&self) -> &Values {
        match self {
            Self::Put { item: key, .. }
            | Self::Get { key, .. }
            | Self::Delete { key, .. }
            | Self::Update { key, .. }
            | Self::Check { key, .. } => key,
            Self::Query { .. } | Self::Transact(_) => panic!("no key"),
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The names and values of two expressions; `None` if there are none, since an empty map is refused.
fn together(both: [Option<&Expression>; 2]) -> (Option<HashMap<String, String>>, Option<Values>) {
    let mut names = HashMap::new();
    let mut values = HashMap::new();
    for it in both.into_iter().flatten() {
        names.extend(it.names.clone());
        values.extend(it.values.clone());
    }
    ((!names.is_empty()).then_some(names), (!values.is_empty()).then_some(values))
}

/// Renames the condition's values so that they differ from those of the update.
fn with_distinct_names(condition: Option<Expression>) -> Option<Expression> {
    let mut it = condition?;
    it.text = it.text.replace(":v", ":c");
    it.values = it.values.into_iter().map(|(name, value)| (name.replace(":v", ":c"), value)).collect();
    Some(it)
}

fn shown(item: Option<Values>) -> String {
    format!("{:?}", item.map(|item| item.into_iter().collect::<BTreeMap<_, _>>()))
}

fn refused<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or("no answer").to_owned()
}

fn write_of(operation: Operation) -> TransactWriteItem {
    let builder = TransactWriteItem::builder().clone();
    match operation {
        Operation::Put { item, condition, .. } => {
            let (names, values) = together([condition.as_ref(), None]);
            let put = Put::builder().table_name("t").set_item(Some(item));
            let put = put.set_condition_expression(condition.map(|it| it.text));
            let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
            builder.put(put.build().unwrap())
        }
        Operation::Delete { key, condition } => {
            let (names, values) = together([condition.as_ref(), None]);
            let delete = Delete::builder().table_name("t").set_key(Some(key));
            let delete = delete.set_condition_expression(condition.map(|it| it.text));
            let delete = delete.set_expression_attribute_names(names).set_expression_attribute_values(values);
            builder.delete(delete.build().unwrap())
        }
        Operation::Check { key, condition } => {
            let (names, values) = together([Some(&condition), None]);
            let check = ConditionCheck::builder().table_name("t").set_key(Some(key));
            let check = check.condition_expression(condition.text);
            let check = check.set_expression_attribute_names(names).set_expression_attribute_values(values);
            builder.condition_check(check.build().unwrap())
        }
        Operation::Update { key, update, condition, .. } => {
            let condition = with_distinct_names(condition);
            let (names, values) = together([Some(&update), condition.as_ref()]);
            let it = Update::builder().table_name("t").set_key(Some(key)).update_expression(update.text);
            let it = it.set_condition_expression(condition.map(|it| it.text));
            let it = it.set_expression_attribute_names(names).set_expression_attribute_values(values);
            builder.update(it.build().unwrap())
        }
        other => panic!("not a write: {other:?}"),
    }
    .build()
}

/// Sends one operation and returns the answer as text.
async fn answer(client: &Client, table: &str, operation: Operation) -> String {
    match operation {
        Operation::Get { key, shown: projection } => {
            let (names, _) = together([projection.as_ref(), None]);
            let get = client.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
            let get = get.set_projection_expression(projection.map(|it| it.text)).set_expression_attribute_names(names);
            get.send().await.map_or_else(|error| refused(&error), |answer| shown(answer.item))
        }
        Operation::Put { item, condition, shown: returned } => {
            let (names, values) = together([condition.as_ref(), None]);
            let put = client.put_item().table_name(table).set_item(Some(item));
            let put = put.set_condition_expression(condition.map(|it| it.text));
            let put = put.set_expression_attribute_names(names).set_expression_attribute_values(values);
            let put = put.set_return_values(returned.then_some(ReturnValue::AllOld));
            put.send().await.map_or_else(|error| refused(&error), |answer| shown(answer.attributes))
        }
        Operation::Delete { key, condition } => {
            let (names, values) = together([condition.as_ref(), None]);
            let delete = client.delete_item().table_name(table).set_key(Some(key));
            let delete = delete.set_condition_expression(condition.map(|it| it.text));
            let delete = delete.set_expression_attribute_names(names).set_expression_attribute_values(values);
            delete.send().await.map_or_else(|error| refused(&error), |answer| shown(answer.attributes))
        }
        Operation::Update { key, update, condition, shown: returned } => {
            let condition = with_distinct_names(condition);
            let (names, values) = together([Some(&update), condition.as_ref()]);
            let it = client.update_item().table_name(table).set_key(Some(key)).update_expression(update.text);
            let it = it.set_condition_expression(condition.map(|it| it.text));
            let it = it.set_expression_attribute_names(names).set_expression_attribute_values(values);
            let it = it.set_return_values(returned.then_some(ReturnValue::AllNew));
            it.send().await.map_or_else(|error| refused(&error), |answer| shown(answer.attributes))
        }
        Operation::Query { key, shown: projection, backwards, limit } => {
            let (names, _) = together([projection.as_ref(), None]);
            let query = client.query().table_name(table).consistent_read(true).scan_index_forward(!backwards);
            let query = query.key_condition_expression(key.text).set_expression_attribute_values(Some(key.values));
            let query = query.set_projection_expression(projection.map(|it| it.text));
            let query = query.set_expression_attribute_names(names).set_limit(limit);
            let mut pages = query.into_paginator().items().send();
            let mut text = String::new();
            while let Some(item) = pages.next().await {
                text.push_str(&item.map_or_else(|error| refused(&error), |item| shown(Some(item))));
            }
            text
        }
        Operation::Transact(operations) => {
            let mut writes: Vec<TransactWriteItem> = operations.into_iter().map(write_of).collect();
            for write in &mut writes {
                let name = || table.to_owned();
                write.put.iter_mut().for_each(|it| it.table_name = name());
                write.delete.iter_mut().for_each(|it| it.table_name = name());
                write.update.iter_mut().for_each(|it| it.table_name = name());
                write.condition_check.iter_mut().for_each(|it| it.table_name = name());
            }
            match client.transact_write_items().set_transact_items(Some(writes)).send().await {
                Ok(_) => "done".to_owned(),
                Err(error) => match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(it)) => {
                        let code = |reason: &aws_sdk_dynamodb::types::CancellationReason| reason.code.clone();
                        format!("{:?}", it.cancellation_reasons().iter().map(code).collect::<Vec<_>>())
                    }
                    _ => refused(&error),
                },
            }
        }
        Operation::Check { .. } => panic!("only in a transaction"),
    }
}

#[tokio::test]
async fn table_in_memory_answers_like_moto() {
    let sandbox = Sandbox::create().await;
    let moto = Client::new(&sandbox.sdk);
    let memory = Client::new(&sdk_over("http://table.test", Table::default().http()));
    let mut generator = Generator(fastrand::Rng::with_seed(5));
    let mut codes = std::collections::BTreeMap::<String, usize>::new();
    for number in 0..OPERATIONS {
        let operation = generator.operation();
        let expected = answer(&moto, &sandbox.name, operation.clone()).await;
        let found = answer(&memory, "t", operation.clone()).await;
        assert_eq!(found, expected, "operation {number}: {operation:#?}");
        let kind = if expected.contains("ConditionalCheckFailed") { "refused" } else { "carried out" };
        *codes.entry(kind.to_owned()).or_default() += 1;
    }
    // The sequence must have both refused and successful operations.
    assert!(codes["refused"] > OPERATIONS / 10 && codes["carried out"] > OPERATIONS / 3, "{codes:?}");
}
