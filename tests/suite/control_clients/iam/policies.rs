//! Policies of users, and customer managed policies: every page and every denied read.

use rectify_compliance::{ResourceKey, Target};
use rectify_iam::controls::iam_policy_no_statements_with_admin_access::IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS;
use rectify_iam::controls::iam_user_no_policies_check::IAM_USER_NO_POLICIES_CHECK;
use rectify_runtime::CallErrorKind;
use rectify_runtime::rule::on_item;

use super::*;

fn target(kind: &str, id: &str) -> Target {
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(kind, id),
        name: None,
        arn: None,
    }
}

/// `iam-user-no-policies-check/7`: the item is enough, so the rule makes no call to IAM.
#[tokio::test]
async fn deleted_user_is_not_applicable_without_a_read() {
    let scripted = Scripted::default();
    let change = rectify_tests::events::change(&json!({
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": "2026-03-04T05:06:07.512Z",
        "configurationItemStatus": "ResourceDeleted", "configurationStateId": 1, "awsAccountId": ACCOUNT,
        "awsRegion": "global", "resourceType": "AWS::IAM::User", "resourceId": "AIDAGONE", "resourceName": "user-0",
        "ARN": format!("arn:aws:iam::{ACCOUNT}:user/user-0"), "configuration": null, "supplementaryConfiguration": {},
        "tags": {}, "relationships": []
    }));
    let sdk = scripted.sdk(json!([]), |_, _| None);
    run_rule(&on_item(&IAM_USER_NO_POLICIES_CHECK), &sdk, &change, &json!({})).await.unwrap();
    let row = ("AWS::IAM::User".to_owned(), "AIDAGONE".to_owned(), "NOT_APPLICABLE".to_owned());
    assert_eq!(scripted.reported(), [vec![row]]);
    assert_eq!(scripted.0.lock().unwrap().len(), 1, "one PutEvaluations");
}

/// Denies each call of a live read in turn: none is treated as an empty answer.
async fn each_denied_live_read_is_an_error<K>(control: &'static Declared<K>, target: &Target)
where
    K: Fix<Clients, Params: Default>,
{
    let free = Services::default();
    let live = control.logic.live(&Clients::connect(&free.sdk(REGION)), target, &Default::default()).await;
    assert!(live.unwrap().is_some(), "{}", control.meta.id);
    assert_permitted(&entry(&control.meta).remediation_permissions(), &free.calls());
    for number in 1..=free.calls().len() {
        let services = Services::refusing([InjectedError { operation: None, number, code: "AccessDenied" }]);
        let live = control.logic.live(&Clients::connect(&services.sdk(REGION)), target, &Default::default()).await;
        let error = live.unwrap_err();
        assert_eq!(error.kind(), Some(CallErrorKind::AccessDenied), "{}: {error}", services.calls()[number - 1]);
    }
}

#[tokio::test]
async fn denied_live_read_of_policies_is_an_error() {
    let iam = aws_sdk_iam::Client::new(&sdk_at(endpoint()));
    let user = iam.create_user().user_name("denied-policies").send().await.unwrap().user.unwrap();
    let policy = iam.create_policy().policy_name("denied-policies").policy_document(mfa_policy::document());
    let policy = policy.send().await.unwrap().policy.unwrap();
    each_denied_live_read_is_an_error(&IAM_USER_NO_POLICIES_CHECK, &target("AWS::IAM::User", &user.user_id)).await;
    each_denied_live_read_is_an_error(
        &IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS,
        &target("AWS::IAM::Policy", policy.policy_id().unwrap()),
    )
    .await;
}

/// A page of a list, with the marker of the next one on the first page.
fn page(list: &str, is_first: bool) -> String {
    let marker = if is_first { "<Marker>more</Marker>" } else { "" };
    format!("{list}<IsTruncated>{is_first}</IsTruncated>{marker}")
}

#[tokio::test]
async fn policies_of_a_user_are_read_from_all_pages() {
    let scripted = Scripted::default();
    let sdk = scripted.sdk(json!([]), |operation, body| {
        let is_first = !body.contains("Marker=more");
        let number = if is_first { 1 } else { 2 };
        match operation {
            "ListUsers" => Some(users(0..1, None)),
            "GetUser" => Some(format!("<User>{}</User>", user(0))),
            "ListUserPolicies" => {
                Some(page(&format!("<PolicyNames><member>p{number}</member></PolicyNames>"), is_first))
            }
            "ListAttachedUserPolicies" => Some(page(
                &format!("<AttachedPolicies><member><PolicyArn>a{number}</PolicyArn></member></AttachedPolicies>"),
                is_first,
            )),
            _ => None,
        }
    });
    let target = target("AWS::IAM::User", &format!("AIDA{:016}", 0));
    let live = IAM_USER_NO_POLICIES_CHECK.logic.live(&Clients::connect(&sdk), &target, &Default::default()).await;
    let live = live.unwrap().unwrap();
    let set = |names: [&str; 2]| BTreeSet::from(names.map(str::to_owned));
    assert_eq!((live.inline, live.attached), (set(["p1", "p2"]), set(["a1", "a2"])));
}

/// A policy that was deleted after it was listed is gone, and so is one whose name now belongs to another policy.
#[tokio::test]
async fn policy_is_found_by_its_id_with_all_its_users() {
    let policy = |id: &str| {
        format!(
            "<PolicyName>deploy</PolicyName><PolicyId>{id}</PolicyId><Arn>arn:aws:iam::{ACCOUNT}:policy/deploy</Arn>\
             <DefaultVersionId>v1</DefaultVersionId>"
        )
    };
    for (current, found) in [(Some("ANPADEPLOY"), true), (Some("ANPASUCCESSOR"), false), (None, false)] {
        let scripted = Scripted::default();
        let sdk = scripted.sdk(json!([]), move |operation, body| {
            let is_first = !body.contains("Marker=more");
            match operation {
                "ListPolicies" if is_first => Some(page("<Policies/>", true)),
                "ListPolicies" => {
                    Some(page(&format!("<Policies><member>{}</member></Policies>", policy("ANPADEPLOY")), false))
                }
                "GetPolicy" => current.map(|id| format!("<Policy>{}</Policy>", policy(id))),
                "GetPolicyVersion" => Some(
                    "<PolicyVersion><Document>%7B%22Statement%22%3A%5B%5D%7D</Document><VersionId>v1</VersionId>\
                     <IsDefaultVersion>true</IsDefaultVersion></PolicyVersion>"
                        .to_owned(),
                ),
                "ListEntitiesForPolicy" if is_first => Some(page(
                    "<PolicyUsers><member><UserName>ann</UserName></member></PolicyUsers>\
                     <PolicyGroups><member><GroupName>ops</GroupName></member></PolicyGroups>",
                    true,
                )),
                "ListEntitiesForPolicy" => {
                    Some(page("<PolicyRoles><member><RoleName>ci</RoleName></member></PolicyRoles>", false))
                }
                _ => None,
            }
        });
        let (clients, target) = (Clients::connect(&sdk), target("AWS::IAM::Policy", "ANPADEPLOY"));
        let control = &IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS.logic;
        let live = control.live(&clients, &target, &Default::default()).await.unwrap();
        let users = ["group ops", "role ci", "user ann"].map(str::to_owned);
        assert_eq!(live.map(|it| it.used_by), found.then(|| Some(BTreeSet::from(users))), "{current:?}");
    }
}
