//! `iam-policy-no-statements-with-admin-access`: a customer managed policy grants full administration.
//!
//! Works on the statements of one policy; makes no API calls.

use rectify_compliance::values::Flag;
use rectify_compliance::{ByHand, control, parameters};

use crate::families::policy_statements::{self, judge};
use crate::resources::managed_policy::{ManagedPolicy, TYPE};

control! {
    /// ## What it checks
    /// That no statement of a customer managed policy allows every action (`*` or `*:*`) on every resource (`*`), with or without conditions.
    /// The default version is evaluated, since IAM evaluates no other; an item without its document fails the invocation.
    /// A statement is evaluated by itself: a Deny does not help, and two statements that allow everything together are not found.
    /// `iam:*` on `*` is compliant here; `iam-policy-no-statements-with-full-access` finds it.
    /// `NotResource` is not evaluated, as in the managed rule; `NotAction` only with `flagNotAction`.
    /// Inline policies are not AWS::IAM::Policy resources and are not evaluated; policies managed by AWS are NOT_APPLICABLE.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Each user, group and role that the policy is attached to can do everything in the account, including deleting its audit log.
    ///
    /// ## Compliant example
    /// ```json
    /// {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"Effect": "Allow", "Action": "*", "Resource": "*"}
    /// ```
    ///
    /// ## Parameters
    /// `excludePermissionBoundaryPolicy` is the managed rule's; Security Hub sets it to true. `flagNotAction` is an addition.
    ///
    /// ## Remediation
    /// L3: the plan has manual steps only, for an operator; it names the users, groups and roles that use the policy (`iam:ListEntitiesForPolicy`).
    /// What changes: the default version of the policy allows only the actions in use; a policy without users is deleted.
    /// What may break: every caller that uses an action no longer allowed. IAM reports the use of services and of some actions only, and with a delay.
    /// How to undo: `iam:SetDefaultPolicyVersion` with the previous version; a deleted policy must be created and attached again.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-policy-no-statements-with-admin-access.html)
    /// * [Security Hub IAM.1](https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-1)
    /// * [Last accessed information](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html)
    pub IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS: IamPolicyNoStatementsWithAdminAccess = CONTROL {
        id: "iam-policy-no-statements-with-admin-access",
        title: "Customer managed policy grants full administration",
        severity: High,
        triggers: [Change],
        scope: Global,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["1.16"],
            Cis50: ["1.15"],
            Fsbp: ["IAM.1"],
            Nist80053r5: ["AC-2", "AC-3", "AC-5", "AC-6", "AC-6(2)", "AC-6(10)"],
            Pci40: ["7.2.1", "7.2.2"],
        },
    }
}

parameters! {
    /// The parameters of [`IamPolicyNoStatementsWithAdminAccess`].
    pub IamPolicyNoStatementsWithAdminAccessParameters {
        /// Whether policies that are used as a permissions boundary are NOT_APPLICABLE. Default false.
        exclude_permission_boundary_policy: Flag = Flag(false),
        /// Whether an Allow of all actions but those in `NotAction`, on `*`, is a finding. Default false.
        flag_not_action: Flag = Flag(false),
    }
}

/// The control's logic.
pub type IamPolicyNoStatementsWithAdminAccess = ByHand<ManagedPolicy, IamPolicyNoStatementsWithAdminAccessParameters>;

const CONTROL: IamPolicyNoStatementsWithAdminAccess = policy_statements::control(|policy, params| {
    judge(policy, params.exclude_permission_boundary_policy, |statement| {
        let actions = match statement.allows_every_action() {
            true => "*",
            false if params.flag_not_action.0 && statement.allows_all_but_some() => "NotAction",
            false => return None,
        };
        statement.is_on_everything().then(|| format!("{actions} on *"))
    })
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::Resource;
    use rectify_compliance::parameters::RuleParameters;
    use rectify_testing::{Case, Cases, Laws};
    use serde_json::{Value, json};

    use super::*;
    use crate::resources::managed_policy::tests::{deploy, item, version};

    const FOUND: &str = "Statement 0 allows * on * (attached to 3)";
    const FLAGGED: &str = r#"{"flagNotAction":"true"}"#;

    fn case<'a>(name: &'a str, statements: &Value) -> Case<'a, IamPolicyNoStatementsWithAdminAccess> {
        Cases::of(&CONTROL, deploy(statements)).case(name, |_| ())
    }

    fn allow(action: &Value) -> Value {
        json!([{"Effect": "Allow", "Action": action, "Resource": "*"}])
    }

    #[test]
    fn every_action_on_every_resource_is_a_finding() {
        let all_but_iam = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": ["*"]});
        let deny = json!({"Sid": "No", "Effect": "Deny", "Action": "*", "Resource": "*"});
        case("iam-policy-no-statements-with-admin-access/1", &allow(&json!("*"))).non_compliant(FOUND);
        case("iam-policy-no-statements-with-admin-access/2", &allow(&json!(["s3:Get*", "*:*"]))).non_compliant(FOUND);
        case("iam-policy-no-statements-with-admin-access/3", &allow(&json!("iam:*"))).compliant();
        case("iam-policy-no-statements-with-admin-access/4", &allow(&json!("*"))[0]).non_compliant(FOUND).planned(&[
            "L3 manual: owner of policy deploy: find the services and actions in use by its users, groups and roles \
             (iam:GenerateServiceLastAccessedDetails for arn:aws:iam::111122223333:policy/team/deploy)",
            "L3 manual: owner of policy deploy: create a default version that allows these only, and keep the previous \
             version until everything works",
        ]);
        case("iam-policy-no-statements-with-admin-access/8", &all_but_iam).compliant();
        case("iam-policy-no-statements-with-admin-access/8, flagged", &all_but_iam)
            .with(FLAGGED)
            .non_compliant("Statement 0 allows NotAction on * (attached to 3)");
        case("only denied", &deny).with(FLAGGED).compliant();
        case("a Deny does not help", &json!([deny, allow(&json!("*"))[0]]))
            .non_compliant("Statement 1 allows * on * (attached to 3)");
        let named = json!({"Sid": "a+b", "Effect": "Allow", "Action": "*", "Resource": ["*"],
                           "Condition": {"Bool": {"aws:SecureTransport": "true"}}});
        case("iam-policy-no-statements-with-admin-access/5, and conditional", &named)
            .non_compliant("Statement a+b conditionally allows * on * (attached to 3)");
        for other in [
            json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::*"}),
            json!({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::logs"}),
        ] {
            case("not every resource", &other).compliant();
        }
    }

    #[test]
    fn the_default_version_counts_and_boundaries_are_excluded_by_parameter() {
        let versions = json!([version(&allow(&json!("*")), false), version(&allow(&json!("s3:Get*")), true)]);
        let policy = ManagedPolicy::from_item(&item(&versions)).unwrap();
        Cases::of(&CONTROL, policy).case("iam-policy-no-statements-with-admin-access/6", |_| ()).compliant();
        let boundary = Cases::of(&CONTROL, ManagedPolicy { boundaries: 1, ..deploy(&allow(&json!("*"))) });
        boundary
            .case("iam-policy-no-statements-with-admin-access/7", |_| ())
            .with(r#"{"excludePermissionBoundaryPolicy":"true"}"#)
            .not_applicable("deploy is a permissions boundary");
        boundary.case("by default", |_| ()).non_compliant(FOUND);
    }

    #[test]
    fn laws() {
        let statements = prop::sample::subsequence(vec!["*", "*:*", "iam:*", "s3:Get*"], 0..=2);
        let used_by = prop::option::of(prop::collection::btree_set("role [a-z]{1,5}", 0..=2));
        let policies = (statements, used_by, 0_u32..=1).prop_map(|(actions, used_by, boundaries)| {
            let statements = actions.iter().map(|it| allow(&json!(it))[0].clone()).collect();
            ManagedPolicy { used_by, boundaries, ..deploy(&statements) }
        });
        let params = any::<bool>().prop_map(|exclude| {
            let text = json!({ "excludePermissionBoundaryPolicy": exclude }).to_string();
            RuleParameters::parse(Some(&text)).unwrap().control
        });
        Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((policies, params));
    }
}
