//! Lambda functions: a removal at a revision, pages, and denied reads.

use futures_util::TryStreamExt;
use rectify_awslambda::LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED as CONTROL;
use rectify_awslambda::resources::function::REMOVE;
use rectify_awslambda_lambda::Clients;
use rectify_compliance::{ResourceKey, Target};
use rectify_runtime::client::{AccountRegion, List};
use rectify_tests::functions::{Functions, NAME, OTHER, arn};

use super::*;

fn statement(sid: &str, principal: &Value) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": arn(NAME)})
}

fn public() -> Functions {
    Functions::with(vec![statement("A", &json!("*"))])
}

fn target(name: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(CONTROL.meta.resource_types[0], name),
        name: None,
        arn: None,
    }
}

async fn remove(functions: &Functions) -> Result<(), rectify_runtime::AwsError> {
    let call = REMOVE.member("StatementId").of(NAME, &"A");
    CONTROL.logic.apply(&Clients::connect(&functions.sdk()), &target(NAME), &call).await
}

/// `lambda-function-public-access-prohibited/10`
#[tokio::test]
async fn removal_that_meets_a_change_is_tried_at_the_new_revision() {
    let functions = public().conflicting(1);
    remove(&functions).await.unwrap();
    assert_eq!(functions.calls(), ["GetPolicy", "RemovePermission", "GetPolicy", "RemovePermission"]);
    remove(&functions).await.unwrap();
    assert_eq!(functions.calls()[4..], ["GetPolicy"], "there is nothing left to remove");
    let error = remove(&public().conflicting(usize::MAX)).await.unwrap_err();
    assert!(error.is("PreconditionFailedException"), "{error}");
}

#[tokio::test]
async fn statement_that_is_no_longer_public_stays() {
    let functions = Functions::with(vec![statement("A", &json!({"AWS": "arn:aws:iam::111122223333:root"}))]);
    remove(&functions).await.unwrap();
    assert_eq!(functions.calls(), ["GetPolicy"]);
}

#[tokio::test]
async fn every_page_of_functions_is_read() {
    let functions = public();
    let clients = Clients::connect(&functions.sdk());
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(REGION) };
    let params = Default::default();
    let pages: Vec<_> = CONTROL.logic.pages(&clients, &place, &params, None).try_collect().await.unwrap();
    let read = pages.iter().flat_map(|page| &page.resources).map(|it| it.key().id);
    assert_eq!(read.collect::<Vec<_>>(), [NAME, OTHER]);
    let keys: Vec<_> = CONTROL.logic.keys(&clients, &place, &params).try_collect().await.unwrap();
    assert_eq!(keys.concat().into_iter().map(|it| it.id).collect::<Vec<_>>(), [NAME, OTHER]);
}

/// `lambda-function-public-access-prohibited/12`: the policy of a deleted function is missing like one that never was;
/// its tags show that it is gone.
#[tokio::test]
async fn deleted_function_is_gone() {
    let clients = Clients::connect(&public().sdk());
    let live = CONTROL.logic.live(&clients, &target("no-such-function"), &Default::default()).await;
    assert_eq!(live, Ok(None));
}

#[tokio::test]
async fn denied_call_is_an_error() {
    for operation in ["ListTags", "GetPolicy"] {
        let clients = Clients::connect(&public().denying(operation).sdk());
        let error = CONTROL.logic.live(&clients, &target(NAME), &Default::default()).await.unwrap_err();
        assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
    }
    let error = remove(&public().denying("RemovePermission")).await.unwrap_err();
    assert_eq!(error.kind(), Some(rectify_runtime::CallErrorKind::AccessDenied), "{error}");
}
