//! Remediations of a central account: they act in the members, each with credentials of its own, and in no other account.

use aws_credential_types::provider::ProvideCredentials;
use rectify_compliance::exemption::Exemption;
use rectify_compliance::{ResourceKey, Target, Timestamp};
use rectify_runtime::ledger::{Attempt, AuditEntry, Hold, Ledger, Outcome, ResourcePath};
use rectify_runtime::remediation::undo::{UndoRequest, Undone, undo};
use rectify_runtime::remediation::{Delivery, Disposition, RemediationContext, deployed, handle as remedy, undoable};
use rectify_runtime::settings::RemediationSettings;
use rectify_tests::emulator::create_table;
use rectify_tests::remediation::delivery;

use super::*;

/// A second listed account.
const OTHER: &str = "888899990000";
const CONTROL: &str = "ec2-ebs-encryption-by-default";
const ROLE: &str = "rectify-fix-ec2-ebs-encryption-by-default";
const ACCOUNTS: &str = "444455556666,888899990000";
const TABLE: &str = "ledger";

/// The central account's emulator with a ledger, and what is called there.
struct Organization {
    backend: Backend,
    _folder: tempfile::TempDir,
    services: Services,
}

impl Organization {
    async fn new(services: Services) -> Self {
        let (backend, _folder) = accounts().await;
        create_table(&sdk(&services, backend.endpoint()), TABLE).await;
        Self { backend, _folder, services }
    }

    fn sdk(&self) -> SdkConfig {
        sdk(&self.services, self.backend.endpoint())
    }

    fn members(&self) -> Option<Members> {
        members(&self.sdk(), REGION, &[("MEMBER_ACCOUNTS", ACCOUNTS), ("MEMBER_ROLE", ROLE)]).unwrap()
    }

    /// The remediation of the central account with these settings, which knows no member.
    fn alone(&self, settings: &[(&str, &str)]) -> RemediationContext {
        let base = [
            ("AWS_REGION", REGION),
            ("MODE", "enforce"),
            ("ALLOW_L2", "true"),
            ("EXEMPTIONS", "ledger"),
            ("MAX_FIXES_PERCENT", "100"),
            ("RULE_NAMES", "rectify-ec2-ebs-encryption-by-default"),
            ("LEDGER_TABLE", TABLE),
        ];
        let environment = Environment::of(base.iter().chain(settings).copied());
        let (function, settings) =
            (FunctionSettings::read(&environment).unwrap(), RemediationSettings::read(&environment).unwrap());
        let control = deployed::<_, rectify_ec2_lambda::Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT);
        RemediationContext::over(control, &self.sdk(), function, settings)
    }

    /// The same with its members.
    fn central(&self, settings: &[(&str, &str)]) -> RemediationContext {
        self.alone(settings).reaching(self.members())
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(&self.sdk(), TABLE)
    }

    async fn attempts(&self, account: &str) -> Vec<Attempt> {
        self.ledger().attempts(&path(account), CONTROL).await.unwrap()
    }

    /// Whether new volumes are encrypted in this account.
    async fn is_encrypted(&self, account: &str) -> bool {
        let sdk = sdk(&Services::default(), self.backend.endpoint());
        let known = members(&sdk, REGION, &[("MEMBER_ACCOUNTS", account)]).unwrap().unwrap();
        let session = known.session(&AccountId::new(account)).await.unwrap().unwrap();
        let config = if account == CENTRAL { sdk } else { session.config(&sdk) };
        let answer = aws_sdk_ec2::Client::new(&config).get_ebs_encryption_by_default().send().await.unwrap();
        answer.ebs_encryption_by_default.unwrap()
    }

    /// The keys of all items in the ledger.
    async fn keys(&self) -> Vec<String> {
        let items = aws_sdk_dynamodb::Client::new(&self.sdk()).scan().table_name(TABLE).send().await.unwrap().items;
        let text = |item: &std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>, name: &str| {
            item[name].as_s().unwrap().clone()
        };
        items.unwrap().iter().map(|it| format!("{} | {}", text(it, "pk"), text(it, "sk"))).collect()
    }
}

fn target(account: &str) -> Target {
    let resource = ResourceKey::new("AWS::::Account", account);
    Target { account: AccountId::new(account), region: Region::new(REGION), resource, name: None, arn: None }
}

fn path(account: &str) -> ResourcePath {
    ResourcePath::of(&target(account))
}

/// The finding that `account` has no encryption by default, sent by the account `sender`.
fn finding_from(sender: &str, account: &str) -> Value {
    let mut event = rectify_tests::events::finding(account, "2026-03-04T05:06:08.900Z");
    (event["account"], event["region"]) = (json!(sender), json!(REGION));
    let detail = &mut event["detail"];
    (detail["awsAccountId"], detail["awsRegion"]) = (json!(account), json!(REGION));
    detail["resourceType"] = json!("AWS::::Account");
    detail["configRuleName"] = json!(format!("rectify-{CONTROL}"));
    event
}

async fn deliver(context: &RemediationContext, event: &Value) -> Result<Disposition, Error> {
    let delivery = Delivery { account: Some(AccountId::new(CENTRAL)), ..delivery("worker") };
    remedy(context, event, &delivery, &mut Invocation::start(CONTROL, "request")).await
}

async fn outcome(context: &RemediationContext, account: &str) -> &'static str {
    deliver(context, &finding_from(account, account)).await.unwrap().name()
}

#[tokio::test]
async fn rule_and_remediation_of_the_central_account_judge_fix_and_undo_in_a_member() {
    let organization = Organization::new(Services::default()).await;
    let rule = central(&organization.services, organization.backend.endpoint());
    let fix = organization.central(&[]);
    run(&rule, &of(MEMBER)).await.unwrap();
    assert_eq!(outcome(&fix, MEMBER).await, "verified");
    run(&rule, &of(MEMBER)).await.unwrap();
    let verdict = |verdict: &str| (MEMBER.to_owned(), verdict.to_owned());
    assert_eq!(verdicts(&organization.services), [verdict("NON_COMPLIANT"), verdict("COMPLIANT")]);
    for (account, expected) in [(MEMBER, true), (CENTRAL, false), (OTHER, false)] {
        assert_eq!(organization.is_encrypted(account).await, expected, "{account}");
    }
    // The role is assumed once, for reads and writes.
    let assumed = organization.services.calls().iter().filter(|it| *it == "sts:AssumeRole").count();
    assert_eq!(assumed, 2, "the rule's role and the remediation's: {:?}", organization.services.calls());

    let [attempt] = organization.attempts(MEMBER).await.try_into().unwrap();
    assert_eq!((&attempt.target, attempt.outcome), (&target(MEMBER), Some(Outcome::Verified)));
    let control = undoable::<_, rectify_ec2_lambda::Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT);
    let request = UndoRequest { attempt: attempt.id, by: "jane".to_owned(), hold_days: 7, overwrite: false };
    let own = AccountId::new(CENTRAL);
    let pool = control.pool(&organization.sdk(), &Region::new(REGION));
    let refused = undo(&control, &organization.ledger(), &pool, &own, &request).await.unwrap_err();
    assert_eq!(refused, Error::ForeignAccount { home: CENTRAL.to_owned(), account: MEMBER.to_owned() });
    let pool = pool.reaching(organization.members().map(std::sync::Arc::new));
    let undone = undo(&control, &organization.ledger(), &pool, &own, &request).await.unwrap();
    assert!(matches!(undone, Undone::Restored { .. }), "{undone:?}");
    assert!(!organization.is_encrypted(MEMBER).await);
}

#[tokio::test]
async fn account_that_is_not_a_member_and_findings_that_another_account_sends_are_ignored() {
    let organization = Organization::new(Services::default()).await;
    let fix = organization.central(&[]);
    for (sender, account) in
        [(STRANGER, STRANGER), (MEMBER, OTHER), (MEMBER, CENTRAL), (STRANGER, MEMBER), (CENTRAL, MEMBER)]
    {
        let handled = deliver(&fix, &finding_from(sender, account)).await.unwrap();
        assert_eq!(handled, Disposition::Ignored("another account"), "{sender} about {account}");
    }
    // A request comes from the central account, whichever account it is about.
    let mut request = finding_from(MEMBER, OTHER);
    (request["source"], request["detail-type"]) = (json!("rectify"), json!("Rectify Remediation Requested"));
    request["detail"]["resultRecordedTime"] = json!("2026-03-04T05:06:08.900Z");
    assert_eq!(deliver(&fix, &request).await.unwrap(), Disposition::Ignored("another account"));
    // Without the setting, a member is an account like any other.
    assert_eq!(outcome(&organization.alone(&[]), MEMBER).await, "ignored");
    assert_eq!((organization.services.calls(), organization.keys().await), (vec![], vec![]));
    // Its own findings are handled with its own credentials.
    assert_eq!(outcome(&fix, CENTRAL).await, "verified");
    assert!(!organization.services.calls().contains(&"sts:AssumeRole".to_owned()));
    assert!(organization.is_encrypted(CENTRAL).await && !organization.is_encrypted(STRANGER).await);
}

#[tokio::test]
async fn denied_role_fails_the_invocation_without_an_outcome_and_the_next_delivery_fixes() {
    let denied = InjectedError { operation: Some("sts:AssumeRole"), number: 1, code: "AccessDenied" };
    let organization = Organization::new(Services::refusing([denied])).await;
    let fix = organization.central(&[]);
    let event = finding_from(MEMBER, MEMBER);
    let error = deliver(&fix, &event).await.unwrap_err();
    assert_eq!(error.kind(), "MemberRoleNotAssumed");
    let expected = "account `444455556666`: \
                    `arn:aws:iam::444455556666:role/rectify-fix-ec2-ebs-encryption-by-default` not assumed: \
                    sts:AssumeRole: AccessDenied: as scripted; deploy deploy/member.yaml there, with the central account \
                    and the external id of rectify.yaml";
    assert_eq!(error.to_string(), expected);
    assert_eq!((organization.attempts(MEMBER).await, organization.keys().await), (vec![], vec![]));
    assert_eq!(deliver(&fix, &event).await.unwrap().name(), "verified");
}

fn exemption(account: &str) -> Exemption {
    let created = Timestamp::now();
    Exemption {
        id: "01X".to_owned(),
        control: CONTROL.to_owned(),
        account: account.to_owned(),
        selector: "resource:*".parse().unwrap(),
        reason: "sandbox".to_owned(),
        approver: "jane".to_owned(),
        ticket: "SEC-1".to_owned(),
        created,
        until: created + jiff::SignedDuration::from_hours(24),
        ended: None,
    }
}

#[tokio::test]
async fn exemption_or_hold_in_one_member_does_not_apply_in_another() {
    let organization = Organization::new(Services::default()).await;
    let (ledger, fix) = (organization.ledger(), organization.central(&[]));
    let entry = AuditEntry::now("jane", "exempt add", "SEC-1");
    ledger.exempt(&exemption(MEMBER), &entry).await.unwrap();
    let until = exemption(MEMBER).until;
    let hold = Hold { control: CONTROL.to_owned(), by: "jane".to_owned(), reason: "audit".to_owned(), until };
    ledger.set_hold(&path(CENTRAL), &hold).await.unwrap();
    let mut outcomes = Vec::new();
    for account in [MEMBER, CENTRAL, OTHER] {
        outcomes.push((outcome(&fix, account).await, organization.is_encrypted(account).await));
    }
    assert_eq!(outcomes, [("exempt", false), ("planned", false), ("verified", true)]);
    let [held] = organization.attempts(CENTRAL).await.try_into().unwrap();
    assert!(held.reason.starts_with("held by jane"), "{}", held.reason);
}

#[tokio::test]
async fn budget_mode_and_every_key_of_the_ledger_are_of_one_account() {
    rectify_tests::remediation::early_in_the_hour().await;
    let organization = Organization::new(Services::default()).await;
    let modes = json!({CENTRAL: "plan"}).to_string();
    let fix = organization.central(&[("MAX_FIXES_PER_HOUR", "1"), ("ACCOUNT_MODES", &modes)]);
    let mut outcomes = Vec::new();
    for account in [CENTRAL, MEMBER, OTHER] {
        outcomes.push(outcome(&fix, account).await);
    }
    assert_eq!(outcomes, ["planned", "verified", "verified"]);
    let keys = organization.keys().await;
    for account in [MEMBER, OTHER] {
        let path = path(account).as_str().to_owned();
        for start in [
            format!("{CONTROL}#A#{path} | "),
            format!("{CONTROL}#ACTED#{path} | "),
            format!("{CONTROL}#E#{path}#"),
            format!("{CONTROL}#B#{account}#"),
            format!("L#{path} | "),
        ] {
            assert_eq!(keys.iter().filter(|it| it.starts_with(&start)).count(), 1, "{start}: {keys:#?}");
        }
    }
    // What is not of one account is of the control: the location of its attempts by id, and its own breaker.
    let shared = [format!("{CONTROL}#ID | "), format!("{CONTROL}#BREAKER | "), format!("{CONTROL}#I#")];
    let of_all = |key: &&String| [CENTRAL, MEMBER, OTHER].iter().all(|it| !key.contains(it));
    for key in keys.iter().filter(of_all) {
        assert!(shared.iter().any(|it| key.starts_with(it)), "{key}");
    }
}

/// An AWS CLI whose profile `member` has these credentials.
fn aws_cli(folder: &tempfile::TempDir, credentials: &aws_credential_types::Credentials) {
    let (id, secret) = (credentials.access_key_id(), credentials.secret_access_key());
    let token = credentials.session_token().unwrap();
    let answer = json!({"Version": 1, "AccessKeyId": id, "SecretAccessKey": secret, "SessionToken": token}).to_string();
    let program = folder.path().join("aws");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in\n  \"configure export-credentials --format process --profile member\") echo '{answer}' ;;\n  \
         *) exit 255 ;;\nesac\n"
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn command_line_undoes_in_a_member_only_with_a_profile_of_it() {
    let organization = Organization::new(Services::default()).await;
    assert_eq!(outcome(&organization.central(&[]), MEMBER).await, "verified");
    let [attempt] = organization.attempts(MEMBER).await.try_into().unwrap();
    let session = organization.members().unwrap().session(&AccountId::new(MEMBER)).await.unwrap().unwrap();
    let provider = session.config(&organization.sdk()).credentials_provider().unwrap();
    let folder = tempfile::tempdir().unwrap();
    aws_cli(&folder, &provider.provide_credentials().await.unwrap());
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let endpoint = organization.backend.endpoint().to_owned();
    let rectify = |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(rectify_tests::binaries::folder().join("rectify"));
        let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", REGION)];
        command.args(arguments).env_clear().envs(keys).env("PATH", &path).env("AWS_ENDPOINT_URL", &endpoint);
        command.env("LEDGER_TABLE", TABLE).env("USER", "ada").stdin(std::process::Stdio::null()).output()
    };
    let undo = ["undo", &attempt.id, "--confirm-exposure"];
    let refused = rectify(&undo).await.unwrap();
    let expected = format!(
        "rectify: undo {}: expected credentials of {MEMBER}, the account of the resource: received those of {CENTRAL}: \
         name a profile of {MEMBER} with --resource-profile\n",
        attempt.id
    );
    assert_eq!((refused.status.code(), String::from_utf8(refused.stderr).unwrap()), (Some(2), expected));
    assert!(organization.is_encrypted(MEMBER).await);
    let undone = rectify(&[&undo[..], &["--resource-profile", "member"]].concat()).await.unwrap();
    assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    assert!(!organization.is_encrypted(MEMBER).await);
}
