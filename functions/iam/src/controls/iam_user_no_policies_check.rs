//! `iam-user-no-policies-check`: an IAM user has policies of its own.
//!
//! Works on a user and its policies; makes no API calls.

use std::collections::BTreeSet;

use rectify_compliance::values::StringList;
use rectify_compliance::{
    Arn, ByHand, ConfigurationItem, Level, Permission, Resource, ResourceIdentity, ResourceState, ShapeError, Verdict,
    control, offenders, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::user::{GET_USER, LIST_ATTACHED_POLICIES, LIST_USERS, RecordedUser, TYPE, USERS, User};

control! {
    /// ## What it checks
    /// That an IAM user has no inline policy and no attached managed policy, so that all its permissions come from groups.
    /// Policies in `allowedPolicyArns` do not count; an inline policy always counts.
    /// The permissions boundary does not count: it grants nothing.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Permissions granted user by user are hard to review, and stay when the user moves to another team.
    ///
    /// ## Compliant example
    /// ```json
    /// {"userName": "carol", "userPolicyList": [], "groupList": ["developers"], "attachedManagedPolicies": []}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"userName": "carol", "userPolicyList": [{"policyName": "p1"}], "attachedManagedPolicies": []}
    /// ```
    ///
    /// ## Parameters
    /// `allowedPolicyArns` is an addition to the managed rule, which has no parameters.
    /// It should name the policy of `mfaPolicyArn` if a remediation attaches that policy to users without MFA.
    ///
    /// ## Remediation
    /// L3: the plan has manual steps only, for an operator.
    /// What changes: a group gets the permissions, the user joins it, and the policies of the user are removed last.
    /// What may break: the user loses or gains permissions where the group differs from the policies; every other member of the group gets them, too.
    /// How to undo: attach or put the policies again and remove the user from the group; keep a copy of an inline policy, which exists only in the user.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-user-no-policies-check.html)
    /// * [Security Hub IAM.2](https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-2)
    /// * [Managed policies and inline policies](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html)
    pub IAM_USER_NO_POLICIES_CHECK: IamUserNoPoliciesCheck = CONTROL {
        id: "iam-user-no-policies-check",
        title: "IAM user has policies of its own",
        severity: Low,
        triggers: [Change],
        scope: Global,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["1.15"],
            Cis50: ["1.14"],
            Fsbp: ["IAM.2"],
            Nist80053r5: ["AC-2", "AC-3", "AC-6", "AC-6(3)"],
            Pci40: ["7.2.1", "7.2.2", "7.2.5"],
        },
    }
}

parameters! {
    /// The parameters of [`IamUserNoPoliciesCheck`].
    pub IamUserNoPoliciesCheckParameters, check: check {
        /// The ARNs of managed policies that may be attached to users, separated by commas. Default: none.
        allowed_policy_arns: Option<StringList> = None,
    }
}

fn check(params: &IamUserNoPoliciesCheckParameters) -> Result<(), String> {
    let is_policy = |text: &str| Arn::of(text, "iam").is_some_and(|arn| arn.resource().starts_with("policy/"));
    match params.allowed().iter().find(|it| !is_policy(it)) {
        None => Ok(()),
        Some(other) => Err(format!("allowedPolicyArns: expected ARNs of managed policies: received `{other}`")),
    }
}

impl IamUserNoPoliciesCheckParameters {
    fn allowed(&self) -> &[String] {
        self.allowed_policy_arns.as_ref().map_or(&[], StringList::list)
    }
}

/// A user and its policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserPolicies {
    /// The user.
    pub user: User,
    /// The names of its inline policies.
    pub inline: BTreeSet<String>,
    /// The ARNs of the managed policies attached to it.
    pub attached: BTreeSet<String>,
}

impl ResourceState for UserPolicies {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.user.identity()
    }
}

impl Resource for UserPolicies {
    const TYPES: &'static [&'static str] = RecordedUser::TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Ok(Self {
            user: RecordedUser::from_item(item)?.0,
            inline: members(item, "userPolicyList", "policyName")?,
            attached: members(item, "attachedManagedPolicies", "policyArn")?,
        })
    }
}

/// The control's logic.
pub type IamUserNoPoliciesCheck = ByHand<UserPolicies, IamUserNoPoliciesCheckParameters>;

const CONTROL: IamUserNoPoliciesCheck = ByHand {
    judge: |it, params| match policies(it, params) {
        None => Verdict::COMPLIANT,
        Some(policies) => Verdict::non_compliant(format!("User {}: {policies}", it.user.name)),
    },
    instructions: |it, params| {
        let (name, policies) = (&it.user.name, policies(it, params).unwrap_or_default());
        vec![
            format!(
                "owner of user {name}: grant the permissions of its policies ({policies}) to a group, and add the user"
            ),
            format!("owner of user {name}: when its work succeeds as a member, remove these policies from the user"),
        ]
    },
    level: Level::L3,
    list: &[],
    read: &[LIST_USERS, GET_USER, Permission::on("iam:ListUserPolicies", USERS), LIST_ATTACHED_POLICIES],
    needs_name: false,
};

/// The policies that the user should not have.
fn policies(it: &UserPolicies, params: &IamUserNoPoliciesCheckParameters) -> Option<String> {
    let inline: Vec<&str> = it.inline.iter().map(String::as_str).collect();
    let refused = it.attached.iter().filter(|arn| !params.allowed().contains(arn));
    let attached = refused.map(|arn| arn.rsplit_once('/').map_or(arn.as_str(), |(_, name)| name)).collect();
    let kinds = [("inline", inline), ("attached", attached)].into_iter().filter(|(_, names)| !names.is_empty());
    let kinds: Vec<String> = kinds.map(|(kind, names)| format!("{kind} {}", offenders(names))).collect();
    (!kinds.is_empty()).then(|| kinds.join("; "))
}

/// This member of every element of a list in the item; a missing list is empty.
fn members(item: &ConfigurationItem, list: &str, member: &str) -> Result<BTreeSet<String>, ShapeError> {
    let path = format!("configuration.{list}");
    let elements = match item.configuration.get(list) {
        None | Some(Value::Null) => return Ok(BTreeSet::new()),
        Some(Value::Array(elements)) => elements,
        Some(other) => return Err(ShapeError::new(path, "a list", other)),
    };
    let text = |it: &Value| it.get(member).and_then(Value::as_str).map(str::to_owned);
    let missing = || ShapeError::missing(format!("{path}.{member}"), "a string");
    elements.iter().map(|it| text(it).ok_or_else(missing)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_testing::{Cases, Laws};
    use serde_json::json;

    use super::*;
    use crate::resources::user::tests::{configuration, item};

    const S3: &str = "arn:aws:iam::aws:policy/AmazonS3FullAccess";
    const ALLOWED: &str = r#"{"allowedPolicyArns":"arn:aws:iam::aws:policy/AmazonS3FullAccess"}"#;

    fn user(members: &Value) -> UserPolicies {
        let mut configuration = configuration();
        configuration.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        UserPolicies::from_item(&item(&configuration)).unwrap()
    }

    #[test]
    fn inline_and_attached_policies_are_findings_unless_they_are_allowed() {
        let inline = json!([{"policyName": "p1", "policyDocument": "%7B%7D"}]);
        let attached = json!([{"policyName": "AmazonS3FullAccess", "policyArn": S3}]);
        let base = Cases::of(&CONTROL, user(&json!({"userPolicyList": inline, "attachedManagedPolicies": attached})));
        let case = |name, members: Value| base.case(name, move |it| *it = user(&members));
        case("iam-user-no-policies-check/1", json!({"userPolicyList": inline})).non_compliant("User alice: inline p1");
        case("iam-user-no-policies-check/2", json!({"attachedManagedPolicies": attached}))
            .non_compliant("User alice: attached AmazonS3FullAccess");
        case("iam-user-no-policies-check/3", json!({"userPolicyList": [], "groupList": ["staff"]})).compliant();
        let boundary = json!({"permissionsBoundaryType": "Policy", "permissionsBoundaryArn": S3});
        case("iam-user-no-policies-check/4", json!({"permissionsBoundary": boundary})).compliant();
        case("iam-user-no-policies-check/5", json!({"attachedManagedPolicies": attached})).with(ALLOWED).compliant();
        case("iam-user-no-policies-check/6", json!({})).compliant();
        base.case("both", |_| ()).non_compliant("User alice: inline p1; attached AmazonS3FullAccess").planned(&[
            "L3 manual: owner of user alice: grant the permissions of its policies (inline p1; attached AmazonS3FullAccess) \
             to a group, and add the user",
            "L3 manual: owner of user alice: when its work succeeds as a member, remove these policies from the user",
        ]);
        base.case("one allowed", |_| ()).with(ALLOWED).non_compliant("User alice: inline p1");
    }

    #[test]
    fn a_malformed_list_and_an_allowed_policy_without_an_arn_are_rejected() {
        for (list, value, path) in [
            ("userPolicyList", json!({}), "configuration.userPolicyList"),
            ("userPolicyList", json!([{}]), "configuration.userPolicyList.policyName"),
            ("attachedManagedPolicies", json!([{"policyArn": 1}]), "configuration.attachedManagedPolicies.policyArn"),
        ] {
            let mut configuration = configuration();
            configuration[list] = value;
            assert_eq!(UserPolicies::from_item(&item(&configuration)).unwrap_err().path, path);
        }
        for text in ["AmazonS3FullAccess", "arn:aws:iam::111122223333:user/alice", "arn:aws:s3:::policy/x"] {
            let parameters = json!({ "allowedPolicyArns": text }).to_string();
            let error = RuleParameters::<IamUserNoPoliciesCheckParameters>::parse(Some(&parameters)).unwrap_err();
            assert!(error.to_string().contains(&format!("received `{text}`")), "{error}");
        }
    }

    #[test]
    fn laws() {
        let arns = prop::sample::subsequence(vec![S3, "arn:aws:iam::111122223333:policy/team/deploy"], 0..=2);
        let inline = prop::collection::btree_set("[a-z]{1,6}", 0..=2);
        let users = (inline, arns).prop_map(|(inline, arns)| UserPolicies {
            inline,
            attached: arns.into_iter().map(str::to_owned).collect(),
            ..user(&json!({}))
        });
        let params = any::<bool>()
            .prop_map(|allowed| RuleParameters::parse(Some(if allowed { ALLOWED } else { "{}" })).unwrap().control);
        Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((users, params));
    }
}
