//! EBS snapshots. moto 5.2.5 lacks the block of public access, and lists every snapshot as public, so EC2's answers are
//! replayed.

use rectify_ec2::controls::ebs_snapshot_block_public_access::EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS;
use rectify_ec2::controls::ebs_snapshot_public_restorable_check::EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK;
use rectify_ec2_lambda::Clients;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::replay::{Answer, Replay};

use super::{assert_model_conforms, target};

/// The answers to a live read of the block, and of the public snapshots if there is a reason to read them.
fn setting(state: &str, public: Option<&[&str]>) -> Vec<Answer> {
    let content = format!("<state>{state}</state><managedBy>account</managedBy>");
    let mut answers = vec![Answer::ec2("GetSnapshotBlockPublicAccessState", &content)];
    answers.extend(public.map(public_snapshots));
    answers
}

/// The public snapshots.
fn public_snapshots(ids: &[&str]) -> Answer {
    let items: String = ids.iter().map(|id| format!("<item><snapshotId>{id}</snapshotId></item>")).collect();
    Answer::ec2("DescribeSnapshots", &format!("<snapshotSet>{items}</snapshotSet>"))
}

/// The requests that change something, without their version.
fn changes(replay: &Replay) -> Vec<String> {
    let short = |form: String| form.replace("Action=", "").replace("&Version=2016-11-15", "");
    let reads = |form: &String| form.starts_with("Get") || form.starts_with("Describe");
    replay.forms().into_iter().map(short).filter(|form| !reads(form)).collect()
}

#[tokio::test]
async fn block_of_public_snapshots_conforms() {
    let enabled = || Answer::ec2("EnableSnapshotBlockPublicAccess", "<state>block-all-sharing</state>");
    let disabled = || Answer::ec2("DisableSnapshotBlockPublicAccess", "<state>unblocked</state>");
    let enable = |state: &str| format!("EnableSnapshotBlockPublicAccess&State={state}");
    let disable = "DisableSnapshotBlockPublicAccess".to_owned();
    for (state, public, restored, restore) in [
        ("unblocked", &[][..], disabled(), disable),
        ("block-new-sharing", &["snap-0a"][..], enabled(), enable("block-new-sharing")),
    ] {
        let mut answers = setting(state, Some(public));
        for _again in 0..2 {
            answers.push(enabled());
            answers.extend(setting("block-all-sharing", None));
        }
        answers.extend([restored.clone(), restored]);
        answers.extend(setting(state, Some(public)));
        let replay = Replay::of(answers);
        let (control, params) = (&EBS_SNAPSHOT_BLOCK_PUBLIC_ACCESS, Default::default());
        let target = target(control, REGION, ACCOUNT);
        let calls = assert_model_conforms::<_, Clients>(control, &replay.sdk(REGION), &target, &params).await;
        assert_eq!(calls, [r#"EnableSnapshotBlockPublicAccess {"State":"block-all-sharing"}"#]);
        let fix = enable("block-all-sharing");
        assert_eq!(changes(&replay), [fix.clone(), fix, restore.clone(), restore]);
    }
}

/// `ebs-snapshot-public-restorable-check/3`: the call names the group alone, so accounts keep their permission.
#[tokio::test]
async fn removal_of_the_public_conforms() {
    let read = |ids: &[&str]| {
        let block = (!ids.is_empty()).then(|| setting("unblocked", None));
        std::iter::once(public_snapshots(ids)).chain(block.into_iter().flatten())
    };
    let modified = || Answer::ec2("ModifySnapshotAttribute", "<return>true</return>");
    let mut answers: Vec<Answer> = read(&["snap-0a", "snap-0b"]).collect();
    for after in [&["snap-0b"][..], &[]] {
        for _again in 0..2 {
            answers.push(modified());
            answers.extend(read(after));
        }
    }
    answers.extend([modified(), modified(), modified(), modified()]);
    answers.extend(read(&["snap-0a", "snap-0b"]));
    let replay = Replay::of(answers);
    let (control, params) = (&EBS_SNAPSHOT_PUBLIC_RESTORABLE_CHECK, Default::default());
    let target = target(control, REGION, ACCOUNT);
    assert_model_conforms::<_, Clients>(control, &replay.sdk(REGION), &target, &params).await;
    let change = |operation: &str, id: &str| {
        format!(
            "ModifySnapshotAttribute&Attribute=createVolumePermission&UserGroup.1=all&OperationType={operation}\
             &SnapshotId={id}"
        )
    };
    let expected = [("remove", "snap-0a"), ("remove", "snap-0b"), ("add", "snap-0b"), ("add", "snap-0a")];
    let twice: Vec<String> = expected.iter().flat_map(|(operation, id)| vec![change(operation, id); 2]).collect();
    assert_eq!(changes(&replay), twice);
}
