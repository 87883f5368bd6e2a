//! The proxy in front of a real moto, with the SDKs the functions use.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use rectify_compliance::Region;
use rectify_local::backend::{Backend, BackendSettings};
use rectify_local::iam::policy::Statement;
use rectify_local::iam::request::Place;
use rectify_local::proxy::{Call, Fault, FaultKind, Proxy, ProxySettings, Substitution};
use rectify_runtime::clients::{WithoutAccountInHost, sdk_config};
use rectify_runtime::settings::Environment;
use serde_json::json;

const KEY: &str = "LKIATEST";
const CALLER: &str = "rectify-restricted-ssh-fix";

struct Front {
    proxy: Proxy,
    backend: Backend,
    _folder: tempfile::TempDir,
}

async fn front() -> Front {
    let folder = tempfile::tempdir().unwrap();
    let backend = Backend::start(&BackendSettings::new("111122223333", &folder.path().join("moto.log"))).await.unwrap();
    let proxy = Proxy::start(ProxySettings {
        listen: "127.0.0.1:0".to_owned(),
        backend: backend.endpoint().to_owned(),
        upstreams: BTreeMap::new(),
        place: Place {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            keys: BTreeMap::from([("ledger".to_owned(), "pk".to_owned())]),
        },
    });
    let proxy = proxy.await.unwrap();
    proxy.register_caller(KEY, CALLER);
    Front { proxy, backend, _folder: folder }
}

impl Front {
    fn sdk(&self, attempts: &str) -> SdkConfig {
        let variables = [
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_ENDPOINT_URL", self.proxy.endpoint()),
            ("AWS_MAX_ATTEMPTS", attempts),
        ];
        sdk_config(&Environment::of(variables), &Region::new("us-east-1")).unwrap()
    }

    fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.sdk("1"))
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&self.sdk("1")).force_path_style(true).build())
    }

    /// `service:operation status`, with the note if there is one.
    fn calls(&self) -> Vec<String> {
        let line = |call: Call| {
            assert_eq!(call.caller, CALLER);
            let note = call.note.map(|note| format!(" ({note})")).unwrap_or_default();
            format!("{}:{} {}{note}", call.service, call.operation, call.status)
        };
        self.proxy.calls().into_iter().map(line).collect()
    }
}

#[tokio::test]
async fn every_protocol_passes_and_is_recorded() {
    let front = front().await;
    let s3 = front.s3();
    s3.create_bucket().bucket("plain").send().await.unwrap();
    let body: Vec<u8> = (0..200_000_u32).map(|byte| byte.to_le_bytes()[0]).collect();
    s3.put_object().bucket("plain").key("a folder/ä+b").body(ByteStream::from(body.clone())).send().await.unwrap();
    let head = s3.head_object().bucket("plain").key("a folder/ä+b").send().await.unwrap();
    assert_eq!(head.content_length(), Some(200_000));
    let got = s3.get_object().bucket("plain").key("a folder/ä+b").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), body);
    let status = s3.get_bucket_policy_status().bucket("plain").send().await.unwrap_err();
    assert_eq!(status.code(), Some("NoSuchBucketPolicy"), "{}", DisplayErrorContext(&status));
    let s3control = aws_sdk_s3control::config::Builder::from(&front.sdk("1")).interceptor(WithoutAccountInHost).build();
    let block = aws_sdk_s3control::Client::from_conf(s3control)
        .get_public_access_block()
        .account_id("111122223333")
        .send()
        .await
        .unwrap_err();
    assert_eq!(block.code(), Some("NoSuchPublicAccessBlockConfiguration"));
    front.ec2().describe_security_groups().send().await.unwrap();
    aws_sdk_dynamodb::Client::new(&front.sdk("1")).list_tables().send().await.unwrap();
    assert_eq!(
        front.calls(),
        [
            "s3:CreateBucket 200",
            "s3:PutObject 200",
            "s3:HeadObject 200",
            "s3:GetObject 200",
            "s3:GetBucketPolicyStatus 404",
            "s3control:GetPublicAccessBlock 404",
            "ec2:DescribeSecurityGroups 200",
            "dynamodb:ListTables 200",
        ]
    );
    assert_eq!(front.proxy.substitutions(), []);
}

/// A call that the role does not allow never reaches the emulator, gets an error in its protocol, and is reported once.
#[tokio::test]
async fn calls_are_authorized_by_the_callers_role() {
    let front = front().await;
    let tables = aws_sdk_dynamodb::Client::new(&front.sdk("1"));
    let statements = json!({"Statement": [
        {"Effect": "Allow", "Action": ["dynamodb:ListTables", "s3:ListAllMyBuckets"], "Resource": "*"},
        {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "arn:aws:dynamodb:us-east-1:111122223333:table/ledger",
         "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["own#*"]}, "Null": {"dynamodb:LeadingKeys": "false"}}},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
    ]});
    front.proxy.set_role(CALLER, Statement::all_of(&statements).unwrap());

    tables.list_tables().send().await.unwrap();
    let vpcs = front.ec2().describe_vpcs().send().await.unwrap_err();
    assert_eq!(vpcs.code(), Some("UnauthorizedOperation"), "{}", DisplayErrorContext(&vpcs));
    assert_eq!(front.s3().list_buckets().send().await.unwrap_err().code(), Some("AccessDenied"));
    let put = async |key: &str| {
        let item = aws_sdk_dynamodb::types::AttributeValue::S(key.to_owned());
        tables.put_item().table_name("ledger").item("pk", item).send().await.unwrap_err().code().map(str::to_owned)
    };
    assert_eq!(put("own#1").await.as_deref(), Some("ResourceNotFoundException"), "allowed: the emulator answers");
    assert_eq!(put("other#1").await.as_deref(), Some("AccessDeniedException"));

    let refused: Vec<String> = front.proxy.take_denied().iter().map(ToString::to_string).collect();
    let expected = [
        "ec2:DescribeVpcs on * with {\"ec2:region\": [\"us-east-1\"]}: no statement of its role allows it",
        "s3:ListAllMyBuckets on * with {}: an explicit deny in its role",
        "dynamodb:PutItem on arn:aws:dynamodb:us-east-1:111122223333:table/ledger with {\"dynamodb:leadingkeys\": [\"other#1\"]}: no statement of its role allows it",
    ];
    assert_eq!(refused, expected.map(|it| format!("{CALLER} is not authorized to perform {it}")));
    assert_eq!(front.proxy.take_denied(), [], "reported once");
    let used: Vec<String> = front.proxy.actions_used(CALLER).into_iter().collect();
    assert_eq!(used, ["dynamodb:ListTables", "dynamodb:PutItem"]);
}

#[tokio::test]
async fn account_is_local_and_reset_deletes_resources() {
    let front = front().await;
    let groups = front.ec2().describe_security_groups().send().await.unwrap();
    assert_eq!(groups.security_groups()[0].owner_id(), Some("111122223333"));
    front.s3().create_bucket().bucket("gone").send().await.unwrap();
    front.backend.reset().await.unwrap();
    assert_eq!(front.s3().list_buckets().send().await.unwrap().buckets().len(), 0);
}

#[tokio::test]
async fn call_without_an_implementation_is_a_named_error_in_every_protocol() {
    let front = front().await;
    let query = front.ec2().describe_trunk_interface_associations().send().await.unwrap_err();
    let json = aws_sdk_cloudtrail::Client::new(&front.sdk("1")).list_imports().send().await.unwrap_err();
    let control = aws_sdk_s3control::config::Builder::from(&front.sdk("1")).interceptor(WithoutAccountInHost).build();
    let rest =
        aws_sdk_s3control::Client::from_conf(control).list_jobs().account_id("111122223333").send().await.unwrap_err();
    for (code, message, names) in [
        (
            query.code(),
            query.message(),
            "ec2:DescribeTrunkInterfaceAssociations: the local backend (moto) has no implementation",
        ),
        (json.code(), json.message(), "cloudtrail:ListImports: the local backend (moto) has no implementation"),
        (rest.code(), rest.message(), "s3control:GET /v20180820/jobs: the local backend (moto) has no implementation"),
    ] {
        assert_eq!(code, Some("NotImplementedLocally"));
        assert!(message.is_some_and(|message| message.starts_with(names)), "{message:?}");
    }
    let counted: u32 = front.proxy.substitutions().iter().map(|it| it.times).sum();
    assert_eq!(counted, 3);
}

#[tokio::test]
async fn substitutions_for_moto_are_made_and_counted() {
    let front = front().await;
    front.proxy.set_root_access_keys(2);
    let trail = aws_sdk_cloudtrail::Client::new(&front.sdk("1"));
    assert_eq!(trail.lookup_events().send().await.unwrap().events().len(), 0);
    front.proxy.seed_trail_event(json!({ "EventId": "e-1", "EventName": "AuthorizeSecurityGroupIngress", "EventTime": 1_767_225_600.0, "Username": "someone" }));
    let events = trail.lookup_events().send().await.unwrap();
    assert_eq!(events.events()[0].username(), Some("someone"));

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(front.proxy.endpoint()).header("content-type", "application/x-www-form-urlencoded");
    let request = request.header(
        "authorization",
        format!(
            "AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"
        ),
    );
    let summary =
        request.body("Action=GetAccountSummary&Version=2010-05-08").send().await.unwrap().text().await.unwrap();
    let (_, after) = summary.split_once("AccountAccessKeysPresent").unwrap();
    assert!(after.split_once("<value>2</value>").is_some_and(|(between, _)| !between.contains("<value>")), "{after}");

    let counted = |call: &str, what: &str, times| Substitution { call: call.to_owned(), what: what.to_owned(), times };
    assert_eq!(
        front.proxy.substitutions(),
        [
            counted("cloudtrail:LookupEvents", "seeded events", 2),
            counted("iam:GetAccountSummary", "root user's entries", 1)
        ]
    );
}

#[tokio::test]
async fn injected_refusals_reach_the_caller_and_not_the_backend() {
    let front = front().await;
    let s3 = front.s3();
    for (kind, code) in [
        (FaultKind::Throttle, "SlowDown"),
        (FaultKind::AccessDenied, "AccessDenied"),
        (FaultKind::Http500, "InternalError"),
    ] {
        front.proxy.inject(Fault::new("s3", "CreateBucket", 1, kind));
        let refusal = s3.create_bucket().bucket("never").send().await.unwrap_err();
        assert_eq!(refusal.code(), Some(code), "{}", DisplayErrorContext(&refusal));
    }
    front.proxy.inject(Fault::new("ec2", "*", 1, FaultKind::Throttle));
    assert_eq!(front.ec2().describe_vpcs().send().await.unwrap_err().code(), Some("RequestLimitExceeded"));
    front.proxy.inject(Fault::new("dynamodb", "*", 1, FaultKind::Throttle));
    let throttled = aws_sdk_dynamodb::Client::new(&front.sdk("1")).list_tables().send().await.unwrap_err();
    assert_eq!(throttled.code(), Some("ThrottlingException"));
    assert_eq!(s3.list_buckets().send().await.unwrap().buckets().len(), 0);
}

#[tokio::test]
async fn throttled_call_is_retried_by_the_sdk() {
    let front = front().await;
    front.proxy.inject(Fault::new("ec2", "DescribeVpcs", 1, FaultKind::Throttle));
    aws_sdk_ec2::Client::new(&front.sdk("2")).describe_vpcs().send().await.unwrap();
    assert_eq!(front.calls(), ["ec2:DescribeVpcs 503 (injected: Throttle)", "ec2:DescribeVpcs 200"]);
    assert_eq!(front.proxy.pending_faults(), []);
}

#[tokio::test]
async fn dropped_answer_leaves_the_call_applied() {
    let front = front().await;
    front.proxy.inject(Fault::new("s3", "CreateBucket", 1, FaultKind::TimeoutAfterApply));
    let lost = front.s3().create_bucket().bucket("applied").send().await.unwrap_err();
    assert_eq!(lost.code(), None, "no answer from the service: {}", DisplayErrorContext(&lost));
    let buckets = front.s3().list_buckets().send().await.unwrap();
    assert_eq!(buckets.buckets()[0].name(), Some("applied"));
    assert_eq!(front.calls()[0], "s3:CreateBucket 0 (injected: answer 200 dropped)");
}

#[tokio::test]
async fn delayed_answer_is_late_and_complete() {
    let front = front().await;
    front.proxy.inject(Fault::new("ec2", "DescribeVpcs", 1, FaultKind::Delay(Duration::from_millis(300))));
    let start = Instant::now();
    front.ec2().describe_vpcs().send().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn late_answer_follows_a_call_that_took_effect_at_once() {
    let front = front().await;
    front.proxy.inject(Fault::new("s3", "CreateBucket", 1, FaultKind::AnswerLate(Duration::from_secs(20))));
    let (creator, observer) = (front.s3(), front.s3());
    let waiting = tokio::spawn(async move { creator.create_bucket().bucket("early").send().await });
    let mut seen = false;
    for _try in 0..200 {
        seen = !observer.list_buckets().send().await.unwrap().buckets().is_empty();
        if seen {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(seen && !waiting.is_finished(), "the bucket exists before the answer");
}

/// moto loses a message that arrives while another is received; through the proxy none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_lost_while_sending_and_receiving() {
    const SENDERS: usize = 4;
    const EACH: usize = 50;
    let front = front().await;
    let sqs = aws_sdk_sqs::Client::new(&front.sdk("1"));
    let queue = sqs.create_queue().queue_name("busy").send().await.unwrap().queue_url.unwrap();
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        let (sqs, queue) = (sqs.clone(), queue.clone());
        senders.spawn(async move {
            for number in 0..EACH {
                let message = sqs.send_message().queue_url(&queue).message_body(format!("{sender}-{number}"));
                message.send().await.unwrap();
            }
        });
    }
    let mut received = std::collections::BTreeSet::new();
    loop {
        let all_sent = senders.try_join_next().is_none() && senders.is_empty();
        let answer = sqs.receive_message().queue_url(&queue).max_number_of_messages(10).send().await.unwrap();
        if answer.messages().is_empty() && all_sent {
            break;
        }
        for message in answer.messages() {
            received.insert(message.body().unwrap().to_owned());
            let done = sqs.delete_message().queue_url(&queue).set_receipt_handle(message.receipt_handle.clone());
            done.send().await.unwrap();
        }
    }
    assert_eq!(received.len(), SENDERS * EACH);
}
