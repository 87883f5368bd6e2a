//! DynamoDB and an event bus in memory, behind the AWS SDK's HTTP client, for tests with tens of thousands of calls.
//!
//! It supports only the operations and expressions that the ledger uses; any other request panics. A test runs
//! generated sequences of operations against it and against moto and compares every answer. It lacks item size limits,
//! throughput, indexes, streams, filters and pages of scans, numbers that are not integers, and documents and sets in
//! expressions.

pub mod expression;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value, json};

use expression::{Item, Placeholders, condition, projection, update};

/// The maximum size of a page of a query, in bytes.
const PAGE: usize = 1_000_000;

/// One table with the keys `pk` and `sk`, and one event bus.
#[derive(Debug, Clone, Default)]
pub struct Table(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<String, BTreeMap<String, Item>>,
    /// Hashes of the committed transactions by their token: a repeated one changes nothing.
    transactions: HashMap<String, u64>,
    events: Vec<(String, Value)>,
    page: Option<usize>,
}

/// An answer on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answer {
    const fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// An error with this code.
    pub fn refused(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message}) }
    }

    /// A cancelled transaction: the reason of each write, in order.
    pub fn cancelled(reasons: &[Value]) -> Self {
        let codes: Vec<&str> = reasons.iter().filter_map(|it| it["Code"].as_str()).collect();
        let message = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        );
        let mut answer = Self::refused(400, "TransactionCanceledException", &message);
        answer.body["CancellationReasons"] = json!(reasons);
        answer
    }

    /// The response of the SDK's HTTP client.
    pub fn response(&self) -> HttpResponse {
        let response =
            http::Response::builder().status(self.status).header("content-type", "application/x-amz-json-1.0");
        HttpResponse::try_from(response.body(SdkBody::from(self.body.to_string())).unwrap()).unwrap()
    }
}

/// The operation and the input of a request.
pub fn request_of(request: &HttpRequest) -> (String, Value) {
    let target = request.headers().get("x-amz-target").unwrap_or_else(|| panic!("no operation: {}", request.uri()));
    let operation = target.split_once('.').map_or(target, |(_, operation)| operation).to_owned();
    (operation, serde_json::from_slice(request.body().bytes().unwrap()).unwrap())
}

impl Table {
    /// The HTTP client for the SDK.
    pub fn http(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Limits the pages of queries to this many items, as if items were large.
    pub fn page_of(&self, items: usize) {
        self.state().page = Some(items);
    }

    /// The events put on the bus: detail type and detail, in order.
    pub fn events(&self) -> Vec<(String, Value)> {
        self.state().events.clone()
    }

    /// Changes every selected item in place, without a call.
    pub fn change(&self, is_selected: impl Fn(&Item) -> bool, change: impl Fn(&mut Item)) {
        let mut state = self.state();
        let items = state.partitions.values_mut().flat_map(BTreeMap::values_mut);
        items.filter(|item| is_selected(item)).for_each(change);
    }

    /// Every item.
    pub fn items(&self) -> Vec<Item> {
        self.state().partitions.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Whether a transaction with this token was committed before: a repeated one changes nothing.
    pub fn has_committed(&self, input: &Value) -> bool {
        input["ClientRequestToken"].as_str().is_some_and(|token| self.state().transactions.contains_key(token))
    }

    /// Answers one request atomically.
    pub fn answer(&self, operation: &str, input: &Value) -> Answer {
        let mut state = self.state();
        let answer = match operation {
            "GetItem" => state.get(input),
            "Query" => state.query(input),
            "Scan" => state.scan(input),
            "PutItem" | "UpdateItem" | "DeleteItem" => state.write(operation, input),
            "TransactWriteItems" => state.transact(input),
            "PutEvents" => Ok(state.put_events(input)),
            _ => panic!("the table in memory does not support {operation}: {input}"),
        };
        answer.unwrap_or_else(|error| error)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for Table {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Table {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, input) = request_of(&request);
        HttpConnectorFuture::ready(Ok(self.answer(&operation, &input).response()))
    }
}

type Fallible<T> = Result<T, Answer>;

/// A write to the item at its key.
struct Write {
    pk: String,
    sk: String,
    effect: Effect,
    /// The previous item, if it is to be returned.
    old: Option<Item>,
    failed: bool,
}

/// The effect on the item.
enum Effect {
    /// Writes this item.
    Put(Item),
    /// Deletes the item.
    Delete,
    /// Keeps the item.
    Keep,
}

impl State {
    fn at(&self, key: &Value) -> Option<&Item> {
        self.partitions.get(text(key, "pk"))?.get(text(key, "sk"))
    }

    fn get(&self, input: &Value) -> Fallible<Answer> {
        assert_supported(
            input,
            &["TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"],
        );
        let names = Placeholders::of(input);
        let kept = names_kept(input, &names);
        let found = self.at(&input["Key"]).map(|item| projected(item, kept.as_deref()));
        names.all_used();
        Ok(Answer::ok(found.map_or_else(|| json!({}), |item| json!({"Item": item}))))
    }

    /// Every item in one page, for assertions: the ledger does not scan.
    fn scan(&self, input: &Value) -> Fallible<Answer> {
        assert_supported(input, &["TableName"]);
        let items: Vec<&Item> = self.partitions.values().flat_map(BTreeMap::values).collect();
        Ok(Answer::ok(json!({"Items": items, "Count": items.len(), "ScannedCount": items.len()})))
    }

    fn query(&self, input: &Value) -> Fallible<Answer> {
        #[rustfmt::skip]
        assert_supported(input, &[
            "TableName", "ConsistentRead", "KeyConditionExpression", "FilterExpression", "ProjectionExpression",
            "ExpressionAttributeNames", "ExpressionAttributeValues", "ScanIndexForward", "Limit", "ExclusiveStartKey",
        ]);
        let names = Placeholders::of(input);
        let key_condition = condition(input["KeyConditionExpression"].as_str().unwrap(), &names);
        let filter = input["FilterExpression"].as_str().map(|text| condition(text, &names));
        let shown = names_kept(input, &names);
        let pk = key_condition.must_equal("pk").unwrap_or_else(|| panic!("a query without `pk = …`: {input}"));
        let empty = BTreeMap::new();
        let partition = self.partitions.get(pk["S"].as_str().unwrap()).unwrap_or(&empty);
        let mut items: Vec<&Item> = partition.values().filter(|item| key_condition.holds(item)).collect();
        if input["ScanIndexForward"] == false {
            items.reverse();
        }
        if let Some(start) = input["ExclusiveStartKey"]["sk"]["S"].as_str() {
            let is_before = |item: &&&Item| match input["ScanIndexForward"] == false {
                false => item["sk"]["S"].as_str().unwrap() <= start,
                true => item["sk"]["S"].as_str().unwrap() >= start,
            };
            items = items.iter().skip_while(is_before).copied().collect();
        }
        let limit = input["Limit"].as_u64().map_or(usize::MAX, |it| usize::try_from(it).unwrap());
        let limit = limit.min(self.page.unwrap_or(usize::MAX));
        let mut size = 0;
        let read = items.iter().take(limit).take_while(|item| {
            let fits = size < PAGE;
            size += size_of(item);
            fits
        });
        let read: Vec<&Item> = read.copied().collect();
        let kept = read.iter().filter(|item| filter.as_ref().is_none_or(|it| it.holds(item)));
        let kept: Vec<Item> = kept.map(|item| projected(item, shown.as_deref())).collect();
        let mut body = json!({"Count": kept.len(), "ScannedCount": read.len(), "Items": kept});
        if read.len() < items.len() {
            body["LastEvaluatedKey"] = read.last().map(|item| json!({"pk": item["pk"], "sk": item["sk"]})).unwrap();
        }
        names.all_used();
        Ok(Answer::ok(body))
    }

    fn write(&mut self, operation: &str, input: &Value) -> Fallible<Answer> {
        let write = self.prepared(operation, input, &["ReturnValues"]);
        if write.failed {
            let mut error = Answer::refused(400, "ConditionalCheckFailedException", "The conditional request failed");
            if let Some(old) = &write.old {
                error.body["Item"] = json!(old);
            }
            return Err(error);
        }
        let shown = match input["ReturnValues"].as_str() {
            None | Some("NONE") => None,
            Some("ALL_NEW") => match &write.effect {
                Effect::Put(item) => Some(item.clone()),
                Effect::Delete | Effect::Keep => None,
            },
            Some("ALL_OLD") => write.old.clone(),
            Some(other) => panic!("the table in memory does not support ReturnValues `{other}`"),
        };
        self.carry_out(write);
        Ok(Answer::ok(shown.map_or_else(|| json!({}), |item| json!({"Attributes": item}))))
    }

    fn transact(&mut self, input: &Value) -> Fallible<Answer> {
        assert_supported(input, &["TransactItems", "ClientRequestToken"]);
        let token = input["ClientRequestToken"].as_str().map(str::to_owned);
        if let Some(before) = token.as_ref().and_then(|token| self.transactions.get(token)) {
            assert_eq!(*before, hash(&input["TransactItems"]), "one token for two transactions");
            return Ok(Answer::ok(json!({})));
        }
        let mut writes = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for item in input["TransactItems"].as_array().unwrap() {
            let (operation, write) = item.as_object().unwrap().iter().next().unwrap();
            let write = self.prepared(operation, write, &[]);
            if !seen.insert((write.pk.clone(), write.sk.clone())) {
                let message = "Transaction request cannot include multiple operations on one item";
                return Err(Answer::refused(400, "ValidationException", message));
            }
            writes.push(write);
        }
        assert!(writes.len() <= 100, "a transaction has at most 100 writes: {}", writes.len());
        if writes.iter().any(|write| write.failed) {
            let reason = |write: &Write| match (write.failed, &write.old) {
                (false, _) => json!({"Code": "None"}),
                (true, Some(old)) => {
                    json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed", "Item": old})
                }
                (true, None) => {
                    json!({"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"})
                }
            };
            return Err(Answer::cancelled(&writes.iter().map(reason).collect::<Vec<_>>()));
        }
        for write in writes {
            self.carry_out(write);
        }
        if let Some(token) = token {
            self.transactions.insert(token, hash(&input["TransactItems"]));
        }
        Ok(Answer::ok(json!({})))
    }

    /// Prepares a write without carrying it out.
    fn prepared(&self, operation: &str, input: &Value, more: &[&str]) -> Write {
        let mut fields = vec![
            "TableName",
            "Key",
            "Item",
            "UpdateExpression",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
        ];
        fields.extend(more);
        assert_supported(input, &fields);
        let key = if input["Item"].is_null() { &input["Key"] } else { &input["Item"] };
        let old = self.at(key);
        let names = Placeholders::of(input);
        let holds = input["ConditionExpression"].as_str().is_none_or(|text| {
            let empty = Item::new();
            condition(text, &names).holds(old.unwrap_or(&empty))
        });
        let updated = input["UpdateExpression"].as_str().map(|text| update(text, &names));
        names.all_used();
        let effect = match operation {
            _ if !holds => Effect::Keep,
            "Put" | "PutItem" => Effect::Put(input["Item"].as_object().unwrap().clone()),
            "Delete" | "DeleteItem" => Effect::Delete,
            "ConditionCheck" => Effect::Keep,
            "Update" | "UpdateItem" => {
                let mut item = old.cloned().unwrap_or_else(|| input["Key"].as_object().unwrap().clone());
                updated.iter().for_each(|it| it.apply(&mut item));
                Effect::Put(item)
            }
            _ => panic!("the table in memory does not support {operation}: {input}"),
        };
        let field = if holds { "ReturnValues" } else { "ReturnValuesOnConditionCheckFailure" };
        let old = old.filter(|_| input[field] == "ALL_OLD").cloned();
        Write { pk: part(key, "pk"), sk: part(key, "sk"), effect, old, failed: !holds }
    }

    fn carry_out(&mut self, write: Write) {
        let partition = self.partitions.entry(write.pk).or_default();
        match write.effect {
            Effect::Put(item) => drop(partition.insert(write.sk, item)),
            Effect::Delete => drop(partition.remove(&write.sk)),
            Effect::Keep => {}
        }
    }

    fn put_events(&mut self, input: &Value) -> Answer {
        let entries = input["Entries"].as_array().unwrap();
        for entry in entries {
            let detail = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            self.events.push((entry["DetailType"].as_str().unwrap().to_owned(), detail));
        }
        let accepted: Vec<Value> = (0..entries.len()).map(|number| json!({"EventId": number.to_string()})).collect();
        Answer::ok(json!({"FailedEntryCount": 0, "Entries": accepted}))
    }
}

/// Approximately the size of its JSON in bytes.
fn size_of(item: &Item) -> usize {
    let text = |value: &Value| {
        value.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_str).map(str::len).sum::<usize>()
    };
    item.iter().map(|(name, value)| name.len() + text(value) + 10).sum()
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn part(key: &Value, name: &str) -> String {
    text(key, name).to_owned()
}

fn text<'a>(key: &'a Value, name: &str) -> &'a str {
    key[name]["S"].as_str().unwrap_or_else(|| panic!("no `{name}`: {key}"))
}

/// Panics if the input has a field that would be ignored.
fn assert_supported(input: &Value, fields: &[&str]) {
    for field in input.as_object().unwrap().keys() {
        assert!(fields.contains(&field.as_str()), "the table in memory does not support `{field}`: {input}");
    }
}

fn names_kept(input: &Value, names: &Placeholders<'_>) -> Option<Vec<String>> {
    input["ProjectionExpression"].as_str().map(|text| projection(text, names))
}

fn projected(item: &Item, kept: Option<&[String]>) -> Item {
    let is_kept = |name: &String| kept.is_none_or(|kept| kept.contains(name));
    item.iter().filter(|(name, _)| is_kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}
