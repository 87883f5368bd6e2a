//! DynamoDB tables, against replayed answers: the emulator's DynamoDB holds the ledger.

use futures_util::TryStreamExt;
use rectify_compliance::{NoParameters, ResourceKey, Target};
use rectify_dynamodb::DYNAMODB_PITR_ENABLED;
use rectify_dynamodb::resources::table::Table;
use rectify_dynamodb_lambda::Clients;
use rectify_runtime::client::{AccountRegion, List, Listed};
use rectify_runtime::{AwsError, CallErrorKind};
use rectify_tests::replay::{Answer, Replay};

use super::*;

const HERE: &str = "eu-west-1";

fn described(name: &str, status: &str) -> Answer {
    let arn = format!("arn:aws:dynamodb:{HERE}:{ACCOUNT}:table/{name}");
    Answer::ok(&json!({"Table": {"TableName": name, "TableArn": arn, "TableStatus": status}}))
}

fn recovery(status: &str) -> Answer {
    let recovery = json!({"PointInTimeRecoveryStatus": status});
    let backups = json!({"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery});
    Answer::ok(&json!({"ContinuousBackupsDescription": backups}))
}

async fn live(replay: &Replay) -> Result<Option<Table>, AwsError> {
    let target = Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(HERE),
        resource: ResourceKey::new("AWS::DynamoDB::Table", "orders"),
        name: None,
        arn: None,
    };
    DYNAMODB_PITR_ENABLED.logic.live(&Clients::connect(&replay.sdk(HERE)), &target, &NoParameters {}).await
}

async fn listed(replay: &Replay) -> Result<Vec<Listed<Table>>, AwsError> {
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(HERE) };
    let clients = Clients::connect(&replay.sdk(HERE));
    let pages = DYNAMODB_PITR_ENABLED.logic.pages(&clients, &place, &NoParameters {}, None);
    let pages: Vec<_> = pages.try_collect().await?;
    Ok(pages.into_iter().flat_map(|page| page.resources).collect())
}

#[tokio::test]
async fn table_on_the_second_page_is_read_and_a_deleted_one_is_left_out() {
    let replay = Replay::of([
        Answer::ok(&json!({"TableNames": ["carts", "gone"], "LastEvaluatedTableName": "gone"})),
        described("carts", "ACTIVE"),
        recovery("ENABLED"),
        Answer::refused("ResourceNotFoundException"),
        Answer::ok(&json!({"TableNames": ["orders"]})),
        described("orders", "ACTIVE"),
        recovery("DISABLED"),
    ]);
    let read = listed(&replay).await.unwrap();
    let read: Vec<(String, bool)> = read
        .into_iter()
        .map(|it| match it {
            Listed::Read(table) => (table.name, table.point_in_time_recovery),
            Listed::Unreadable(found, error) => panic!("{found:?}: {error}"),
        })
        .collect();
    assert_eq!(read, [("carts".to_owned(), true), ("orders".to_owned(), false)]);
    assert_eq!(replay.requests()[4].1["ExclusiveStartTableName"], "gone");
    let calls: Vec<String> = replay.requests().iter().map(|(operation, _)| format!("dynamodb:{operation}")).collect();
    assert_permitted(&entry(&DYNAMODB_PITR_ENABLED.meta).rule_permissions(), &calls);
}

#[tokio::test]
async fn table_that_cannot_be_read_is_unreadable_and_a_denied_list_fails() {
    let names = || Answer::ok(&json!({"TableNames": ["carts", "orders"]}));
    let denied = || Answer::failed(400, "AccessDeniedException");
    let replay = Replay::of([names(), denied(), described("orders", "ACTIVE"), recovery("ENABLED")]);
    let read = listed(&replay).await.unwrap();
    let [Listed::Unreadable(found, error), Listed::Read(_)] = &read[..] else { panic!("{read:?}") };
    assert_eq!((found.resource.id.as_str(), error.kind()), ("carts", Some(CallErrorKind::AccessDenied)));
    assert_eq!(listed(&Replay::of([denied()])).await.unwrap_err().kind(), Some(CallErrorKind::AccessDenied));
}

/// `dynamodb-pitr-enabled/9`, `dynamodb-pitr-enabled/5`
#[tokio::test]
async fn each_failed_live_read_is_an_error_and_a_missing_table_is_gone() {
    let tags = || Answer::ok(&json!({"Tags": [{"Key": "team", "Value": "shop"}]}));
    let whole = [described("orders", "ACTIVE"), recovery("DISABLED"), tags()];
    let replay = Replay::of(whole.clone());
    assert_eq!(live(&replay).await.unwrap().unwrap().tags.len(), 1);
    let calls: Vec<String> = replay.requests().iter().map(|(operation, _)| format!("dynamodb:{operation}")).collect();
    assert_permitted(&entry(&DYNAMODB_PITR_ENABLED.meta).remediation_permissions(), &calls);
    let not_found = ["ResourceNotFoundException", "TableNotFoundException", "ResourceNotFoundException"];
    for (failing, not_found) in not_found.into_iter().enumerate() {
        let with = |answer: Answer| {
            let before = whole.iter().take(failing).cloned();
            Replay::of(before.chain([answer]))
        };
        for code in ["AccessDeniedException", "ContinuousBackupsUnavailableException"] {
            let error = live(&with(Answer::refused(code))).await.unwrap_err();
            assert_eq!(error.code(), Some(code), "{failing}");
        }
        assert_eq!(live(&with(Answer::refused(not_found))).await, Ok(None), "{failing}");
    }
    // Its recovery is not read: DynamoDB may refuse that.
    let deleting = live(&Replay::of([described("orders", "DELETING"), tags()])).await.unwrap().unwrap();
    assert_eq!(deleting.exemption().as_deref(), Some("Table orders is DELETING"));
    assert!(live(&Replay::of([described("orders", "ACTIVE"), recovery("ENABLING")])).await.is_err());
}
