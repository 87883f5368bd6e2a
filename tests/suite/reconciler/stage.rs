//! One reconciler over made-up widgets: AWS Config replayed, ledger, bus and queues in moto.

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
/// The same as the JSON 1.1 wire has it.
const RECORDED_ON_WIRE: f64 = 1_772_600_768.9;
/// The detail type of a request.
pub(super) const REQUESTED: &str = "Rectify Remediation Requested";

/// A world of widgets with a reconciler.
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
        let sqs = aws_sdk_sqs::Client::new(&world.around.sdk);
        let name = &world.around.name;
        let queue = async |what: &str| {
            let made = sqs.create_queue().queue_name(format!("{name}-{what}")).send().await;
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
            grace_minutes: PerControl::all(Bounded::of(0)),
            budget_per_hour: 5,
            requests_per_run: 100,
            letters_per_run: 100,
            retry_after: jiff::SignedDuration::from_hours(24),
        };
        Self { world, dead_letters, unanswered, settings, sqs }
    }

    /// One run over these answers of AWS Config.
    pub(super) async fn run(&self, replay: &Replay) -> Result<Value, Error> {
        self.run_at(replay, Timestamp::now()).await
    }

    /// One run at another time.
    pub(super) async fn run_at(&self, replay: &Replay, now: Timestamp) -> Result<Value, Error> {
        self.run_through(replay, Bus::new(&self.world.around.sdk, &self.settings.event_bus), now).await
    }

    /// One run through another bus.
    pub(super) async fn run_through(&self, replay: &Replay, bus: Bus, now: Timestamp) -> Result<Value, Error> {
        let reconciler = Reconciler {
            settings: self.settings.clone(),
            region: Region::new(REGION),
            aws: Aws::over(&replay.sdk(REGION), &self.world.around.sdk),
            ledger: self.world.ledger(),
            bus,
        };
        let mut line = Invocation::start("reconciler", "r-1");
        reconciler.run(&AccountId::new(ACCOUNT), now, &mut line).await
    }

    /// The widgets asked about since the last look, in order.
    pub(super) async fn asked(&self) -> Vec<String> {
        self.requests().await.iter().map(|detail| detail["resourceId"].as_str().unwrap().to_owned()).collect()
    }

    /// The requests since the last look, in order; what else was announced is left out.
    pub(super) async fn requests(&self) -> Vec<Value> {
        let announced = self.world.around.announced().await.into_iter();
        announced.filter(|(kind, _)| kind == REQUESTED).map(|(_, detail)| detail).collect()
    }

    /// Puts a letter into the dead-letter queue.
    pub(super) async fn bury(&self, body: &str, attributes: &[(&str, &str)]) {
        let mut request = self.sqs.send_message().queue_url(&self.dead_letters).message_body(body);
        for (name, value) in attributes {
            let value = aws_sdk_sqs::types::MessageAttributeValue::builder().data_type("String").string_value(*value);
            request = request.message_attributes(*name, value.build().unwrap());
        }
        request.send().await.unwrap();
    }

    /// How many letters are left, hidden ones included.
    pub(super) async fn letters_left(&self) -> usize {
        use aws_sdk_sqs::types::QueueAttributeName as Name;
        let (seen, hidden) = (Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible);
        let asked = self.sqs.get_queue_attributes().queue_url(&self.dead_letters);
        let asked = asked.attribute_names(seen.clone()).attribute_names(hidden.clone()).send().await.unwrap();
        let attributes = asked.attributes.unwrap();
        [seen, hidden].iter().map(|name| attributes[name].parse::<usize>().unwrap()).sum()
    }

    /// What was handed over to people, taken out of their queue: body and reason.
    pub(super) async fn handed_over(&self) -> Vec<(String, String)> {
        let mut letters = Vec::new();
        loop {
            let asked = self.sqs.receive_message().queue_url(&self.unanswered).max_number_of_messages(10);
            let answer = asked.message_attribute_names("All").send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return letters;
            }
            for message in messages {
                let attributes = message.message_attributes.unwrap_or_default();
                let reason = attributes["RECTIFY_REASON"].string_value().unwrap().to_owned();
                letters.push((message.body.unwrap(), reason));
                let receipt = message.receipt_handle.unwrap();
                self.sqs.delete_message().queue_url(&self.unanswered).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }
}

/// A control that enforces, and judges on a schedule as well.
pub(super) fn watched(id: &'static str) -> Watched {
    Watched { id, rule: format!("rectify-{id}"), mode: Mode::Enforce, scheduled: true }
}

/// What AWS Config says of each of these widgets where a letter names it, then what the rule reports.
pub(super) fn of_letters(letters: &[&str], reported: &[&str]) -> Replay {
    let one = |id: &&str| page(&[(*id).to_owned()], None);
    let ids: Vec<String> = reported.iter().map(|id| (*id).to_owned()).collect();
    Replay::of(letters.iter().map(one).chain([page(&ids, None)]))
}

/// What the rule reports about these widgets, as one page.
pub(super) fn page(ids: &[String], next: Option<&str>) -> Answer {
    page_recorded(ids, RECORDED_ON_WIRE, next)
}

/// The same, recorded at another time, in seconds.
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

/// The rule reports these widgets, a page.
pub(super) fn reports(ids: &[&str]) -> Replay {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    Replay::of([page(&ids, None)])
}

/// The rule reports this widget, recorded then.
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

/// What a run left out, by reason.
pub(super) fn left_out(summary: &Value) -> &Value {
    &summary["leftOut"]
}
