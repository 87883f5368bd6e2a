//! What CloudFormation says of a resource, against replayed answers: moto does not look a stack up by a resource's id.

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

async fn asked(status: u16, body: String, resource: &PhysicalId) -> (Result<Option<String>, Error>, Vec<String>) {
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
async fn a_stack_is_the_one_that_still_holds_the_resource() {
    let alice = PhysicalId::here("alice");
    let stack = || Some("users".to_owned());
    for (case, status, body, expected) in [
        ("held", 200, answer(&listed("alice", "UPDATE_COMPLETE")), stack()),
        ("being deleted", 200, answer(&listed("alice", "DELETE_IN_PROGRESS")), stack()),
        (
            "deleted and made again",
            200,
            answer(&(listed("alice", "DELETE_COMPLETE") + &listed("alice", "CREATE_COMPLETE"))),
            stack(),
        ),
        ("not among the first hundred", 200, answer(&listed("bob", "CREATE_COMPLETE")), stack()),
        ("let go", 200, answer(&listed("alice", "DELETE_SKIPPED")), None),
        ("of a stack that was deleted", 200, answer(&listed("alice", "DELETE_COMPLETE")), None),
        ("of none", 200, answer(""), None),
        ("not known", 400, refused("ValidationError", "Stack for alice does not exist"), None),
    ] {
        let (found, sent) = asked(status, body, &alice).await;
        assert_eq!(found, Ok(expected), "{case}");
        let expected = "https://cloudformation.eu-west-1.amazonaws.com/ \
                        Action=DescribeStackResources&Version=2010-05-15&PhysicalResourceId=alice";
        assert_eq!(sent, [expected], "{case}");
    }
}

#[tokio::test]
async fn what_cloudformation_does_not_say_is_a_fault() {
    for (status, code, message) in [
        (403, "AccessDenied", "User is not authorized"),
        (400, "Throttling", "Rate exceeded"),
        (400, "ValidationError", "1 validation error detected"),
        (503, "ServiceUnavailable", "later"),
    ] {
        let (found, _) = asked(status, refused(code, message), &PhysicalId::here("alice")).await;
        let fault = found.unwrap_err();
        assert!(fault.to_string().contains(&format!("cloudformation:DescribeStackResources: {code}")), "{fault}");
    }
}

#[tokio::test]
async fn a_stack_is_looked_for_in_the_region_of_the_resource() {
    let trail = PhysicalId::at_home("arn:aws:cloudtrail:us-east-2:111122223333:trail/audit", "audit");
    let (_, sent) = asked(200, answer(""), &trail).await;
    assert!(sent.iter().all(|it| it.starts_with("https://cloudformation.us-east-2.")), "{sent:?}");
}
