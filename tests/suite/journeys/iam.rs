//! The password policy, users without MFA, and policies that an operator replaces.

use aws_sdk_iam::Client;
use rectify_local::engine::{Compliance, ResourceKey};
use rectify_local::world::{ACCOUNT, World};
use rectify_runtime::ledger::{Outcome, State};
use rectify_tests::mfa_policy;
use serde_json::json;

use super::{attempts, evaluate, run_lifecycle, target, undo, used, world_of};
use crate::stored_attempts;

#[tokio::test(flavor = "multi_thread")]
async fn password_policy_is_set_and_undone() {
    let account = async |_: &World| ResourceKey::new("AWS::::Account", ACCOUNT);
    run_lifecycle("iam-password-policy", "{}", account).await;
}

/// Attaches the policy to a user without MFA, which leaves the attempt pending, undoes it, and then registers a device.
async fn attach_and_detach(control: &str) {
    let arn = format!("arn:aws:iam::{ACCOUNT}:policy/require-mfa");
    let parameters = json!({"mfaPolicyArn": arn, "mfaPolicyOptIn": "true"}).to_string();
    let logs = tempfile::tempdir().unwrap();
    let world = world_of(control, &parameters, logs.path()).await;
    let rule = format!("rectify-{control}");
    let iam = &world.clients().iam;
    assert_eq!(mfa_policy::create(iam, "require-mfa").await, arn);
    let user = iam.create_user().user_name("alice").send().await.unwrap().user.unwrap();
    iam.create_login_profile().user_name("alice").password("Not-A-Secret-1").send().await.unwrap();
    let resource = ResourceKey::new("AWS::IAM::User", user.user_id());
    world.put_rules().unwrap();
    evaluate(&world, &rule).await;

    let target = target(&world, &resource);
    let log = || world.host().logs(&format!("{rule}-fix")).join("\n");
    let pending = attempts(&world, &target).await;
    let [attempt] = pending.as_slice() else { panic!("{control}: one attempt: {pending:#?}\n{}", log()) };
    assert_eq!((attempt.outcome, attempt.state), (Some(Outcome::Pending), State::Open), "{control}: {}", log());
    assert_eq!(attempt.actions.len(), 1, "{control}: {attempt:#?}");
    assert_eq!(attached(&world).await, [arn], "{control}");
    evaluate(&world, &rule).await;
    assert_eq!(
        world.compliance_of(&rule, &resource),
        Some(Compliance::NonCompliant),
        "{control}: waiting for the user"
    );

    assert_eq!(undo(&world, attempt).await, "restored", "{control}");
    assert_eq!(attached(&world).await, [""; 0], "{control}");
    stored_attempts::keep(attempt);

    mfa_policy::register_device(iam, "alice").await;
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &resource), Some(Compliance::Compliant), "{control}");
    assert_eq!(world.take_errors(), Vec::<String>::new(), "{control}");
    used::every_permission(&world, control);
    world.stop().await.unwrap();
}

/// The ARNs of the policies attached to the user.
async fn attached(world: &World) -> Vec<String> {
    let answer = world.clients().iam.list_attached_user_policies().user_name("alice").send().await.unwrap();
    answer.attached_policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_arn).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mfa_policy_is_attached_and_undone() {
    for control in ["mfa-enabled-for-iam-console-access", "iam-user-mfa-enabled"] {
        attach_and_detach(control).await;
    }
}

/// Finds the violation that `make` creates, and returns its plan: nothing is changed.
async fn plan_by_hand(control: &str, make: impl AsyncFnOnce(&Client) -> ResourceKey) -> String {
    let logs = tempfile::tempdir().unwrap();
    let world = world_of(control, "{}", logs.path()).await;
    let rule = format!("rectify-{control}");
    let resource = make(&world.clients().iam).await;
    world.put_rules().unwrap();
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &resource), Some(Compliance::NonCompliant), "{control}");
    let planned = attempts(&world, &target(&world, &resource)).await;
    let log = || world.host().logs(&format!("{rule}-fix")).join("\n");
    let [attempt] = planned.as_slice() else { panic!("{control}: one attempt: {planned:#?}\n{}", log()) };
    assert_eq!((attempt.outcome, attempt.actions.len()), (Some(Outcome::Planned), 0), "{attempt:#?}");
    assert_eq!(world.take_errors(), Vec::<String>::new(), "{control}");
    world.stop().await.unwrap();
    serde_json::to_string(&attempt.plan).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_found_and_left_to_an_operator() {
    let with_policy = async |iam: &Client, action: &str| {
        let document =
            json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}});
        let policy = iam.create_policy().policy_name("deploy").policy_document(document.to_string());
        let policy = policy.send().await.unwrap().policy.unwrap();
        let user = iam.create_user().user_name("alice").send().await.unwrap().user.unwrap();
        iam.attach_user_policy().user_name("alice").policy_arn(policy.arn().unwrap()).send().await.unwrap();
        (user.user_id, policy.policy_id.unwrap())
    };
    let user = async |iam: &Client| ResourceKey::new("AWS::IAM::User", &with_policy(iam, "s3:GetObject").await.0);
    let plan = plan_by_hand("iam-user-no-policies-check", user).await;
    assert!(plan.contains("attached deploy"), "{plan}");
    for (control, action) in
        [("iam-policy-no-statements-with-admin-access", "*"), ("iam-policy-no-statements-with-full-access", "s3:*")]
    {
        let policy = async |iam: &Client| ResourceKey::new("AWS::IAM::Policy", &with_policy(iam, action).await.1);
        let plan = plan_by_hand(control, policy).await;
        assert!(plan.contains("actions in use by user alice"), "{control}: {plan}");
    }
}

/// The proxy answers for the root user, which moto does not model.
#[tokio::test(flavor = "multi_thread")]
async fn root_user_is_evaluated_by_password_and_device() {
    let control = "root-account-mfa-enabled";
    let logs = tempfile::tempdir().unwrap();
    let world = world_of(control, "{}", logs.path()).await;
    let rule = format!("rectify-{control}");
    let account = ResourceKey::new("AWS::::Account", ACCOUNT);
    world.proxy().set_root_password(true);
    world.proxy().set_root_mfa(false);
    world.put_rules().unwrap();
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &account), Some(Compliance::NonCompliant));
    let planned = attempts(&world, &target(&world, &account)).await;
    let [attempt] = planned.as_slice() else { panic!("one attempt: {planned:#?}") };
    assert_eq!((attempt.outcome, attempt.actions.len()), (Some(Outcome::Planned), 0), "{attempt:#?}");
    assert_eq!(attempt.finding.as_deref(), Some("Root user has a password and no MFA device"));

    world.proxy().set_root_password(false);
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &account), Some(Compliance::Compliant), "no credentials");
    world.proxy().set_root_password(true);
    world.proxy().set_root_mfa(true);
    evaluate(&world, &rule).await;
    assert_eq!(world.compliance_of(&rule, &account), Some(Compliance::Compliant), "a device");
    assert_eq!(world.take_errors(), Vec::<String>::new());
    world.stop().await.unwrap();
}
