//! One reconciler over fake widgets: AWS Config replayed, ledger, bus and queues in moto.

use std::collections::BTreeSet;

use rectify_compliance::values::Bounded;
use rectify_compliance::{AccountId, Region, Timestamp};
use rectify_platform::client::Aws;
use rectify_platform::reconciler::Reconciler;
use rectify_platform::reconciler::settings::{Settings, Watched};
use rectify_runtime::Error;
use rectify_runtime::bus::Bus;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::settings::{AccountModes, Exemptions, Mode, PerControl};
use rectify_tests::controls::{WIDGET, Widget};
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::remediation::World;
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

/// When AWS Config recorded the results of these tests.
pub(super) const RECORDED: &str = "2026-03-04T05:06:08.900Z";
/// [`RECORDED`] as the JSON 1.1 wire has it.
const RECORDED_ON_WIRE: f64 = 1_772_600_768.9;
/// The detail type of a request.
pub(super) const REQUESTED: &str = "Rectify Remediation Requested";

/// Widgets, their remediation and a reconciler.
#[derive(Debug)]
pub(super) struct Env {
    pub(super) world: World,
    pub(super) dead_letters: String,
    pub(super) unanswered: String,
    pub(super) settings: Settings,
    sqs: aws_sdk_sqs::Client,
}

impl Env {
    pub(super) async fn with(widgets: impl IntoIterator<Item = Widget>) -> Self {
        let world = World::with(widgets).await;
        let sqs = aws_sdk_sqs::Client::new(&world.sandbox.sdk);
        let name = &world.sandbox.name;
        let queue = async |suffix: &str| {
            let made = sqs.create_queue().queue_name(format!("{name}-{suffix}")).send().await;
            made.unwrap().queue_url.unwrap()
        };
        let (dead_letters, unanswered) = (queue("dead").await, queue("unanswered").await);
        let settings = Settings {
            controls: vec![watched("widget-disabled")],
            ledger_table: name.clone(),
            event_bus: name.clone(),
            dead_letters: dead_letters.clone(),
            unanswered: unanswered.clone(),
            exemptions: Exemptions::Ledger,
            account_modes: AccountModes::default(),
            members: BTreeSet::new(),
            grace_minutes: PerControl::all(Bounded::of(0)),
            max_fixes_per_hour: 5,
            requests_per_run: 100,
            dead_letters_per_run: 100,
            retry_after: jiff::SignedDuration::from_hours(24),
        };
        Self { world, dead_letters, unanswered, settings, sqs }
    }

    /// One run over these answers of AWS Config.
    pub(super) async fn run(&self, replay: &Replay) -> Result<Value, Error> {
        self.run_at(replay, Timestamp::now()).await
    }

    /// One run at `now`.
    pub(super) async fn run_at(&self, replay: &Replay, now: Timestamp) -> Result<Value, Error> {
        self.run_through(replay, Bus::new(&self.world.sandbox.sdk, &self.settings.event_bus), now).await
    }

    /// One run through another bus.
    pub(super) async fn run_through(&self, replay: &Replay, bus: Bus, now: Timestamp) -> Result<Value, Error> {
        self.run_of(ACCOUNT, replay, bus, now).await
    }

    /// One run of the reconciler of this account.
    pub(super) async fn run_of(
        &self,
        account: &str,
        replay: &Replay,
        bus: Bus,
        now: Timestamp,
    ) -> Result<Value, Error> {
        let reconciler = Reconciler {
            settings: self.settings.clone(),
            region: Region::new(REGION),
            aws: Aws::over(&replay.sdk(REGION), &self.world.sandbox.sdk),
            ledger: self.world.ledger(),
            bus,
        };
        let mut line = Invocation::start("reconciler", "r-1");
        reconciler.run(&AccountId::new(account), now, &mut line).await
    }

    /// The ids of the widgets requested since the last call, in order.
    pub(super) async fn requested(&self) -> Vec<String> {
        self.requests().await.iter().map(|detail| detail["resourceId"].as_str().unwrap().to_owned()).collect()
    }

    /// The requests since the last call, in order, without other announcements.
    pub(super) async fn requests(&self) -> Vec<Value> {
        let announced = self.world.sandbox.announced().await.into_iter();
        announced.filter(|(kind, _)| kind == REQUESTED).map(|(_, detail)| detail).collect()
    }

    /// Sends a message to the dead-letter queue.
    pub(super) async fn send_to_dlq(&self, body: &str, attributes: &[(&str, &str)]) {
        let mut request = self.sqs.send_message().queue_url(&self.dead_letters).message_body(body);
        for (name, value) in attributes {
            let value = aws_sdk_sqs::types::MessageAttributeValue::builder().data_type("String").string_value(*value);
            request = request.message_attributes(*name, value.build().unwrap());
        }
        request.send().await.unwrap();
    }

    /// The number of messages left in the dead-letter queue, including those in flight.
    pub(super) async fn dead_letters_left(&self) -> usize {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let (visible, in_flight) = (Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible);
        let request = self.sqs.get_queue_attributes().queue_url(&self.dead_letters);
        let request = request.attribute_names(visible.clone()).attribute_names(in_flight.clone());
        let attributes = request.send().await.unwrap().attributes.unwrap();
        [visible, in_flight].iter().map(|name| attributes[name].parse::<usize>().unwrap()).sum()
    }

    /// Drains the queue of escalations: body and reason of each.
    pub(super) async fn escalated(&self) -> Vec<(String, String)> {
        let mut escalated = Vec::new();
        loop {
            let request = self.sqs.receive_message().queue_url(&self.unanswered).max_number_of_messages(10);
            let answer = request.message_attribute_names("All").send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return escalated;
            }
            for message in messages {
                let attributes = message.message_attributes.unwrap_or_default();
                let reason = attributes["RECTIFY_REASON"].string_value().unwrap().to_owned();
                escalated.push((message.body.unwrap(), reason));
                let receipt = message.receipt_handle.unwrap();
                self.sqs.delete_message().queue_url(&self.unanswered).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }
}

/// A control in mode `enforce`, with a schedule as well.
pub(super) fn watched(id: &'static str) -> Watched {
    Watched { id, rule: format!("rectify-{id}"), mode: Mode::Enforce, scheduled: true }
}

/// AWS Config's answers about each widget that a dead letter names, then the rule's results.
pub(super) fn of_dead_letters(named: &[&str], reported: &[&str]) -> Replay {
    let one = |id: &&str| page(&[(*id).to_owned()], None);
    let ids: Vec<String> = reported.iter().map(|id| (*id).to_owned()).collect();
    Replay::of(named.iter().map(one).chain([page(&ids, None)]))
}

/// One page of the rule's results about these widgets.
pub(super) fn page(ids: &[String], next: Option<&str>) -> Answer {
    page_recorded(ids, RECORDED_ON_WIRE, next)
}

/// The same, with results recorded at `recorded`, in seconds.
fn page_recorded(ids: &[String], recorded: f64, next: Option<&str>) -> Answer {
    let result = |id: &String| {
        json!({
            "EvaluationResultIdentifier": {
                "EvaluationResultQualifier": {"ConfigRuleName": "rectify-widget-disabled", "ResourceType": WIDGET, "ResourceId": id},
                "OrderingTimestamp": 1.5
            },
            "ComplianceType": "NON_COMPLIANT",
            "ResultRecordedTime": recorded
        })
    };
    let mut body = json!({"EvaluationResults": ids.iter().map(result).collect::<Vec<_>>()});
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    Answer::ok(&body)
}

/// The rule reports these widgets, on one page.
pub(super) fn reports(ids: &[&str]) -> Replay {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    Replay::of([page(&ids, None)])
}

/// The rule reports this widget, with a result recorded at `recorded`.
pub(super) fn reports_recorded(id: &str, recorded: Timestamp) -> Replay {
    #[allow(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
    let seconds = recorded.as_millisecond() as f64 / 1000.0;
    Replay::of([page_recorded(&[id.to_owned()], seconds, None)])
}

/// The rule reports nothing.
pub(super) fn reports_nothing() -> Replay {
    reports(&[])
}

/// A request as EventBridge delivers it.
pub(super) fn delivered(detail: &Value) -> Value {
    json!({
        "version": "0", "id": "0a1b2c3d-0000-4000-8000-000000000001", "detail-type": REQUESTED, "source": "rectify",
        "account": ACCOUNT, "time": "2026-03-04T06:06:10Z", "region": REGION, "resources": [], "detail": detail
    })
}

/// The counts of findings that a run left out, by reason.
pub(super) fn left_out(summary: &Value) -> &Value {
    &summary["skipped"]
}
