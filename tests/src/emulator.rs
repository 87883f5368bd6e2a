//! One moto for all tests of a binary, with one table, one bus and one queue per test; or a table and a bus in memory.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::SdkConfig;
use rectify_chaos::table::Table;
use rectify_compliance::Region;
use rectify_local::backend::{Backend, BackendSettings};
use rectify_runtime::clients::sdk_config_over;
use rectify_runtime::settings::Environment;
use serde_json::Value;
use tokio::sync::Mutex;

/// The account of everything in the emulator.
pub const ACCOUNT: &str = "111122223333";
/// The region of everything in the emulator.
pub const REGION: &str = "us-east-1";

static ENDPOINT: OnceLock<String> = OnceLock::new();
static SANDBOXES: AtomicUsize = AtomicUsize::new(0);

/// The emulator's endpoint; the first caller starts it. It ends with the process.
pub fn endpoint() -> &'static str {
    ENDPOINT.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let log = std::env::temp_dir().join(format!("rectify-moto-{}.log", std::process::id()));
                let backend = Backend::start(&settings(&log)).await.unwrap();
                sender.send(backend.endpoint().to_owned()).unwrap();
                // The backend lives as long as this future, which never ends.
                std::future::pending::<()>().await;
            });
        });
        receiver.recv_timeout(Duration::from_secs(60)).unwrap()
    })
}

fn settings(log: &Path) -> BackendSettings {
    BackendSettings::new(ACCOUNT, log)
}

/// An SDK configuration for AWS at `endpoint`.
pub fn sdk_at(endpoint: &str) -> SdkConfig {
    sdk_over(endpoint, http())
}

/// Plain HTTP, one DynamoDB call at a time: moto rolls back a cancelled transaction by restoring the whole table,
/// including concurrent writes of others (moto 5.2.5, `dynamodb/models`). DynamoDB's own transactions are serializable.
pub fn http() -> SharedHttpClient {
    SharedHttpClient::new(OneAtATime(aws_smithy_http_client::Builder::new().build_http()))
}

#[derive(Debug)]
struct OneAtATime(SharedHttpClient);

#[derive(Debug)]
struct OneAtATimeConnector(SharedHttpConnector);

static TURN: Mutex<()> = Mutex::const_new(());

impl HttpClient for OneAtATime {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(OneAtATimeConnector(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for OneAtATimeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.0.clone();
        HttpConnectorFuture::new(async move {
            let dynamodb = request.headers().get("x-amz-target").is_some_and(|it| it.starts_with("DynamoDB"));
            let _turn = if dynamodb { Some(TURN.lock().await) } else { None };
            inner.call(request).await
        })
    }
}

/// The same over another HTTP client.
pub fn sdk_over(endpoint: &str, http: SharedHttpClient) -> SdkConfig {
    let environment = Environment::of([
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_MAX_ATTEMPTS", "1"),
    ]);
    sdk_config_over(&environment, &Region::new(REGION), http).unwrap()
}

/// DynamoDB and EventBridge in memory, every other service in the emulator.
#[derive(Debug)]
struct InMemory(Table, SharedHttpClient);

impl HttpClient for InMemory {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let emulator = self.1.http_connector(settings, components);
        SharedHttpConnector::new(InMemoryConnector(self.0.clone(), emulator))
    }
}

#[derive(Debug)]
struct InMemoryConnector(Table, SharedHttpConnector);

impl HttpConnector for InMemoryConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if target.starts_with("DynamoDB_") || target.starts_with("AWSEvents.") {
            self.0.call(request)
        } else {
            self.1.call(request)
        }
    }
}

/// The resources of a remediation: a ledger, a bus, and the announcements on it.
#[derive(Debug)]
pub struct Sandbox {
    /// The name of the table and the bus, unique in the emulator.
    pub name: String,
    /// The emulator's.
    pub endpoint: String,
    /// Reaches them and the emulator.
    pub sdk: SdkConfig,
    bus: Announcements,
}

#[derive(Debug)]
enum Announcements {
    /// The URL of a queue in the emulator that receives them.
    Queue(String),
    /// The table and bus in memory, and how many of its events were read.
    Memory(Table, AtomicUsize),
}

impl Announcements {
    fn http(&self) -> SharedHttpClient {
        match self {
            Self::Queue(_) => http(),
            Self::Memory(table, _) => SharedHttpClient::new(InMemory(table.clone(), http())),
        }
    }
}

impl Sandbox {
    /// Creates table, bus, event rule and queue in the emulator that all tests share.
    pub async fn create() -> Self {
        Self::create_at(endpoint()).await
    }

    /// The same in an emulator of its own.
    pub async fn create_at(endpoint: &str) -> Self {
        let sdk = sdk_at(endpoint);
        let name = format!("sandbox-{}", SANDBOXES.fetch_add(1, Ordering::Relaxed));
        create_table(&sdk, &name).await;
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let queue = sqs.create_queue().queue_name(&name).send().await.unwrap().queue_url.unwrap();
        let events = aws_sdk_eventbridge::Client::new(&sdk);
        events.create_event_bus().name(&name).send().await.unwrap();
        let pattern = r#"{"source": ["rectify"]}"#;
        events.put_rule().event_bus_name(&name).name(&name).event_pattern(pattern).send().await.unwrap();
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let target = aws_sdk_eventbridge::types::Target::builder().id("queue").arn(arn).build().unwrap();
        events.put_targets().event_bus_name(&name).rule(&name).targets(target).send().await.unwrap();
        Self { name, endpoint: endpoint.to_owned(), sdk, bus: Announcements::Queue(queue) }
    }

    /// A table and a bus in memory, for tests with thousands of calls: they answer like moto (`table_and_moto`).
    pub fn in_memory() -> Self {
        let name = format!("sandbox-{}", SANDBOXES.fetch_add(1, Ordering::Relaxed));
        let bus = Announcements::Memory(Table::default(), AtomicUsize::new(0));
        Self { name, endpoint: endpoint().to_owned(), sdk: sdk_over(endpoint(), bus.http()), bus }
    }

    /// The HTTP client of its SDK configuration, to wrap it.
    pub fn http(&self) -> SharedHttpClient {
        self.bus.http()
    }

    /// Its SDK configuration over another HTTP client.
    pub fn sdk_over(&self, http: SharedHttpClient) -> SdkConfig {
        sdk_over(&self.endpoint, http)
    }

    /// The announcements since the last call, in order: detail type and detail.
    pub async fn announced(&self) -> Vec<(String, Value)> {
        let queue = match &self.bus {
            Announcements::Queue(queue) => queue,
            Announcements::Memory(table, read) => {
                let events = table.events();
                let new = events.get(read.swap(events.len(), Ordering::Relaxed)..).unwrap_or_default();
                return new.to_vec();
            }
        };
        let sqs = aws_sdk_sqs::Client::new(&self.sdk);
        let mut events = Vec::new();
        loop {
            let answer = sqs.receive_message().queue_url(queue).max_number_of_messages(10).send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return events;
            }
            for message in messages {
                let event: Value = serde_json::from_str(message.body().unwrap()).unwrap();
                assert_eq!(event["source"], "rectify");
                events.push((event["detail-type"].as_str().unwrap().to_owned(), event["detail"].clone()));
                let receipt = message.receipt_handle().unwrap();
                sqs.delete_message().queue_url(queue).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }

    /// Sets the end of the lease in this partition to the distant past.
    pub async fn end_lease(&self, partition: &str) {
        let attribute = |value: &str| AttributeValue::S(value.to_owned());
        aws_sdk_dynamodb::Client::new(&self.sdk)
            .update_item()
            .table_name(&self.name)
            .key("pk", attribute(partition))
            .key("sk", attribute("LEASE"))
            .update_expression("SET #until = :past")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":past", AttributeValue::N("0".to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// Moves all times and ids in the table back by `hours`.
    pub async fn age(&self, hours: i64) {
        let dynamodb = aws_sdk_dynamodb::Client::new(&self.sdk);
        let back = hours * 3_600_000;
        let earlier = |text: &str| {
            let parts = text.split('#').map(|part| match part.parse::<ulid::Ulid>() {
                Ok(id) => {
                    let milliseconds = id.timestamp_ms().checked_sub_signed(back).unwrap();
                    ulid::Ulid::from_parts(milliseconds, id.random()).to_string()
                }
                Err(_) => part.to_owned(),
            });
            parts.collect::<Vec<_>>().join("#")
        };
        for item in dynamodb.scan().table_name(&self.name).send().await.unwrap().items.unwrap_or_default() {
            let gone = dynamodb.delete_item().table_name(&self.name);
            gone.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await.unwrap();
            let aged = item.iter().map(|(name, value)| {
                let value = match value {
                    AttributeValue::N(number) if name.ends_with("_at") => {
                        AttributeValue::N((number.parse::<i64>().unwrap() - back).to_string())
                    }
                    // The body of an attempt contains its id too.
                    AttributeValue::S(text) if name == "body" => {
                        let id = item["sk"].as_s().unwrap();
                        AttributeValue::S(text.replace(id.as_str(), &earlier(id)))
                    }
                    AttributeValue::S(text) => AttributeValue::S(earlier(text)),
                    other => other.clone(),
                };
                (name.clone(), value)
            });
            let aged = Some(aged.collect());
            dynamodb.put_item().table_name(&self.name).set_item(aged).send().await.unwrap();
        }
    }

    /// The sum of all budget counters.
    pub async fn budget_used(&self) -> u64 {
        let table = aws_sdk_dynamodb::Client::new(&self.sdk).scan().table_name(&self.name).send().await.unwrap();
        let items = table.items.unwrap_or_default();
        let counters = items.iter().filter(|item| item["pk"].as_s().unwrap().contains("#B#"));
        counters.map(|item| item["n"].as_n().unwrap().parse::<u64>().unwrap()).sum()
    }
}

/// Creates an empty ledger.
pub async fn create_table(sdk: &SdkConfig, name: &str) {
    let attribute = |name: &str| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let part = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    aws_sdk_dynamodb::Client::new(sdk)
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("sk"))
        .key_schema(part("pk", KeyType::Hash))
        .key_schema(part("sk", KeyType::Range))
        .send()
        .await
        .unwrap();
}
