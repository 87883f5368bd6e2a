//! EBS snapshots, against replayed answers of EC2: denied and throttled reads, and public snapshots on a later page.

use futures_util::StreamExt;
use rectify_compliance::{AccountId, Control, Declared, Region, Remediation, ResourceKey, Target, Timestamp};
use rectify_ec2::controls::ebs_snapshot_block_public_access::{
    EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS, EbsSnapshotBlockPublicAccess,
};
use rectify_ec2::controls::ebs_snapshot_public_restorable_check::{
    EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK, EbsSnapshotPublicRestorableCheck,
};
use rectify_ec2_lambda::Clients;
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Connect, Fix, List, Listed, Page};
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::replay::{Answer, Replay};

const DENIED: &str = "UnauthorizedOperation";
const THROTTLED: &str = "RequestLimitExceeded";
/// How often the SDK sends a call that is throttled.
const ATTEMPTS: usize = 3;

fn state(state: &str) -> Answer {
    Answer::ec2("GetSnapshotBlockPublicAccessState", &format!("<state>{state}</state><managedBy>account</managedBy>"))
}

/// A page of public snapshots, with the token of the next page; empty for the last.
fn page(ids: &[&str], next: &str) -> Answer {
    let items: String = ids.iter().map(|id| format!("<item><snapshotId>{id}</snapshotId></item>")).collect();
    let next = format!("<nextToken>{next}</nextToken>");
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
    let second = live(vec![state("unblocked"), page(&[], "2"), page(&["snap-0a"], "")]).await;
    assert_eq!(second.unwrap().unwrap().has_public_snapshots, Some(true));
    let blocked = live(vec![state("block-all-sharing")]).await;
    assert_eq!(blocked.unwrap().unwrap().has_public_snapshots, None);
    let denied = live(vec![state("unblocked"), Answer::refused_by_ec2(DENIED)]).await;
    assert!(denied.as_ref().is_err_and(|error| error.is(DENIED)), "{denied:?}");
    let mut answers = vec![state("unblocked"), page(&[], "2")];
    answers.extend(vec![Answer::refused_by_ec2(THROTTLED); ATTEMPTS]);
    let throttled = live(answers).await;
    assert!(throttled.as_ref().is_err_and(|error| error.is(THROTTLED)), "{throttled:?}");
}

/// `ebs-snapshot-public-restorable-check/1`, `ebs-snapshot-public-restorable-check/4`
#[tokio::test]
async fn own_public_snapshots_are_listed_from_every_page() {
    let approved = "<item><snapshotId>snap-0b</snapshotId><tagSet><item><key>public</key><value>approved</value></item>\
                    </tagSet></item>";
    let second = Answer::ec2("DescribeSnapshots", &format!("<snapshotSet>{approved}</snapshotSet>"));
    let replay = Replay::of([page(&["snap-0a"], "2"), second, state("block-all-sharing")]);
    let pages = listed(&EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK, &replay).await;
    let [Ok(Page { resources, next: None })] = &pages[..] else { panic!("{pages:?}") };
    let [Listed::Read(subject)] = &resources[..] else { panic!("{resources:?}") };
    let (public, approved) = (&subject.public, &subject.approved);
    assert_eq!((public.len(), approved.iter().collect::<Vec<_>>()), (2, vec![&"snap-0b".to_owned()]), "{subject:?}");
    let first = "Action=DescribeSnapshots&Version=2016-11-15&MaxResults=1000&Owner.1=self&RestorableBy.1=all";
    assert_eq!(replay.forms()[0], first);
}

/// `ebs-snapshot-public-restorable-check/7`
#[tokio::test]
async fn unread_page_or_block_is_an_error() {
    let mut answers = vec![page(&["snap-0a"], "2"), page(&["snap-0b"], "3")];
    answers.extend(vec![Answer::refused_by_ec2(THROTTLED); ATTEMPTS]);
    let throttled = listed(&EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK, &Replay::of(answers)).await;
    assert!(matches!(&throttled[..], [Err(error)] if error.is(THROTTLED)), "{throttled:?}");
    for answers in [vec![], vec![page(&["snap-0a"], "")]] {
        let answers = answers.into_iter().chain([Answer::refused_by_ec2(DENIED)]);
        let denied = listed(&EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK, &Replay::of(answers)).await;
        assert!(matches!(&denied[..], [Err(error)] if error.is(DENIED)), "{denied:?}");
    }
    let unnamed = Answer::ec2("DescribeSnapshots", "<snapshotSet><item/></snapshotSet>");
    let unnamed = listed(&EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK, &Replay::of([unnamed])).await;
    assert!(matches!(&unnamed[..], [Err(AwsError::Shape(_))]), "{unnamed:?}");
}

/// `ebs-snapshot-public-restorable-check/6`: it is not public either way, but undo cannot share it again.
#[tokio::test]
async fn deleted_snapshot_needs_no_fix_and_has_no_undo() {
    const GONE: &str = "InvalidSnapshot.NotFound";
    let control = EbsSnapshotPublicRestorableCheck;
    let answers = [page(&["snap-0a"], ""), state("unblocked")].into_iter();
    let replay = Replay::of(answers.chain([GONE, DENIED, GONE].map(Answer::refused_by_ec2)));
    let clients = Clients::connect(&replay.sdk(REGION));
    let live = control.live(&clients, &account(), &Default::default()).await.unwrap().unwrap();
    let plan = control.plan(&live, &Default::default(), Timestamp::now());
    let action = plan.calls()[0];
    assert_eq!(control.apply(&clients, &account(), action).await, Ok(()));
    let denied = control.apply(&clients, &account(), action).await.unwrap_err();
    assert!(denied.is(DENIED), "{denied}");
    let undo = control.undo(&live, std::slice::from_ref(action)).unwrap();
    let gone = control.revert(&clients, &account(), &undo[0]).await.unwrap_err();
    assert!(gone.is(GONE), "{gone}");
}
