//! The calls on the wire. CloudTrail is replayed: moto has no LookupEvents.

use rectify_compliance::{AccountId, Region, Target, Timestamp};
use rectify_platform::attribution::Attributor;
use rectify_platform::attribution::settings::Settings;
use rectify_platform::client::trail::Trail;
use rectify_runtime::bus::Bus;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Ledger, ResourcePath};
use rectify_tests::emulator::{ACCOUNT, REGION, Sandbox};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

/// When the finding was recorded.
const FOUND: &str = "2026-03-04T05:06:07.5Z";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/111122223333/attribution";
const FIX_ROLE: &str = "rectify-WidgetDisabledFixRole-1A2B";

/// Ledger and bus of one test.
struct Env {
    sandbox: Sandbox,
}

impl Env {
    async fn new() -> Self {
        Self { sandbox: Sandbox::create().await }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.sandbox.sdk, &self.sandbox.name)
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

    /// Runs one invocation `minutes` after the finding and returns the ids of the failed messages.
    async fn invoke(&self, trail: &Replay, minutes: i64, records: &[Value]) -> Vec<String> {
        let attributor = Attributor {
            settings: Settings {
                event_bus: self.sandbox.name.clone(),
                ledger_table: self.sandbox.name.clone(),
                own_roles: vec![format!("AROA{FIX_ROLE}")],
                prefix: "rectify-".to_owned(),
                queue: QUEUE.to_owned(),
                retry_seconds: 900,
            },
            region: Region::new(REGION),
            trail: Trail::new(&trail.sdk(REGION)),
            ledger: self.ledger(),
            bus: Bus::new(&self.sandbox.sdk, &self.sandbox.name),
        };
        let now = FOUND.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minutes);
        let mut line = Invocation::start("attribution", "r-1");
        let event = json!({ "Records": records });
        let answer = attributor.batch(&event, &AccountId::new(ACCOUNT), now, &mut line).await.unwrap();
        let failed = answer["batchItemFailures"].as_array().unwrap();
        failed.iter().map(|it| it["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// The attributions announced since the last call: actor, reason and the ids of the change events.
    async fn attributions(&self) -> Vec<(String, String, Vec<String>)> {
        let announced = self.sandbox.announced().await;
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

/// The queue message that carries the announcement of an attempt.
fn message(attempt: &str) -> Value {
    let body = json!({"source": "rectify", "detail-type": "Rectify Plan", "detail": {"attempt": attempt, "control": "widget-disabled"}});
    json!({"messageId": format!("m-{attempt}"), "body": body.to_string(), "messageAttributes": {}})
}

/// The same message, delayed for the second lookup.
fn second(attempt: &str) -> Value {
    let mut message = message(attempt);
    message["messageAttributes"] = json!({"RECTIFY_LOOK": {"dataType": "String", "stringValue": "second"}});
    message
}

fn jane() -> Value {
    session("AWSReservedSSO_x", "jane@corp")
}

fn session(role: &str, name: &str) -> Value {
    json!({
        "type": "AssumedRole", "accountId": ACCOUNT, "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"),
        "principalId": format!("AROA{role}:{name}"),
        "sessionContext": {"sessionIssuer": {"type": "Role", "accountId": ACCOUNT, "userName": role}}
    })
}

/// A CloudTrail event `before` seconds before the finding.
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

/// SQS accepts a message.
fn accepted() -> Answer {
    Answer::ok(&json!({"MessageId": "m", "MD5OfMessageBody": "d"}))
}

#[tokio::test]
async fn every_page_of_a_name_within_the_window_is_read() {
    let env = Env::new().await;
    env.store("01A", "verified", &group()).await;
    let own = event("e-own", 60, &session(FIX_ROLE, "rectify-other-fix"));
    let trail = Replay::of([
        page(&[event("e-after", -60, &jane()), own], Some("t-1")),
        page(&[event("e-2", 120, &jane()), event("e-1", 600, &json!({"type": "Root"}))], None),
    ]);
    assert_eq!(env.invoke(&trail, 30, &[message("01A")]).await, [""; 0]);
    // From 90 days before the lookup until shortly after the finding.
    let found = FOUND.parse::<Timestamp>().unwrap().as_second();
    let mut expected = json!({
        "LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "sg-1"}],
        "StartTime": found + 30 * 60 - 90 * 24 * 3600, "EndTime": found + 5, "MaxResults": 50
    });
    let requests = trail.requests();
    assert_eq!(requests[0], ("LookupEvents".to_owned(), expected.clone()));
    expected["NextToken"] = json!("t-1");
    assert_eq!((&requests[1].1, requests.len()), (&expected, 2));

    let reason = "ec2:AuthorizeSecurityGroupIngress at 2026-03-04T05:04:07Z, the newest change before the finding";
    let attributions =
        [("jane@corp via AWSReservedSSO_x".to_owned(), reason.to_owned(), vec!["e-2".to_owned(), "e-1".to_owned()])];
    assert_eq!(env.attributions().await, attributions);

    // A second delivery makes no call and no announcement.
    assert_eq!(env.invoke(&Replay::of([]), 31, &[message("01A")]).await, [""; 0]);
    assert_eq!(env.attributions().await, []);
}

/// runtime/25: the actor is unknown at first; a second lookup is announced only if it finds one.
#[tokio::test]
async fn unknown_actor_is_announced_once_and_looked_up_once_more() {
    let env = Env::new().await;
    env.store("01A", "planned", &group()).await;
    let trail = Replay::of([page(&[], None), accepted()]);
    assert_eq!(env.invoke(&trail, 1, &[message("01A")]).await, [""; 0]);
    let (operation, sent) = trail.requests()[1].clone();
    assert_eq!(operation, "SendMessage");
    let mark = json!({"RECTIFY_LOOK": {"DataType": "String", "StringValue": "second"}});
    assert_eq!(
        (&sent["DelaySeconds"], &sent["QueueUrl"], &sent["MessageAttributes"]),
        (&json!(900), &json!(QUEUE), &mark)
    );
    assert_eq!(sent["MessageBody"], message("01A")["body"]);
    let reason = "CloudTrail shows no change that could have caused the finding; looked up again in 15 minutes";
    assert_eq!(env.attributions().await, [("unknown".to_owned(), reason.to_owned(), vec![])]);

    // Nothing found again: no announcement, and no third lookup.
    let nothing = Replay::of([page(&[], None)]);
    assert_eq!(env.invoke(&nothing, 16, &[second("01A")]).await, [""; 0]);
    assert_eq!((env.attributions().await, nothing.requests().len()), (vec![], 1));

    let late = Replay::of([page(&[event("e-1", 120, &jane())], None)]);
    assert_eq!(env.invoke(&late, 16, &[second("01A")]).await, [""; 0]);
    let attributions = env.attributions().await;
    assert_eq!((attributions[0].0.as_str(), late.requests().len()), ("jane@corp via AWSReservedSSO_x", 1));
    assert!(!attributions[0].1.contains("looked up again"), "{}", attributions[0].1);
}

#[tokio::test]
async fn second_lookup_corrects_the_actor() {
    let env = Env::new().await;
    env.store("01A", "planned", &group()).await;
    let bob = json!({"type": "IAMUser", "userName": "bob"});
    let first = Replay::of([page(&[event("e-1", 300, &bob)], None), accepted()]);
    assert_eq!(env.invoke(&first, 1, &[message("01A")]).await, [""; 0]);
    assert_eq!(env.attributions().await[0].0, "IAM user bob");
    let same = Replay::of([page(&[event("e-1", 300, &bob)], None)]);
    assert_eq!((env.invoke(&same, 16, &[second("01A")]).await, env.attributions().await), (vec![], vec![]));
    let better = Replay::of([page(&[event("e-2", 60, &jane()), event("e-1", 300, &bob)], None)]);
    assert_eq!(env.invoke(&better, 16, &[second("01A")]).await, [""; 0]);
    assert_eq!(env.attributions().await[0].0, "jane@corp via AWSReservedSSO_x");
    // An actor is not withdrawn because CloudTrail no longer returns the event.
    let forgotten = Replay::of([page(&[], None)]);
    assert_eq!((env.invoke(&forgotten, 16, &[second("01A")]).await, env.attributions().await), (vec![], vec![]));
}

#[tokio::test]
async fn denied_lookup_fails_its_message_and_announces_nothing() {
    let env = Env::new().await;
    for id in ["01A", "01B"] {
        let mut target = group();
        target["resource"]["id"] = json!(format!("sg-{id}"));
        env.store(id, "planned", &target).await;
    }
    let trail = Replay::of([Answer::refused("AccessDeniedException"), page(&[], None), accepted()]);
    let messages = [message("01A"), message("01B"), message("01Z")];
    assert_eq!(env.invoke(&trail, 1, &messages).await, ["m-01A", "m-01Z"], "denied, and no such attempt");
    assert_eq!(env.attributions().await.len(), 1);
    // Once the call is permitted, the retried message succeeds.
    let trail = Replay::of([page(&[], None), accepted()]);
    assert_eq!(env.invoke(&trail, 1, &[message("01A")]).await, [""; 0]);
    assert_eq!(env.attributions().await[0].0, "unknown");
}

#[tokio::test]
async fn iam_user_is_looked_up_in_us_east_1_by_each_of_its_names() {
    let env = Env::new().await;
    let target = json!({"account": ACCOUNT, "region": "eu-west-1", "name": "jane", "arn": null,
                        "resource": {"type": "AWS::IAM::User", "id": "AIDAEXAMPLE"}});
    env.store("01A", "planned", &target).await;
    let trail = Replay::of([page(&[], None), page(&[], None), accepted()]);
    assert_eq!(env.invoke(&trail, 1, &[message("01A")]).await, [""; 0]);
    let names: Vec<Value> =
        trail.requests().iter().map(|it| it.1["LookupAttributes"][0]["AttributeValue"].clone()).collect();
    assert_eq!(names, [json!("jane"), json!("AIDAEXAMPLE"), Value::Null]);
    assert_eq!(trail.hosts()[0], "cloudtrail.us-east-1.amazonaws.com");

    let regional = Target { region: Region::new("eu-west-1"), ..serde_json::from_value(group()).unwrap() };
    env.store("01B", "planned", &json!(regional)).await;
    let trail = Replay::of([page(&[], None), accepted()]);
    assert_eq!(env.invoke(&trail, 1, &[message("01B")]).await, [""; 0]);
    assert_eq!(trail.hosts()[0], "cloudtrail.eu-west-1.amazonaws.com");
}

#[tokio::test]
async fn impossible_lookup_is_announced_without_a_call() {
    let env = Env::new().await;
    let account = json!({"account": ACCOUNT, "region": REGION, "name": null, "arn": null,
                         "resource": {"type": "AWS::::Account", "id": ACCOUNT}});
    env.store("01A", "planned", &account).await;
    env.store("01B", "planned", &group()).await;
    let nothing = Replay::of([]);
    assert_eq!(env.invoke(&nothing, 1, &[message("01A")]).await, [""; 0]);
    assert_eq!(env.invoke(&nothing, 91 * 24 * 60, &[message("01B")]).await, [""; 0]);
    let attributions: Vec<String> =
        env.attributions().await.into_iter().map(|(actor, reason, _)| format!("{actor}: {reason}")).collect();
    assert_eq!(
        attributions,
        [
            "unknown: CloudTrail looks up events by resource name, and an account has none",
            "unknown: the finding is older than CloudTrail's event history of 90 days",
        ]
    );
    // An attempt in a member account cannot be looked up here: nothing is announced, and nothing is retried.
    let foreign = json!({"account": "444455556666", "region": REGION, "name": null, "arn": null,
                         "resource": {"type": GROUP, "id": "sg-9"}});
    env.store("01C", "planned", &foreign).await;
    assert!(env.invoke(&nothing, 1, &[message("01C")]).await.is_empty());
    assert!(env.attributions().await.is_empty());
}

#[tokio::test]
async fn open_breaker_names_the_actors_that_keep_reverting() {
    let env = Env::new().await;
    env.store("01A", "breaker-open", &group()).await;
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
    // The first page ends within the 24 hours; the second holds older events only.
    let old = [event("e-0", 25 * 3600, &bob)];
    let trail = Replay::of([page(&events, Some("t-1")), page(&old, Some("t-2"))]);
    assert_eq!(env.invoke(&trail, 30, &[message("01A")]).await, [""; 0]);
    let (actor, reason, changes) = env.attributions().await.remove(0);
    assert_eq!(actor, "jane@corp via AWSReservedSSO_x (3), IAM user bob (1)");
    assert!(reason.starts_with("4 changes within 24 hours"), "{reason}");
    assert_eq!((changes, trail.requests().len()), (["e-7", "e-5", "e-3", "e-1"].map(str::to_owned).to_vec(), 2));
}

#[tokio::test]
async fn lookup_stops_after_six_pages_and_says_so() {
    let env = Env::new().await;
    env.store("01A", "planned", &group()).await;
    let mut read = event("e-1", 60, &jane());
    read["CloudTrailEvent"] =
        json!(read["CloudTrailEvent"].as_str().unwrap().replace("\"readOnly\":false", "\"readOnly\":true"));
    let pages = (0..6).map(|number| page(std::slice::from_ref(&read), Some(&format!("t-{number}"))));
    let trail = Replay::of(pages.chain([accepted()]));
    assert_eq!(env.invoke(&trail, 30, &[message("01A")]).await, [""; 0]);
    assert!(
        env.attributions().await[0].1.contains("; only the newest 6 records were read; looked up again"),
        "{trail:?}"
    );
}
