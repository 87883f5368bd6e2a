//! EBS snapshots, against replayed answers of EC2: denied and throttled reads, and public snapshots on a later page.

use futures_util::StreamExt;
use rectify_compliance::{AccountId, Control, Declared, Region, ResourceKey, Target};
use rectify_ec2::controls::ebs_snapshot_block_public_access::{
    EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS, EbsSnapshotBlockPublicAccess,
};
use rectify_ec2_lambda::Clients;
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, List, Page};
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::replay::{Answer, Replay};

const DENIED: &str = "UnauthorizedOperation";
const THROTTLED: &str = "RequestLimitExceeded";
/// How often the SDK sends a call that is throttled.
const ATTEMPTS: usize = 3;

fn state(state: &str) -> Answer {
    Answer::ec2("GetSnapshotBlockPublicAccessState", &format!("<state>{state}</state><managedBy>account</managedBy>"))
}

/// A page of public snapshots, and whether another one follows.
fn page(ids: &[&str], has_next: bool) -> Answer {
    let items: String = ids.iter().map(|id| format!("<item><snapshotId>{id}</snapshotId></item>")).collect();
    let next = if has_next { "<nextToken>more</nextToken>" } else { "" };
    Answer::ec2("DescribeSnapshots", &format!("<snapshotSet>{items}</snapshotSet>{next}"))
}

/// The account, as the target of a remediation.
fn account() -> Target {
    let resource = ResourceKey::account(&AccountId::new(ACCOUNT));
    Target { account: AccountId::new(ACCOUNT), region: Region::new(REGION), resource, name: None, arn: None }
}

/// What a scheduled run lists.
async fn listed<K>(control: &'static Declared<K>, replay: &Replay) -> Vec<Result<Page<K::Subject>, AwsError>>
where
    K: List<Clients> + Control,
{
    let place = AccountRegion { account: AccountId::new(ACCOUNT), region: Region::new(REGION) };
    let (clients, params) = (Clients::connect(&replay.sdk(REGION)), K::Params::default());
    control.logic.pages(&clients, &place, &params, None).collect().await
}

#[tokio::test]
async fn unreadable_block_is_an_error() {
    let denied = listed(&EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS, &Replay::of([Answer::refused_by_ec2(DENIED)])).await;
    assert!(matches!(&denied[..], [Err(error)] if error.is(DENIED)), "{denied:?}");
    let unknown = listed(&EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS, &Replay::of([state("block-some-sharing")])).await;
    assert!(matches!(&unknown[..], [Err(AwsError::Shape(_))]), "{unknown:?}");
    let absent = Answer::ec2("GetSnapshotBlockPublicAccessState", "");
    let absent = listed(&EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS, &Replay::of([absent])).await;
    assert!(matches!(&absent[..], [Err(AwsError::Shape(_))]), "{absent:?}");
}

#[tokio::test]
async fn block_is_read_live_with_public_snapshots_only_where_the_plan_depends_on_them() {
    let live = async |answers: Vec<Answer>| {
        let replay = Replay::of(answers);
        let clients = Clients::connect(&replay.sdk(REGION));
        EbsSnapshotBlockPublicAccess.live(&clients, &account(), &Default::default()).await
    };
    let second = live(vec![state("unblocked"), page(&[], true), page(&["snap-0a"], false)]).await;
    assert_eq!(second.unwrap().unwrap().has_public_snapshots, Some(true));
    let blocked = live(vec![state("block-all-sharing")]).await;
    assert_eq!(blocked.unwrap().unwrap().has_public_snapshots, None);
    let denied = live(vec![state("unblocked"), Answer::refused_by_ec2(DENIED)]).await;
    assert!(denied.as_ref().is_err_and(|error| error.is(DENIED)), "{denied:?}");
    let mut answers = vec![state("unblocked"), page(&[], true)];
    answers.extend(vec![Answer::refused_by_ec2(THROTTLED); ATTEMPTS]);
    let throttled = live(answers).await;
    assert!(throttled.as_ref().is_err_and(|error| error.is(THROTTLED)), "{throttled:?}");
}
