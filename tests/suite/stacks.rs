//! The stack that manages a resource, against replayed answers: moto cannot look up a stack by a resource's id.

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use rectify_compliance::Region;

use rectify_compliance::PhysicalId;
use rectify_runtime::Error;
use rectify_runtime::clients::sdk_config_over;
use rectify_runtime::settings::Environment;
use rectify_runtime::stacks::Stacks;

fn listed(id: &str, status: &str) -> String {
    format!(
        "<member><StackName>users</StackName><LogicalResourceId>A</LogicalResourceId>\
         <PhysicalResourceId>{id}</PhysicalResourceId><ResourceType>AWS::IAM::User</ResourceType>\
         <Timestamp>2026-01-01T00:00:00Z</Timestamp><ResourceStatus>{status}</ResourceStatus></member>"
    )
}

fn answer(members: &str) -> String {
    format!(
        "<DescribeStackResourcesResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <DescribeStackResourcesResult><StackResources>{members}</StackResources></DescribeStackResourcesResult>\
         </DescribeStackResourcesResponse>"
    )
}

fn refused(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

async fn look_up(status: u16, body: String, resource: &PhysicalId) -> (Result<Option<String>, Error>, Vec<String>) {
    let request = http::Request::builder().uri("https://localhost/").body(SdkBody::empty()).unwrap();
    let response = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
    let replay = StaticReplayClient::new(vec![ReplayEvent::new(request, response)]);
    let environment =
        Environment::of([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_MAX_ATTEMPTS", "1")]);
    let http = SharedHttpClient::new(replay.clone());
    let sdk = sdk_config_over(&environment, &Region::new("eu-west-1"), http).unwrap();
    let found = Stacks::new(&sdk).managing(resource).await;
    let sent = replay.actual_requests().map(|it| {
        let body = String::from_utf8_lossy(it.body().bytes().unwrap_or_default()).into_owned();
        format!("{} {body}", it.uri())
    });
    (found, sent.collect())
}

#[tokio::test]
async fn stack_that_still_manages_the_resource_is_found() {
    let alice = PhysicalId::here("alice");
    let stack = || Some("users".to_owned());
    for (case, status, body, expected) in [
        ("managed", 200, answer(&listed("alice", "UPDATE_COMPLETE")), stack()),
        ("being deleted", 200, answer(&listed("alice", "DELETE_IN_PROGRESS")), stack()),
        (
            "deleted and created again",
            200,
            answer(&(listed("alice", "DELETE_COMPLETE") + &listed("alice", "CREATE_COMPLETE"))),
            stack(),
        ),
        ("not among the first hundred", 200, answer(&listed("bob", "CREATE_COMPLETE")), stack()),
        ("retained by its stack", 200, answer(&listed("alice", "DELETE_SKIPPED")), None),
        ("of a deleted stack", 200, answer(&listed("alice", "DELETE_COMPLETE")), None),
        ("of no stack", 200, answer(""), None),
        ("unknown", 400, refused("ValidationError", "Stack for alice does not exist"), None),
    ] {
        let (found, sent) = look_up(status, body, &alice).await;
        assert_eq!(found, Ok(expected), "{case}");
        let expected = "https://cloudformation.eu-west-1.amazonaws.com/ \
                        Action=DescribeStackResources&Version=2010-05-15&PhysicalResourceId=alice";
        assert_eq!(sent, [expected], "{case}");
    }
}

#[tokio::test]
async fn failed_lookup_is_an_error() {
    for (status, code, message) in [
        (403, "AccessDenied", "User is not authorized"),
        (400, "Throttling", "Rate exceeded"),
        (400, "ValidationError", "1 validation error detected"),
        (503, "ServiceUnavailable", "later"),
    ] {
        let (found, _) = look_up(status, refused(code, message), &PhysicalId::here("alice")).await;
        let error = found.unwrap_err();
        assert!(error.to_string().contains(&format!("cloudformation:DescribeStackResources: {code}")), "{error}");
    }
}

#[tokio::test]
async fn stack_is_looked_up_in_the_region_of_the_resource() {
    let trail = PhysicalId::at_home("arn:aws:cloudtrail:us-east-2:111122223333:trail/audit", "audit");
    let (_, sent) = look_up(200, answer(""), &trail).await;
    assert!(sent.iter().all(|it| it.starts_with("https://cloudformation.us-east-2.")), "{sent:?}");
}
