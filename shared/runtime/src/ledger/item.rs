//! Helpers that read and write DynamoDB items.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use rectify_compliance::Timestamp;

use crate::Error;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An instant as epoch milliseconds, so that conditions can compare it.
pub(super) fn instant(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

pub(super) fn key(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub(super) fn read_text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, Error> {
    match item.get(name) {
        Some(AttributeValue::S(value)) => Ok(value),
        other => Err(unexpected(name, "a string", other)),
    }
}

/// The text of an attribute that items may lack.
pub(super) fn read_optional(item: &Item, name: &str) -> Option<String> {
    item.get(name).and_then(|it| it.as_s().ok()).cloned()
}

pub(super) fn read_number(item: &Item, name: &'static str) -> Result<i64, Error> {
    match item.get(name) {
        Some(AttributeValue::N(value)) => value.parse().map_err(|_| unexpected(name, "a whole number", item.get(name))),
        other => Err(unexpected(name, "a number", other)),
    }
}

pub(super) fn read_instant(item: &Item, name: &'static str) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(read_number(item, name)?).map_err(|error| Error::Ledger(format!("{name}: {error}")))
}

fn unexpected(name: &str, expected: &str, received: Option<&AttributeValue>) -> Error {
    Error::Ledger(format!("{name}: expected {expected}: received `{received:?}`"))
}
