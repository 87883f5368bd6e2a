//! Messages, ledger and queue in moto, with faults.

use aws_sdk_sqs::types::QueueAttributeName::{DeduplicationScope, FifoQueue};
use rectify_compliance::finding::{Fact, Lifecycle, Ticket};
use rectify_compliance::{AccountId, Region, ResourceKey, Target, Timestamp};
use rectify_platform::client::tickets::Tickets;
use rectify_platform::router::Router;
use rectify_platform::router::settings::Settings;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Hold, Ledger, ResourcePath};
use rectify_tests::emulator::{ACCOUNT, REGION, Sandbox};
use rectify_tests::outage::{Outage, during};
use serde_json::{Value, json};

const CONTROL: &str = "restricted-ssh";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const FOUND: &str = "2026-03-04T05:06:07.500Z";
const FIXED: &str = "2026-03-04T05:08:00Z";
const FOUND_AGAIN: &str = "2026-03-04T06:00:00Z";

struct Env {
    sandbox: Sandbox,
    queue: String,
}

impl Env {
    async fn new() -> Self {
        let sandbox = Sandbox::create().await;
        let sqs = aws_sdk_sqs::Client::new(&sandbox.sdk);
        let create = sqs.create_queue().queue_name(format!("{}.fifo", sandbox.name));
        let create = create.attributes(FifoQueue, "true").attributes(DeduplicationScope, "messageGroup");
        let queue = create.send().await.unwrap().queue_url.unwrap();
        Self { sandbox, queue }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.sandbox.sdk, &self.sandbox.name)
    }

    fn router(&self) -> Router {
        Router {
            settings: Settings {
                ledger_table: self.sandbox.name.clone(),
                prefix: "rectify-".to_owned(),
                tickets: self.queue.clone(),
            },
            region: Region::new(REGION),
            ledger: self.ledger(),
            tickets: Tickets::new(&self.sandbox.sdk, &self.queue),
        }
    }

    /// A router whose calls fail during an outage.
    fn router_during(&self, outage: Outage) -> Router {
        let (http, _) = during(self.sandbox.http(), outage);
        let sdk = self.sandbox.sdk_over(http);
        Router {
            ledger: Ledger::new(&sdk, &self.sandbox.name),
            tickets: Tickets::new(&sdk, &self.queue),
            ..self.router()
        }
    }

    /// The tickets since the last call, in order.
    async fn tickets(&self) -> Vec<Ticket> {
        let sqs = aws_sdk_sqs::Client::new(&self.sandbox.sdk);
        let mut tickets = Vec::new();
        loop {
            let answer = sqs.receive_message().queue_url(&self.queue).max_number_of_messages(10).send().await.unwrap();
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return tickets;
            }
            for message in messages {
                tickets.push(serde_json::from_str(message.body().unwrap()).unwrap());
                let receipt = message.receipt_handle().unwrap();
                sqs.delete_message().queue_url(&self.queue).receipt_handle(receipt).send().await.unwrap();
            }
        }
    }

    /// Version and state of the tickets since the last call.
    async fn states(&self) -> Vec<(u64, Lifecycle)> {
        self.tickets().await.iter().map(|it| (it.version, it.state)).collect()
    }

    /// Stores an attempt, as a remediation left it.
    async fn store(&self, id: &str, outcome: &str, reason: &str) {
        let attempt: Attempt = serde_json::from_value(json!({
            "id": id, "control": CONTROL, "rule": "rectify-restricted-ssh", "target": group("sg-1"),
            "recorded_at": FOUND, "started_at": "2026-03-04T05:06:09Z", "finished_at": "2026-03-04T05:06:10Z",
            "state": "finished", "mode": "plan", "parameters": "{}", "finding": "sg-1 lets 0.0.0.0/0 reach tcp/22",
            "plan": {"kind": "do", "steps": [{"level": "L2", "call": {"RevokeSecurityGroupIngress": {"GroupId": "sg-1"}}}]},
            "before": null, "actions": [], "after": null, "outcome": outcome, "reason": reason, "announced": true,
            "undo": null
        }))
        .unwrap();
        let (ledger, path, now) = (self.ledger(), ResourcePath::of(&attempt.target), Timestamp::now());
        let lease = ledger.lease(&path, "test", now, now + jiff::SignedDuration::from_secs(60)).await.unwrap();
        ledger.finish(&lease, &attempt).await.unwrap();
        ledger.release(&lease).await.unwrap();
    }
}

fn group(id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(GROUP, id),
        name: None,
        arn: None,
    }
}

/// Runs one invocation and returns the ids of the failed messages.
async fn invoke(router: &Router, bodies: &[Value]) -> Vec<String> {
    invoke_in(ACCOUNT, router, bodies).await
}

async fn invoke_in(account: &str, router: &Router, bodies: &[Value]) -> Vec<String> {
    let record =
        |(number, body): (usize, &Value)| json!({"messageId": format!("m-{number}"), "body": body.to_string()});
    let event = json!({ "Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>() });
    let mut line = Invocation::start("router", "r-1");
    let answer = router.batch(&event, &AccountId::new(account), Timestamp::now(), &mut line).await.unwrap();
    let failed = answer["batchItemFailures"].as_array().unwrap();
    failed.iter().map(|it| it["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// A compliance change, as AWS Config sends it.
fn changed(id: &str, compliance: &str, at: &str) -> Value {
    json!({
        "version": "0", "id": "e-1", "detail-type": "Config Rules Compliance Change", "source": "aws.config",
        "account": ACCOUNT, "time": at, "region": REGION, "resources": [],
        "detail": {
            "resourceId": id, "awsRegion": REGION, "awsAccountId": ACCOUNT, "configRuleName": "rectify-restricted-ssh",
            "configRuleARN": format!("arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-a1b2c3"),
            "recordVersion": "1.0", "messageType": "ComplianceChangeNotification", "resourceType": GROUP,
            "newEvaluationResult": {
                "evaluationResultIdentifier": {
                    "evaluationResultQualifier": {
                        "configRuleName": "rectify-restricted-ssh", "resourceType": GROUP, "resourceId": id
                    },
                    "orderingTimestamp": at
                },
                "complianceType": compliance, "resultRecordedTime": at, "configRuleInvokedTime": at
            },
            "notificationCreationTime": at
        }
    })
}

fn announced(kind: &str, attempt: &str) -> Value {
    let change = json!({"at": "2026-03-04T05:05:00Z", "call": "ec2:AuthorizeSecurityGroupIngress", "actor": "jane@corp", "eventId": "e-1"});
    json!({"source": "rectify", "detail-type": kind, "detail": {
        "attempt": attempt, "control": CONTROL, "actor": "jane@corp", "changes": [change]
    }})
}

/// The order of events: it opens, a plan, the change behind it, it is fixed.
fn events() -> Vec<Value> {
    vec![
        changed("sg-1", "NON_COMPLIANT", FOUND),
        announced("Rectify Plan", "01A"),
        announced("Rectify Attribution", "01A"),
        changed("sg-1", "COMPLIANT", FIXED),
    ]
}

#[tokio::test]
async fn every_change_of_a_finding_is_one_ticket() {
    use Lifecycle::{Open, Reopened, Resolved, Updated};
    let env = Env::new().await;
    env.store("01A", "planned", "mode plan").await;
    assert_eq!(invoke(&env.router(), &events()).await, [""; 0]);
    let tickets = env.tickets().await;
    let states: Vec<_> = tickets.iter().map(|it| (it.version, it.state)).collect();
    assert_eq!(states, [(1, Open), (2, Updated), (3, Updated), (4, Resolved)]);
    let third = &tickets[2];
    assert_eq!((third.actor.as_deref(), third.outcome.as_deref()), (Some("jane@corp"), Some("planned")));
    assert_eq!(third.documentation, "docs/controls/restricted-ssh.md");
    assert_eq!(third.plan[0].text, r#"RevokeSecurityGroupIngress {"GroupId":"sg-1"}"#);

    // The same events again change nothing; a new violation opens it again.
    assert_eq!(invoke(&env.router(), &events()).await, [""; 0]);
    assert_eq!(env.states().await, []);
    assert_eq!(invoke(&env.router(), &[changed("sg-1", "NON_COMPLIANT", FOUND_AGAIN)]).await, [""; 0]);
    let again = env.tickets().await;
    assert_eq!((again[0].version, again[0].state, &again[0].outcome), (5, Reopened, &None));
    assert_eq!(again[0].id, third.id);
}

#[tokio::test]
async fn reordered_events_end_in_the_same_ticket() {
    let mut last = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]] {
        let env = Env::new().await;
        env.store("01A", "planned", "mode plan").await;
        for event in order {
            assert_eq!(invoke(&env.router(), &[events()[event].clone()]).await, [""; 0]);
        }
        last.push(Ticket { version: 0, ..env.tickets().await.pop().unwrap() });
    }
    assert!(last.iter().all(|it| *it == last[0] && it.state == Lifecycle::Resolved), "{last:#?}");
}

#[tokio::test]
async fn concurrent_invocations_lose_no_fact() {
    let env = Env::new().await;
    env.store("01A", "planned", "mode plan").await;
    let (router, events) = (env.router(), events());
    let all = events.iter().map(|event| invoke(&router, std::slice::from_ref(event)));
    let failed: Vec<Vec<String>> = futures_util::future::join_all(all).await;
    assert_eq!(failed.concat(), [""; 0]);
    let stored = env.ledger().routed(CONTROL, &group("sg-1")).await.unwrap();
    assert_eq!((stored.version, stored.history.lifecycle()), (4, Some(Lifecycle::Resolved)));
    let tickets = env.tickets().await;
    let newest = tickets.iter().max_by_key(|it| it.version).unwrap();
    assert_eq!((newest.version, newest.actor.as_deref()), (4, Some("jane@corp")));
}

#[tokio::test]
async fn a_row_that_another_writer_stored_first_is_not_overwritten() {
    let (env, now) = (Env::new().await, Timestamp::now());
    let mut mine = env.ledger().routed(CONTROL, &group("sg-1")).await.unwrap();
    let mut theirs = mine.clone();
    (mine.version, mine.history) = (1, mine.history.with(Fact::Violated(FOUND.parse().unwrap())));
    (theirs.version, theirs.history) = (1, theirs.history.with(Fact::Resolved(FIXED.parse().unwrap())));
    assert!(env.ledger().store_routed(&theirs, 0, now).await.unwrap());
    assert!(!env.ledger().store_routed(&mine, 0, now).await.unwrap());
    assert_eq!(env.ledger().routed(CONTROL, &group("sg-1")).await.unwrap(), theirs);
}

/// Each call of the router fails once, with and without an effect: the second delivery sends what is missing.
#[tokio::test]
async fn a_failed_write_or_send_is_repeated_by_the_next_delivery() {
    let event = [changed("sg-1", "NON_COMPLIANT", FOUND)];
    for (containing, first, takes_effect) in [
        ("PutItem", 1, false),
        ("PutItem", 1, true),
        ("SendMessage", 1, false),
        ("SendMessage", 1, true),
        ("PutItem", 2, false),
    ] {
        let env = Env::new().await;
        let code = "InternalServerError";
        let outage = Outage { containing, first, last: first, code, takes_effect };
        assert_eq!(invoke(&env.router_during(outage), &event).await, ["m-0"], "{containing} {first} {takes_effect}");
        // The queue drops a version that it has already accepted.
        assert_eq!(invoke(&env.router(), &event).await, [""; 0]);
        assert_eq!(invoke(&env.router(), &event).await, [""; 0]);
        assert_eq!(env.states().await, [(1, Lifecycle::Open)], "{containing} {first} {takes_effect}");
    }
}

#[tokio::test]
async fn exemptions_and_holds_are_part_of_the_ticket() {
    let env = Env::new().await;
    env.store("01A", "exempt", "exempt until 2026-12-01, approved by jane").await;
    let until: Timestamp = Timestamp::from_second(Timestamp::now().as_second() + 3600).unwrap();
    let hold = Hold { control: CONTROL.to_owned(), by: "ada".to_owned(), reason: "migration".to_owned(), until };
    env.ledger().set_hold(&ResourcePath::of(&group("sg-1")), &hold).await.unwrap();
    assert_eq!(invoke(&env.router(), &[announced("Rectify Plan", "01A")]).await, [""; 0]);
    let ticket = env.tickets().await.remove(0);
    assert_eq!(ticket.state, Lifecycle::Exempt);
    assert_eq!(ticket.reason.as_deref(), Some("exempt until 2026-12-01, approved by jane"));
    let hold = ticket.hold.unwrap();
    assert_eq!((hold.by.as_str(), hold.reason.as_str(), hold.until), ("ada", "migration", until));
}

#[tokio::test]
async fn a_resolved_finding_is_forgotten_after_90_days_and_an_open_one_is_not() {
    let env = Env::new().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&env.sandbox.sdk);
    let mut expiries = Vec::new();
    for event in [changed("sg-1", "NON_COMPLIANT", FOUND), changed("sg-1", "COMPLIANT", FIXED)] {
        assert_eq!(invoke(&env.router(), &[event]).await, [""; 0]);
        let rows = dynamodb.scan().table_name(&env.sandbox.name).send().await.unwrap().items.unwrap();
        let expires = rows[0].get("expires").map(|it| it.as_n().unwrap().parse::<i64>().unwrap());
        expiries.push(expires.map(|it| (it - Timestamp::now().as_second() + 3600) / 86_400));
    }
    assert_eq!(expiries, [None, Some(90)]);
}

#[tokio::test]
async fn an_attempt_in_a_member_account_makes_no_ticket() {
    let env = Env::new().await;
    env.store("01A", "planned", "mode plan").await;
    assert_eq!(invoke_in("444455556666", &env.router(), &[announced("Rectify Plan", "01A")]).await, [""; 0]);
    assert_eq!(env.states().await, []);
}

#[tokio::test]
async fn hostile_names_are_text() {
    let env = Env::new().await;
    let name = "=cmd|'/c calc'!A0\u{1}\u{202e}\n\u{ffff}\u{fffe}<script>&<!channel>*_`@here`#a#b\"\\";
    assert_eq!(invoke(&env.router(), &[changed(name, "NON_COMPLIANT", FOUND)]).await, [""; 0]);
    assert_eq!(env.tickets().await.remove(0).resource_id, name);
    let stored = env.ledger().routed_findings(CONTROL).await.unwrap();
    assert_eq!(stored.iter().map(|it| it.target.resource.id.as_str()).collect::<Vec<_>>(), [name]);
}

#[tokio::test]
async fn what_is_no_finding_of_this_deployment_makes_no_ticket() {
    let env = Env::new().await;
    let with = |name: &str, value: &str| {
        let mut event = changed("sg-1", "NON_COMPLIANT", FOUND);
        event["detail"][name] = json!(value);
        event
    };
    let ignored = [
        changed("sg-1", "COMPLIANT", FOUND),
        changed("sg-2", "INSUFFICIENT_DATA", FOUND),
        with("configRuleName", "required-tags"),
        with("configRuleName", "rectify-no-such-control"),
        with("awsAccountId", "444455556666"),
        with("awsRegion", "eu-north-1"),
    ];
    assert_eq!(invoke(&env.router(), &ignored).await, [""; 0]);
    assert_eq!(env.states().await, []);
    assert_eq!(env.ledger().routed_findings(CONTROL).await.unwrap(), []);
    // An attempt that the ledger does not have fails: it is stored before it is announced.
    assert_eq!(invoke(&env.router(), &[announced("Rectify Plan", "01FORGED")]).await, ["m-0"]);
}
