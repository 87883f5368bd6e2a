//! `iam-root-access-key-check`: the root user has access keys.
//!
//! Knows the account summary as a number, not the API it came from. Has no call that fixes anything: IAM inside the
//! account cannot touch the keys of its root user.

use rectify_compliance::{
    AccountId, Control, Image, Inventory, Irreversible, Level, ManagedBy, Never, NoParameters, Partition, Permission,
    Plan, Remediation, ResourceKey, ShapeError, Step, Tags, Timestamp, Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::root::{ACCOUNT_SUMMARY, act_centrally};

control! {
    /// ## What it checks
    /// That the root user of the account has no access keys.
    /// The number is `AccountAccessKeysPresent` of `iam:GetAccountSummary`, read live every hour: AWS Config records no item for the root user.
    /// Any number but zero is a finding; whether the keys are active is not told by the API and does not matter here.
    /// An answer without the number fails the invocation: absence is not zero.
    /// Central management of root access in AWS Organizations does not change the verdict: a member account that still has keys is still open to whoever holds them.
    /// IAM is global, so the control is evaluated in the home region only; elsewhere it answers NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// No policy of the account limits the root user; in a member account only a service control policy can.
    /// An access key is a password that needs no second factor, so one leaked file is the whole account, its backups and its audit log included.
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
    /// None of its own.
    ///
    /// ## Remediation
    /// L0: the plan is words, and a person carries them out.
    /// What changes: the root user's keys are deleted, after what still signs with them has moved to a role.
    /// Who does it in an account on its own: whoever can sign in as root, on the page "My security credentials".
    /// Who does it in a member account of an organization with central root access: the management account or the delegated administrator for IAM, with `sts:AssumeRoot` and the AWS managed task policy `IAMDeleteRootUserCredentials`, then `iam:DeleteAccessKey`.
    /// What may break: everything that still uses the keys, at once.
    /// How to undo: not at all; a deleted key cannot be brought back, and a new root key would be the finding again.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/iam-root-access-key-check.html)
    /// * [GetAccountSummary](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html)
    /// * [AssumeRoot](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html)
    /// * [Central root access for member accounts](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html)
    pub IAM_ROOT_ACCESS_KEY_CHECK: IamRootAccessKeyCheck {
        id: "iam-root-access-key-check",
        title: "Root user has access keys",
        severity: Critical,
        triggers: [Periodic(OneHour)],
        scope: Global,
        resource_types: &[rectify_compliance::place::ACCOUNT_TYPE],
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

static NO_TAGS: Tags = Tags::new();

/// The root user of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RootUser {
    /// Whose root user.
    pub account: AccountId,
    /// The partition of the account: ARNs that a person is told are made with it.
    pub partition: Partition,
    /// `SummaryMap.AccountAccessKeysPresent` of `GetAccountSummary`.
    pub access_keys: u32,
}

impl RootUser {
    /// Takes the number as the API answered it.
    ///
    /// # Errors
    /// [`ShapeError`] when there is none or it is negative.
    pub fn counted(account: AccountId, partition: Partition, present: Option<i32>) -> Result<Self, ShapeError> {
        const PATH: &str = "SummaryMap.AccountAccessKeysPresent";
        let present = present.ok_or_else(|| ShapeError::missing(PATH, "a number of access keys"))?;
        let access_keys =
            u32::try_from(present).map_err(|_| ShapeError::new(PATH, "a number of access keys", present))?;
        Ok(Self { account, partition, access_keys })
    }
}

impl Image for RootUser {
    const VERSION: u16 = 1;

    fn key(&self) -> ResourceKey {
        ResourceKey::account(&self.account)
    }

    fn tags(&self) -> &Tags {
        &NO_TAGS
    }
}

impl Control for IamRootAccessKeyCheck {
    type Params = NoParameters;
    type Subject = RootUser;

    fn evaluate(&self, root: &RootUser, _params: &NoParameters, _now: Timestamp) -> Verdict {
        match root.access_keys {
            0 => Verdict::COMPLIANT,
            1 => Verdict::non_compliant("Root user has 1 access key"),
            more => Verdict::non_compliant(format!("Root user has {more} access keys")),
        }
    }
}

impl Inventory for IamRootAccessKeyCheck {
    fn list_permissions(&self) -> &'static [Permission] {
        ACCOUNT_SUMMARY
    }
}

impl Remediation for IamRootAccessKeyCheck {
    type Action = Never;
    type Undo = Never;
    fn read_permissions(&self) -> &'static [Permission] {
        ACCOUNT_SUMMARY
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[]
    }
    fn undo_permissions(&self) -> &'static [Permission] {
        &[]
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Nobody("only a person changes anything of the root user")
    }

    fn fix(&self, live: &RootUser, _params: &NoParameters, _now: Timestamp) -> Plan<Never> {
        Plan::steps_in_order(vec![
            Step::person(Level::L0, find_use(live)),
            Step::person(Level::L0, delete_as_root(live)),
            Step::person(Level::L0, delete_centrally(live)),
        ])
    }

    fn expect(&self, _live: RootUser, action: &Never) -> RootUser {
        match *action {}
    }

    /// Empty: no action touches anything.
    fn footprint(&self, _subject: &RootUser, _done: &[Never]) -> Value {
        json!({})
    }

    /// Nothing was done by machine, so nothing is played back.
    fn undo(&self, _before: &RootUser, _done: &[Never]) -> Result<Vec<Never>, Irreversible> {
        Ok(Vec::new())
    }
}

fn find_use(root: &RootUser) -> String {
    format!(
        "owner of account {}: find what still signs with the root access keys (`access_key_1_last_used_date` and \
         `access_key_2_last_used_date` of `<root_account>` in the IAM credential report) and move it to a role",
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
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use rectify_compliance::gate::{Route, RuleScope, route};
    use rectify_compliance::parameters::ShellParameters;
    use rectify_compliance::{Region, RuleEvent, Work};

    use super::*;

    fn root(access_keys: u32) -> RootUser {
        RootUser {
            account: AccountId::new("111122223333"),
            partition: Region::new("us-east-1").partition(),
            access_keys,
        }
    }

    fn judge(subject: &RootUser) -> Verdict {
        IamRootAccessKeyCheck.evaluate(subject, &NoParameters {}, Timestamp::UNIX_EPOCH)
    }

    fn plan(subject: &RootUser) -> Plan<Never> {
        IamRootAccessKeyCheck.plan(subject, &NoParameters {}, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn any_key_of_the_root_user_is_a_finding() {
        for (case, access_keys, expected) in [
            ("iam-root-access-key-check/1", 1, Verdict::non_compliant("Root user has 1 access key")),
            ("iam-root-access-key-check/1", 2, Verdict::non_compliant("Root user has 2 access keys")),
            ("iam-root-access-key-check/2", 0, Verdict::COMPLIANT),
        ] {
            assert_eq!(judge(&root(access_keys)), expected, "{case}");
        }
    }

    #[test]
    fn a_number_that_is_missing_or_impossible_is_refused() {
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
    fn a_member_account_with_central_root_access_and_a_key_is_a_finding_whose_plan_names_both_ways() {
        let case = "iam-root-access-key-check/5";
        assert!(judge(&root(1)).is_non_compliant(), "{case}");
        let plan = plan(&root(1));
        let told: Vec<&str> = plan
            .steps()
            .iter()
            .map(|step| match &step.work {
                Work::Person(instruction) => instruction.as_str(),
                Work::Call(never) => match *never {},
            })
            .collect();
        assert_eq!(told.len(), 3, "{case}");
        assert!(told[1].starts_with("root user of account 111122223333"), "{case}: {}", told[1]);
        for part in [
            "management account or delegated administrator",
            "sts:AssumeRoot(TargetPrincipal=111122223333",
            ":iam::aws:policy/root-task/IAMDeleteRootUserCredentials, DurationSeconds=900)",
            "iam:DeleteAccessKey",
        ] {
            assert!(told[2].contains(part), "{case}: `{part}` is not in `{}`", told[2]);
        }
        assert_eq!(plan.obstacle(true).as_deref(), Some("a step must be taken by a person"), "{case}");
    }

    #[test]
    fn arns_that_a_person_is_told_are_of_the_accounts_partition() {
        for (region, arn) in [
            ("us-gov-west-1", "arn:aws-us-gov:iam::aws:policy/root-task/"),
            ("cn-north-1", "arn:aws-cn:iam::aws:policy/root-task/"),
        ] {
            let there = RootUser { partition: Region::new(region).partition(), ..root(1) };
            assert!(delete_centrally(&there).contains(arn), "{region}");
        }
    }

    #[test]
    fn outside_of_the_home_region_the_account_is_not_applicable() {
        let case = "iam-root-access-key-check/6";
        let invoking = json!({"messageType": "ScheduledNotification", "awsAccountId": "111122223333",
            "notificationCreationTime": "2026-03-04T05:06:07.890Z", "recordVersion": "1.0"});
        let event = json!({"invokingEvent": invoking.to_string(), "resultToken": "t"});
        let event = RuleEvent::parse(&event).unwrap();
        let (home, away) = (Region::new("us-east-1"), Region::new("eu-west-1"));
        let meta = &IAM_ROOT_ACCESS_KEY_CHECK.meta;
        let answer = Route::AnswerAccount(Verdict::not_applicable("evaluated in us-east-1"));
        let parameters = ShellParameters::default();
        let at = |here| RuleScope { meta, parameters: &parameters, here, home: &home };
        assert_eq!(route(&event, &at(&away)), Ok(answer), "{case}");
        assert_eq!(route(&event, &at(&home)), Ok(Route::Inventory), "{case}");
    }

    fn roots() -> impl Strategy<Value = RootUser> {
        let regions = prop::sample::select(vec!["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"]);
        let keys = prop_oneof![Just(0), 1_u32..=2, any::<u32>()];
        ("[0-9]{12}", regions, keys).prop_map(|(account, region, access_keys)| RootUser {
            account: AccountId::new(account),
            partition: Region::new(region).partition(),
            access_keys,
        })
    }

    #[test]
    fn generated_root_users_are_of_both_kinds() {
        let mut runner = TestRunner::deterministic();
        let sample: Vec<RootUser> = (0..500).map(|_| roots().new_tree(&mut runner).unwrap().current()).collect();
        let violating = sample.iter().filter(|it| judge(it).is_non_compliant()).count();
        let compliant = sample.iter().filter(|it| judge(it).is_compliant()).count();
        assert!(violating >= 100 && compliant >= 100, "{violating} violating, {compliant} compliant of 500");
    }

    proptest! {
        #[test]
        fn a_plan_is_words_for_a_finding_and_nothing_otherwise(subject in roots()) {
            let plan = plan(&subject);
            prop_assert_eq!(plan == Plan::Nothing, judge(&subject).is_compliant());
            prop_assert!(plan.calls().is_empty());
            prop_assert!(plan.steps().iter().all(|step| step.level == IAM_ROOT_ACCESS_KEY_CHECK.meta.level));
        }

        #[test]
        fn what_no_machine_did_needs_no_undo(subject in roots()) {
            prop_assert_eq!(IamRootAccessKeyCheck.undo(&subject, &[]), Ok(Vec::new()));
            prop_assert_eq!(IamRootAccessKeyCheck.footprint(&subject, &[]), json!({}));
        }

        #[test]
        fn an_image_reads_back_as_it_was_stored(subject in roots()) {
            let stored = rectify_compliance::StoredImage::of(&subject).unwrap();
            prop_assert_eq!(stored.read::<RootUser>(), Ok(subject));
        }
    }
}
