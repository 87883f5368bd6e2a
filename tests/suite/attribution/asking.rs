//! The calls on the wire. CloudTrail is replayed: moto has no LookupEvents.

use rectify_compliance::{AccountId, Region, Target, Timestamp};
use rectify_platform::attribution::Attributor;
use rectify_platform::attribution::settings::Settings;
use rectify_platform::client::trail::Trail;
use rectify_runtime::bus::Bus;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Ledger, ResourcePath};
use rectify_tests::emulator::{ACCOUNT, REGION, Surroundings};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

/// When the finding was recorded.
const FOUND: &str = "2026-03-04T05:06:07.5Z";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/attribution";
const FIX_ROLE: &str = "rectify-WidgetDisabledFixRole-1A2B";

/// Ledger and bus of one test.
struct Env {
    around: Surroundings,
}

impl Env {
    async fn new() -> Self {
        Self { around: Surroundings::create().await }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.around.sdk, &self.around.name)
    }

    /// Stores an attempt, as a remediation left it.
    async fn store(&self, id: &str, outcome: &str, target: &Value) {
        let state = if outcome == "pending" { "open" } else { "finished" };
        let attempt: Attempt = serde_json::from_value(json!({
            "id": id, "control": "widget-disabled", "rule": "rectify-widget-disabled", "target": target, "recorded_at": FOUND,
            "started_at": "2026-03-04T05:06:09Z", "finished_at": "2026-03-04T05:06:10Z", "state": state,
            "mode": "enforce", "parameters": "{}", "finding": "disabled", "plan": {"kind": "nothing"}, "before": null,
            "actions": [], "after": null, "outcome": outcome, "reason": "as planned", "announced": true, "undo": null
        }))
        .unwrap();
        let (ledger, path, now) = (self.ledger(), ResourcePath::of(&attempt.target), Timestamp::now());
        let lease = ledger.lease(&path, "test", now, now + jiff::SignedDuration::from_secs(60)).await.unwrap();
        ledger.finish(&lease, &attempt).await.unwrap();
    }

    /// One invocation so many minutes after the finding; the messages that failed.
    async fn invoke(&self, trail: &Replay, minutes: i64, records: &[Value]) -> Vec<String> {
        let attributor = Attributor {
            settings: Settings {
                event_bus: self.around.name.clone(),
                ledger_table: self.around.name.clone(),
                own_roles: vec![FIX_ROLE.to_owned()],
                prefix: "rectify-".to_owned(),
                queue: QUEUE.to_owned(),
                retry_seconds: 900,
            },
            region: Region::new(REGION),
            trail: Trail::new(&trail.sdk(REGION)),
            ledger: self.ledger(),
            bus: Bus::new(&self.around.sdk, &self.around.name),
        };
        let now = FOUND.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minutes);
        let mut line = Invocation::start("attribution", "r-1");
        let event = json!({ "Records": records });
        let answer = attributor.batch(&event, &AccountId::new(ACCOUNT), now, &mut line).await.unwrap();
        let failed = answer["batchItemFailures"].as_array().unwrap();
        failed.iter().map(|it| it["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// The attributions since the last look: actor, reason and the events of their changes.
    async fn told(&self) -> Vec<(String, String, Vec<String>)> {
        let announced = self.around.announced().await;
        let of = |(kind, detail): (String, Value)| {
            assert_eq!(kind, "Rectify Attribution");
            let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
            let events = detail["changes"].as_array().unwrap().iter().map(|it| text(it, "eventId")).collect();
            (text(&detail, "actor"), text(&detail, "reason"), events)
        };
        announced.into_iter().map(of).collect()
    }
}

fn group() -> Value {
    json!({"account": ACCOUNT, "region": REGION, "resource": {"type": GROUP, "id": "sg-1"}, "name": null, "arn": null})
}

/// The message of an announcement about an attempt.
fn letter(attempt: &str) -> Value {
    let body = json!({"source": "rectify", "detail-type": "Rectify Plan", "detail": {"attempt": attempt, "control": "widget-disabled"}});
    json!({"messageId": format!("m-{attempt}"), "body": body.to_string(), "messageAttributes": {}})
}

/// The same once more.
fn second(attempt: &str) -> Value {
    let mut letter = letter(attempt);
    letter["messageAttributes"] = json!({"RECTIFY_LOOK": {"dataType": "String", "stringValue": "second"}});
    letter
}

fn jane() -> Value {
    session("AWSReservedSSO_x", "jane@corp")
}

fn session(role: &str, name: &str) -> Value {
    json!({
        "type": "AssumedRole", "accountId": ACCOUNT, "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "accountId": ACCOUNT, "userName": role}}
    })
}

/// An event so many seconds before the finding.
fn event(id: &str, before: i64, who: &Value) -> Value {
    let at = FOUND.parse::<Timestamp>().unwrap() - jiff::SignedDuration::from_secs(before);
    let at = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let record = json!({
        "eventVersion": "1.11", "eventTime": at, "eventSource": "ec2.amazonaws.com", "readOnly": false, "eventID": id,
        "eventName": "AuthorizeSecurityGroupIngress", "eventType": "AwsApiCall", "userIdentity": who
    });
    json!({
        "EventId": id, "EventName": "AuthorizeSecurityGroupIngress", "CloudTrailEvent": record.to_string(),
        "Resources": [{"ResourceType": "AWS::EC2::VPC", "ResourceName": "vpc-1"}, {"ResourceType": GROUP, "ResourceName": "sg-1"}]
    })
}

fn page(events: &[Value], next: Option<&str>) -> Answer {
    Answer::ok(&json!({ "Events": events, "NextToken": next }))
}

/// SQS took a message.
fn taken() -> Answer {
    Answer::ok(&json!({"MessageId": "m", "MD5OfMessageBody": "d"}))
}

#[tokio::test]
async fn every_page_of_a_name_is_asked_for_within_the_window() {
    let stage = Env::new().await;
    stage.store("01A", "verified", &group()).await;
    let own = event("e-own", 60, &session(FIX_ROLE, "rectify-other-fix"));
    let trail = Replay::of([
        page(&[event("e-after", -60, &jane()), own], Some("t-1")),
        page(&[event("e-2", 120, &jane()), event("e-1", 600, &json!({"type": "Root"}))], None),
    ]);
    assert_eq!(stage.invoke(&trail, 30, &[letter("01A")]).await, [""; 0]);
    // Ninety days back from the look, and to a little after the finding.
    let found = FOUND.parse::<Timestamp>().unwrap().as_second();
    let mut asked = json!({
        "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "sg-1"}],
        "StartTime": found + 30 * 60 - 90 * 24 * 3600, "EndTime": found + 5, "MaxResults": 50
    });
    let requests = trail.requests();
    assert_eq!(requests[0], ("LookupEvents".to_owned(), asked.clone()));
    asked["NextToken"] = json!("t-1");
    assert_eq!((&requests[1].1, requests.len()), (&asked, 2));

    let reason = "ec2:AuthorizeSecurityGroupIngress at 2026-03-04T05:04:07Z, the newest change before the finding";
    let told =
        [("jane@corp via AWSReservedSSO_x".to_owned(), reason.to_owned(), vec!["e-2".to_owned(), "e-1".to_owned()])];
    assert_eq!(stage.told().await, told);

    // Delivered again, nothing is asked and nothing said.
    assert_eq!(stage.invoke(&Replay::of([]), 31, &[letter("01A")]).await, [""; 0]);
    assert_eq!(stage.told().await, []);
}

/// runtime/25: nothing is known at first; the ticket hears of it once more, and only if there is something to hear.
#[tokio::test]
async fn unknown_is_said_once_and_asked_about_once_more() {
    let stage = Env::new().await;
    stage.store("01A", "planned", &group()).await;
    let trail = Replay::of([page(&[], None), taken()]);
    assert_eq!(stage.invoke(&trail, 1, &[letter("01A")]).await, [""; 0]);
    let (operation, message) = trail.requests()[1].clone();
    assert_eq!(operation, "SendMessage");
    let mark = json!({"RECTIFY_LOOK": {"DataType": "String", "StringValue": "second"}});
    assert_eq!(
        (&message["DelaySeconds"], &message["QueueUrl"], &message["MessageAttributes"]),
        (&json!(900), &json!(QUEUE), &mark)
    );
    assert_eq!(message["MessageBody"], letter("01A")["body"]);
    let reason = "CloudTrail tells of no change that can be behind the finding; asked once more in 15 minutes";
    assert_eq!(stage.told().await, [("unknown".to_owned(), reason.to_owned(), vec![])]);

    // Nothing again: nothing is said, and nothing is asked a third time.
    let nothing = Replay::of([page(&[], None)]);
    assert_eq!(stage.invoke(&nothing, 16, &[second("01A")]).await, [""; 0]);
    assert_eq!((stage.told().await, nothing.requests().len()), (vec![], 1));

    let late = Replay::of([page(&[event("e-1", 120, &jane())], None)]);
    assert_eq!(stage.invoke(&late, 16, &[second("01A")]).await, [""; 0]);
    let told = stage.told().await;
    assert_eq!((told[0].0.as_str(), late.requests().len()), ("jane@corp via AWSReservedSSO_x", 1));
    assert!(!told[0].1.contains("asked"), "{}", told[0].1);
}

#[tokio::test]
async fn who_was_named_too_early_is_put_right() {
    let stage = Env::new().await;
    stage.store("01A", "planned", &group()).await;
    let bob = json!({"type": "IAMUser", "userName": "bob"});
    let first = Replay::of([page(&[event("e-1", 300, &bob)], None), taken()]);
    assert_eq!(stage.invoke(&first, 1, &[letter("01A")]).await, [""; 0]);
    assert_eq!(stage.told().await[0].0, "IAM user bob");
    let same = Replay::of([page(&[event("e-1", 300, &bob)], None)]);
    assert_eq!((stage.invoke(&same, 16, &[second("01A")]).await, stage.told().await), (vec![], vec![]));
    let better = Replay::of([page(&[event("e-2", 60, &jane()), event("e-1", 300, &bob)], None)]);
    assert_eq!(stage.invoke(&better, 16, &[second("01A")]).await, [""; 0]);
    assert_eq!(stage.told().await[0].0, "jane@corp via AWSReservedSSO_x");
    // What was named is not taken back because CloudTrail forgets it.
    let forgotten = Replay::of([page(&[], None)]);
    assert_eq!((stage.invoke(&forgotten, 16, &[second("01A")]).await, stage.told().await), (vec![], vec![]));
}

#[tokio::test]
async fn a_call_that_is_denied_fails_its_message_and_nobody_is_unknown() {
    let stage = Env::new().await;
    for id in ["01A", "01B"] {
        let mut target = group();
        target["resource"]["id"] = json!(format!("sg-{id}"));
        stage.store(id, "planned", &target).await;
    }
    let trail = Replay::of([Answer::refused("AccessDeniedException"), page(&[], None), taken()]);
    let letters = [letter("01A"), letter("01B"), letter("01Z")];
    assert_eq!(stage.invoke(&trail, 1, &letters).await, ["m-01A", "m-01Z"], "denied, and no such attempt");
    assert_eq!(stage.told().await.len(), 1);
    // Permitted again, the message is answered as if nothing had been.
    let trail = Replay::of([page(&[], None), taken()]);
    assert_eq!(stage.invoke(&trail, 1, &[letter("01A")]).await, [""; 0]);
    assert_eq!(stage.told().await[0].0, "unknown");
}

#[tokio::test]
async fn an_identity_is_asked_for_where_its_events_are_and_under_each_of_its_names() {
    let stage = Env::new().await;
    let target = json!({"account": ACCOUNT, "region": "eu-west-1", "name": "jane", "arn": null,
                        "resource": {"type": "AWS::IAM::User", "id": "AIDAEXAMPLE"}});
    stage.store("01A", "planned", &target).await;
    let trail = Replay::of([page(&[], None), page(&[], None), taken()]);
    assert_eq!(stage.invoke(&trail, 1, &[letter("01A")]).await, [""; 0]);
    let names: Vec<Value> =
        trail.requests().iter().map(|it| it.1["LookupAttributes"][0]["AttributeValue"].clone()).collect();
    assert_eq!(names, [json!("jane"), json!("AIDAEXAMPLE"), Value::Null]);
    assert_eq!(trail.hosts()[0], "cloudtrail.us-east-1.amazonaws.com");

    let regional = Target { region: Region::new("eu-west-1"), ..serde_json::from_value(group()).unwrap() };
    stage.store("01B", "planned", &json!(regional)).await;
    let trail = Replay::of([page(&[], None), taken()]);
    assert_eq!(stage.invoke(&trail, 1, &[letter("01B")]).await, [""; 0]);
    assert_eq!(trail.hosts()[0], "cloudtrail.eu-west-1.amazonaws.com");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_said_and_not_asked() {
    let stage = Env::new().await;
    let account = json!({"account": ACCOUNT, "region": REGION, "name": null, "arn": null,
                         "resource": {"type": "AWS::::Account", "id": ACCOUNT}});
    stage.store("01A", "planned", &account).await;
    stage.store("01B", "planned", &group()).await;
    let nothing = Replay::of([]);
    assert_eq!(stage.invoke(&nothing, 1, &[letter("01A")]).await, [""; 0]);
    assert_eq!(stage.invoke(&nothing, 91 * 24 * 60, &[letter("01B")]).await, [""; 0]);
    let told: Vec<String> =
        stage.told().await.into_iter().map(|(actor, reason, _)| format!("{actor}: {reason}")).collect();
    assert_eq!(
        told,
        [
            "unknown: CloudTrail finds events by a resource's name, and an account has none",
            "unknown: the finding is older than the 90 days CloudTrail remembers",
        ]
    );
    // An attempt in another account is nobody's to ask about here.
    let foreign = json!({"account": "444455556666", "region": REGION, "name": null, "arn": null,
                         "resource": {"type": GROUP, "id": "sg-9"}});
    stage.store("01C", "planned", &foreign).await;
    assert_eq!(stage.invoke(&nothing, 1, &[letter("01C")]).await, ["m-01C"]);
}

#[tokio::test]
async fn an_open_breaker_names_who_keeps_reverting() {
    let stage = Env::new().await;
    stage.store("01A", "breaker-open", &group()).await;
    let fix = session(FIX_ROLE, "rectify-widget-disabled-fix");
    let bob = json!({"type": "IAMUser", "userName": "bob"});
    let events = [
        event("e-7", 60, &jane()),
        event("e-6", 600, &fix),
        event("e-5", 700, &jane()),
        event("e-4", 1200, &fix),
        event("e-3", 1300, &bob),
        event("e-2", 1800, &fix),
        event("e-1", 1900, &jane()),
    ];
    // The page ends before the day does, and the next one lies behind it.
    let old = [event("e-0", 25 * 3600, &bob)];
    let trail = Replay::of([page(&events, Some("t-1")), page(&old, Some("t-2"))]);
    assert_eq!(stage.invoke(&trail, 30, &[letter("01A")]).await, [""; 0]);
    let (actor, reason, changes) = stage.told().await.remove(0);
    assert_eq!(actor, "jane@corp via AWSReservedSSO_x (3), IAM user bob (1)");
    assert!(reason.starts_with("4 changes within 24 hours"), "{reason}");
    assert_eq!((changes, trail.requests().len()), (["e-7", "e-5", "e-3", "e-1"].map(str::to_owned).to_vec(), 2));
}

#[tokio::test]
async fn reading_ends_somewhere_and_says_so() {
    let stage = Env::new().await;
    stage.store("01A", "planned", &group()).await;
    let mut read = event("e-1", 60, &jane());
    read["CloudTrailEvent"] =
        json!(read["CloudTrailEvent"].as_str().unwrap().replace("\"readOnly\":false", "\"readOnly\":true"));
    let pages = (0..6).map(|number| page(std::slice::from_ref(&read), Some(&format!("t-{number}"))));
    let trail = Replay::of(pages.chain([taken()]));
    assert_eq!(stage.invoke(&trail, 30, &[letter("01A")]).await, [""; 0]);
    assert!(stage.told().await[0].1.contains("; only the newest 6 records were read; asked once more"), "{trail:?}");
}
