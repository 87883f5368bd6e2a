//! `iam-policy-no-statements-with-full-access`: a customer managed policy grants a whole service.
//!
//! Works on the statements of one policy; makes no API calls.

use rectify_compliance::values::{Flag, StringList};
use rectify_compliance::{ByHand, control, offenders, parameters};

use crate::families::policy_statements::{self, judge};
use crate::resources::managed_policy::{ManagedPolicy, TYPE};

control! {
    /// ## What it checks
    /// That no statement of a customer managed policy allows all actions of a service, such as `ec2:*`, on any resource, with or without conditions.
    /// `*` and `*:*` are all actions of all services; `ec2:Describe*` is compliant.
    /// An Allow with `NotAction` is a finding if it excludes a whole service, since it allows all others; excluding single actions is compliant, as in the managed rule.
    /// The default version is evaluated, since IAM evaluates no other; an item without its document fails the invocation.
    /// A statement is evaluated by itself, so a Deny does not help.
    /// Inline policies are not AWS::IAM::Policy resources and are not evaluated; policies managed by AWS are NOT_APPLICABLE.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// All actions of a service include those that delete its data and change who may use it, and those that AWS adds later.
    ///
    /// ## Compliant example
    /// ```json
    /// {"Effect": "Allow", "Action": ["ec2:Describe*", "s3:GetObject"], "Resource": "*"}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"}
    /// ```
    ///
    /// ## Parameters
    /// `excludePermissionBoundaryPolicy` is the managed rule's; Security Hub sets it to true. `allowedServices` is an addition.
    ///
    /// ## Remediation
    /// L3: the plan has manual steps only, for an operator; it names the users, groups and roles that use the policy (`iam:ListEntitiesForPolicy`).
    /// What changes: the default version of the policy allows only the actions in use; a policy without users is deleted.
    /// What may break: every caller that uses an action no longer allowed. IAM reports the use of services and of some actions only, and with a delay.
    /// How to undo: `iam:SetDefaultPolicyVersion` with the previous version; a deleted policy must be created and attached again.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-policy-no-statements-with-full-access.html)
    /// * [Security Hub IAM.21](https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-21)
    /// * [Last accessed information](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html)
    pub IAM_POLICY_NO_STATEMENTS_WITH_FULL_ACCESS: IamPolicyNoStatementsWithFullAccess = CONTROL {
        id: "iam-policy-no-statements-with-full-access",
        title: "Customer managed policy grants a whole service",
        severity: Low,
        triggers: [Change],
        scope: Global,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Fsbp: ["IAM.21"],
            Nist80053r5: [
                "AC-2", "AC-2(1)", "AC-3", "AC-3(7)", "AC-3(15)", "AC-5", "AC-6", "AC-6(2)", "AC-6(3)", "AC-6(10)",
            ],
            Pci40: ["7.2.1", "7.2.2"],
        },
    }
}

parameters! {
    /// The parameters of [`IamPolicyNoStatementsWithFullAccess`].
    pub IamPolicyNoStatementsWithFullAccessParameters {
        /// Whether policies that are used as a permissions boundary are NOT_APPLICABLE. Default false.
        exclude_permission_boundary_policy: Flag = Flag(false),
        /// The prefixes of services that a statement may allow whole, such as `logs`, separated by commas. Default: none.
        allowed_services: Option<StringList> = None,
    }
}

impl IamPolicyNoStatementsWithFullAccessParameters {
    /// Whether the service of a pattern is allowed. Action names are case-insensitive.
    fn allows(&self, pattern: &str) -> bool {
        let prefix = pattern.split_once(':').map_or(pattern, |(prefix, _)| prefix);
        self.allowed_services.iter().flat_map(StringList::list).any(|it| it.eq_ignore_ascii_case(prefix))
    }
}

/// The control's logic.
pub type IamPolicyNoStatementsWithFullAccess = ByHand<ManagedPolicy, IamPolicyNoStatementsWithFullAccessParameters>;

const CONTROL: IamPolicyNoStatementsWithFullAccess = policy_statements::control(|policy, params| {
    judge(policy, params.exclude_permission_boundary_policy, |statement| {
        let mut services = statement.whole_services();
        let but = if statement.allows_all_but_some() {
            "all but "
        } else {
            services.retain(|it| !params.allows(it));
            ""
        };
        (!services.is_empty()).then(|| format!("{but}{}", offenders(services)))
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

    const LOGS: &str = r#"{"allowedServices":"ec2,logs"}"#;

    fn case<'a>(name: &'a str, statement: &Value) -> Case<'a, IamPolicyNoStatementsWithFullAccess> {
        Cases::of(&CONTROL, deploy(statement)).case(name, |_| ())
    }

    fn of(effect: &str, element: &str, actions: &Value) -> Value {
        json!({"Effect": effect, element: actions, "Resource": "arn:aws:s3:::pics/*"})
    }

    #[test]
    fn all_actions_of_a_service_are_a_finding() {
        let allow = |actions: Value| of("Allow", "Action", &actions);
        for (name, actions, found) in [
            ("iam-policy-no-statements-with-full-access/1", json!("ec2:*"), "ec2:*"),
            ("iam-policy-no-statements-with-full-access/3", json!("*"), "*"),
            ("iam-policy-no-statements-with-full-access/6", json!("S3:*"), "S3:*"),
            ("iam-policy-no-statements-with-full-access/7", json!(["s3:*", "ec2:*"]), "ec2:*, s3:*"),
            ("iam-policy-no-statements-with-full-access/11", json!("iam:**"), "iam:**"),
        ] {
            case(name, &allow(actions)).non_compliant(&format!("Statement 0 allows {found} (attached to 3)"));
        }
        case("iam-policy-no-statements-with-full-access/2", &allow(json!(["s3:Get*"]))).compliant();
        case("iam-policy-no-statements-with-full-access/4", &of("Allow", "NotAction", &json!("iam:*")))
            .non_compliant("Statement 0 allows all but iam:* (attached to 3)");
        case("iam-policy-no-statements-with-full-access/5", &of("Allow", "NotAction", &json!(["iam:CreateUser"])))
            .compliant();
        case("iam-policy-no-statements-with-full-access/8", &allow(json!("Logs:*"))).with(LOGS).compliant();
        case("iam-policy-no-statements-with-full-access/9", &of("Deny", "Action", &json!("s3:*"))).compliant();
        case("one allowed", &allow(json!(["logs:*", "s3:*"])))
            .with(LOGS)
            .non_compliant("Statement 0 allows s3:* (attached to 3)");
        case("excluded, and all others allowed", &of("Allow", "NotAction", &json!("logs:*")))
            .with(LOGS)
            .non_compliant("Statement 0 allows all but logs:* (attached to 3)");
    }

    #[test]
    fn the_default_version_counts_and_boundaries_are_excluded_by_parameter() {
        let whole = of("Allow", "Action", &json!("ec2:*"));
        let versions = json!([version(&whole, false), version(&json!([]), true)]);
        let policy = ManagedPolicy::from_item(&item(&versions)).unwrap();
        Cases::of(&CONTROL, policy).case("iam-policy-no-statements-with-full-access/12", |_| ()).compliant();
        Cases::of(&CONTROL, ManagedPolicy { boundaries: 1, ..deploy(&whole) })
            .case("iam-policy-no-statements-with-full-access/10", |_| ())
            .with(r#"{"excludePermissionBoundaryPolicy":"true"}"#)
            .not_applicable("deploy is a permissions boundary");
    }

    #[test]
    fn laws() {
        let actions = prop::sample::subsequence(vec!["*", "ec2:*", "Logs:*", "s3:Get*"], 1..=2);
        let element = prop::sample::select(vec!["Action", "NotAction"]);
        let policies = (element, actions).prop_map(|(element, actions)| deploy(&of("Allow", element, &json!(actions))));
        let params = any::<bool>()
            .prop_map(|allowed| RuleParameters::parse(Some(if allowed { LOGS } else { "{}" })).unwrap().control);
        Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((policies, params));
    }
}
