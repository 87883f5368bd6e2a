//! Reading and writing single items of the table.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::item::{Item, key, text};
use super::{Ledger, unavailable};
use crate::Error;

impl Ledger {
    /// One item, read consistently.
    pub(super) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| unavailable("read", &error))?;
        Ok(answer.item)
    }

    /// All items of a partition whose sort key begins with `prefix`, every page, read consistently.
    pub(super) async fn query(&self, pk: &str, prefix: &str) -> Result<Vec<Item>, Error> {
        let query = self.partition(pk);
        self.items(if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        })
        .await
    }

    /// The last `max` items of a partition whose sort key is `from` or higher, last first, read consistently.
    pub(super) async fn newest(&self, pk: &str, from: &str, max: i32) -> Result<Vec<Item>, Error> {
        let query = self.partition(pk).key_condition_expression("pk = :pk AND sk >= :from");
        let query = query.expression_attribute_values(":from", text(from)).scan_index_forward(false).limit(max);
        let answer = query.send().await.map_err(|error| unavailable("query", &error))?;
        Ok(answer.items.unwrap_or_default())
    }

    pub(super) fn partition(&self, pk: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        query.expression_attribute_values(":pk", text(pk))
    }

    /// The items of a query, every page.
    pub(super) async fn items(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, Error> {
        let mut pages = query.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item.map_err(|error| unavailable("query", &error))?);
        }
        Ok(items)
    }

    /// Writes one item and replaces any earlier one.
    pub(super) async fn put(&self, item: Item, what: &str) -> Result<(), Error> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| unavailable(what, &error))
    }
}
