//! `iam-root-access-key-check`: the root user has access keys.
//!
//! Works on one number of the account summary; makes no API calls.

use rectify_compliance::place::ACCOUNT_TYPE;
use rectify_compliance::{
    AccountId, ByHand, NoParameters, Partition, ResourceIdentity, ResourceState, ShapeError, Verdict, control,
};
use serde::{Deserialize, Serialize};

use crate::families::root::{self, act_centrally};

control! {
    /// ## What it checks
    /// That the root user of the account has no access keys.
    /// The number is `AccountAccessKeysPresent` of `iam:GetAccountSummary`, read live every hour: AWS Config records no item for the root user.
    /// Any number but zero is a finding; the API does not return whether the keys are active, and it does not matter here.
    /// A response without the number fails the invocation: a missing number is not zero.
    /// Central management of root access in AWS Organizations does not change the verdict: existing keys of a member account still grant access.
    /// IAM is global, so the control is evaluated in the home region only; in other regions the verdict is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// No policy of the account limits the root user; in a member account only a service control policy can.
    /// An access key needs no second factor, so one leaked file gives away the whole account, its backups and its audit log included.
    ///
    /// ## Compliant example
    /// ```json
    /// {"SummaryMap": {"AccountAccessKeysPresent": 0}}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"SummaryMap": {"AccountAccessKeysPresent": 1}}
    /// ```
    ///
    /// ## Parameters
    /// None besides the common ones.
    ///
    /// ## Remediation
    /// L0: the plan has manual steps only, for an operator.
    /// What changes: the root user's keys are deleted, after the workloads that still sign with them have moved to a role.
    /// Who does it in a standalone account: a user who can sign in as root, on the page "My security credentials".
    /// Who does it in a member account of an organization with central root access: the management account or the delegated administrator for IAM, with `sts:AssumeRoot` and the AWS managed task policy `IAMDeleteRootUserCredentials`, then `iam:DeleteAccessKey`.
    /// What may break: everything that still uses the keys, immediately.
    /// How to undo: not possible; a deleted key cannot be restored, and a new root key would be the same finding.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-root-access-key-check.html)
    /// * [GetAccountSummary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html)
    /// * [AssumeRoot](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html)
    /// * [Central root access for member accounts](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html)
    pub IAM_ROOT_ACCESS_KEY_CHECK: IamRootAccessKeyCheck = CONTROL {
        id: "iam-root-access-key-check",
        title: "Root user has access keys",
        severity: Critical,
        triggers: [Periodic(OneHour)],
        scope: Global,
        resource_types: &[ACCOUNT_TYPE],
        level: L0,
        frameworks: {
            Cis30: ["1.4"],
            Cis50: ["1.3"],
            Fsbp: ["IAM.4"],
            Nist80053r5: ["AC-2(1)", "AC-3(15)", "AC-6", "AC-6(2)", "AC-6(10)"],
            Pci40: ["7.2.1", "7.2.2", "8.2.1", "8.2.2"],
        },
    }
}

/// The root user of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootUser {
    /// The account of the root user.
    pub account: AccountId,
    /// The partition of the account, for ARNs in a plan.
    pub partition: Partition,
    /// `SummaryMap.AccountAccessKeysPresent` of `GetAccountSummary`.
    pub access_keys: u32,
}

impl RootUser {
    /// Takes the number from the API response.
    ///
    /// # Errors
    /// [`ShapeError`] when the number is missing or negative.
    pub fn counted(account: AccountId, partition: Partition, present: Option<i32>) -> Result<Self, ShapeError> {
        const PATH: &str = "SummaryMap.AccountAccessKeysPresent";
        let present = present.ok_or_else(|| ShapeError::missing(PATH, "a number of access keys"))?;
        let access_keys =
            u32::try_from(present).map_err(|_| ShapeError::new(PATH, "a number of access keys", present))?;
        Ok(Self { account, partition, access_keys })
    }
}

impl ResourceState for RootUser {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity::account(&self.account)
    }
}

/// The control's logic.
pub type IamRootAccessKeyCheck = ByHand<RootUser, NoParameters>;

const CONTROL: IamRootAccessKeyCheck = root::control(
    |root, _| match root.access_keys {
        0 => Verdict::COMPLIANT,
        1 => Verdict::non_compliant("Root user has 1 access key"),
        more => Verdict::non_compliant(format!("Root user has {more} access keys")),
    },
    |root, _| vec![find_use(root), delete_as_root(root), delete_centrally(root)],
);

fn find_use(root: &RootUser) -> String {
    format!(
        "owner of account {}: find the workloads that still sign with the root access keys (`access_key_1_last_used_date` \
         and `access_key_2_last_used_date` of `<root_account>` in the IAM credential report) and move them to a role",
        root.account
    )
}

fn delete_as_root(root: &RootUser) -> String {
    format!(
        "root user of account {}, unless the account is a member of an organization with central root access: sign in \
         as root and delete the access keys under \"My security credentials\"",
        root.account
    )
}

fn delete_centrally(root: &RootUser) -> String {
    act_centrally(&root.account, &root.partition, "iam:ListAccessKeys and iam:DeleteAccessKey for each key")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::gate::{Route, RuleScope, route};
    use rectify_compliance::parameters::CommonParameters;
    use rectify_compliance::{Region, Remediation, RuleEvent};
    use rectify_testing::{Case, Cases, Laws};
    use serde_json::json;

    use super::*;

    fn root(access_keys: u32) -> RootUser {
        let partition = Region::new("us-east-1").partition();
        RootUser { account: AccountId::new("111122223333"), partition, access_keys }
    }

    fn case(name: &str, access_keys: u32) -> Case<'_, IamRootAccessKeyCheck> {
        Cases::of(&CONTROL, root(access_keys)).case(name, |_| ())
    }

    #[test]
    fn any_root_key_is_a_finding_whose_plan_names_both_procedures() {
        let plan = [
            "L0 manual: owner of account 111122223333: find the workloads that still sign with the root access keys \
             (`access_key_1_last_used_date` and `access_key_2_last_used_date` of `<root_account>` in the IAM credential \
             report) and move them to a role",
            "L0 manual: root user of account 111122223333, unless the account is a member of an organization with central \
             root access: sign in as root and delete the access keys under \"My security credentials\"",
            "L0 manual: management account or delegated administrator for IAM, if account 111122223333 is a member of an \
             organization with central root access: at a regional STS endpoint \
             sts:AssumeRoot(TargetPrincipal=111122223333, \
             TaskPolicyArn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials, DurationSeconds=900), then in \
             that session iam:ListAccessKeys and iam:DeleteAccessKey for each key",
        ];
        case("iam-root-access-key-check/1", 1).non_compliant("Root user has 1 access key").planned(&plan);
        case("iam-root-access-key-check/5", 1).non_compliant("Root user has 1 access key").planned(&plan);
        case("iam-root-access-key-check/1, two", 2).non_compliant("Root user has 2 access keys").planned(&plan);
        case("iam-root-access-key-check/2", 0).compliant();
    }

    #[test]
    fn a_missing_or_negative_number_is_rejected() {
        for (case, present, received) in [
            ("iam-root-access-key-check/3", None, "nothing"),
            ("iam-root-access-key-check/3, not a count", Some(-1), "-1"),
        ] {
            let error = RootUser::counted(AccountId::new("111122223333"), root(0).partition, present).unwrap_err();
            let expected =
                format!("SummaryMap.AccountAccessKeysPresent: expected a number of access keys: received `{received}`");
            assert_eq!(error.to_string(), expected, "{case}");
        }
        let counted = RootUser::counted(AccountId::new("111122223333"), root(0).partition, Some(1));
        assert_eq!(counted, Ok(root(1)));
    }

    #[test]
    fn arns_in_a_plan_have_the_partition_of_the_account() {
        for (region, arn) in [
            ("us-gov-west-1", "arn:aws-us-gov:iam::aws:policy/root-task/"),
            ("cn-north-1", "arn:aws-cn:iam::aws:policy/root-task/"),
        ] {
            let root = RootUser { partition: Region::new(region).partition(), ..root(1) };
            assert!(delete_centrally(&root).contains(arn), "{region}");
        }
    }

    #[test]
    fn the_account_is_not_applicable_outside_the_home_region() {
        let case = "iam-root-access-key-check/6";
        let invoking = json!({"messageType": "ScheduledNotification", "awsAccountId": "111122223333",
            "notificationCreationTime": "2026-03-04T05:06:07.890Z", "recordVersion": "1.0"});
        let event = json!({"invokingEvent": invoking.to_string(), "resultToken": "t"});
        let event = RuleEvent::parse(&event).unwrap();
        let (home, other) = (Region::new("us-east-1"), Region::new("eu-west-1"));
        let meta = &IAM_ROOT_ACCESS_KEY_CHECK.meta;
        let expected = Route::AnswerAccount(Verdict::not_applicable("evaluated in us-east-1"));
        let parameters = CommonParameters::default();
        let at = |here| RuleScope { meta, parameters: &parameters, here, home: &home };
        assert_eq!(route(&event, &at(&other)), Ok(expected), "{case}");
        assert_eq!(route(&event, &at(&home)), Ok(Route::Periodic), "{case}");
    }

    #[test]
    fn laws() {
        let regions = prop::sample::select(vec!["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"]);
        let keys = prop_oneof![Just(0), 1_u32..=2, any::<u32>()];
        let roots = ("[0-9]{12}", regions, keys).prop_map(|(account, region, access_keys)| RootUser {
            account: AccountId::new(account),
            partition: Region::new(region).partition(),
            access_keys,
        });
        Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((roots, Just(NoParameters {})));
        assert_eq!(CONTROL.touched_fields(&root(1), &[]), json!({}));
        assert_eq!(CONTROL.undo(&root(1), &[]), Ok(vec![]));
    }
}
