//! A scan with every outcome, for tests of the reports and as a sample of them.

use rectify_compliance::{Level, Timestamp};
use serde_json::{Value, json};

use crate::plan::StepView;
use crate::result::SCHEMA_VERSION;
use crate::{Outcome, Place, PlanView, Row, Scan};

const ACCOUNT: &str = "111122223333";
const PARTITION: &str = "aws";
const OTHER_ACCOUNT: &str = "444455556666";

/// Two accounts and two regions, with findings of every severity and every kind of plan.
#[must_use]
pub fn example() -> Scan {
    let rows = rows();
    let mut controls: Vec<String> = rows.iter().map(|row| row.control.clone()).collect();
    controls.dedup();
    // A control that found no resource has no row.
    controls.push("efs-encrypted-check".to_owned());
    Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: "0.1.0".to_owned(),
        started: Timestamp::constant(1_796_030_043, 0),
        finished: Timestamp::constant(1_796_030_091, 0),
        source: "live".to_owned(),
        places: [(ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1"), (OTHER_ACCOUNT, "eu-west-1")]
            .map(|(account, region)| place(account, region))
            .to_vec(),
        controls,
        rows,
        since: None,
    }
}

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let group = |id: &str, name: &str, region: &str, outcome| Row {
        arn: Some(format!("arn:{PARTITION}:ec2:{region}:{ACCOUNT}:security-group/{id}")),
        ..row("restricted-ssh", region, "AWS::EC2::SecurityGroup", id, Some(name), outcome)
    };
    let bucket = |control: &str, name: &str, outcome| Row {
        arn: Some(format!("arn:{PARTITION}:s3:::{name}")),
        ..row(control, "eu-west-1", "AWS::S3::Bucket", name, None, outcome)
    };
    let instance = |id: &str, name: &str, outcome| row("ec2-imdsv2-check", "eu-west-1", "AWS::EC2::Instance", id, Some(name), outcome);
    let vpc = |id: &str, region: &str, outcome| row("vpc-flow-logs-enabled", region, "AWS::EC2::VPC", id, None, outcome);
    let database = |id: &str, name: &str, outcome| row("rds-instance-deletion-protection-enabled", "eu-west-1", "AWS::RDS::DBInstance", id, Some(name), outcome);
    let user = |id: &str, name: &str, outcome| row("access-keys-rotated", "us-east-1", "AWS::IAM::User", id, Some(name), outcome);
    let key = |id: &str, name: &str, outcome| row("cmk-backing-key-rotation-enabled", "eu-west-1", "AWS::KMS::Key", id, Some(name), outcome);
    let of_account = |control: &str, outcome| row(control, "us-east-1", "AWS::::Account", ACCOUNT, None, outcome);
    let mut rows = vec![
        group("sg-0a1b2c3d4e5f60718", "bastion", "eu-west-1", failed("0.0.0.0/0 reaches tcp/22 through sgr-0f1e2d3c4b5a69780", opt_in(
            &["- ingress tcp 22 from 0.0.0.0/0 (sgr-0f1e2d3c4b5a69780)"],
            json!({"RevokeSecurityGroupIngress": {"GroupId": "sg-0a1b2c3d4e5f60718", "SecurityGroupRuleIds": ["sgr-0f1e2d3c4b5a69780"]}}),
            "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-0a1b2c3d4e5f60718 --security-group-rule-ids sgr-0f1e2d3c4b5a69780",
        ))),
        group("sg-0b2c3d4e5f6071829", "batch", "us-east-1", failed("::/0 reaches tcp/20-25 through sgr-0a9b8c7d6e5f40312", manual(
            "a rule opens more than SSH",
            "replace sgr-0a9b8c7d6e5f40312 (tcp/20-25 from ::/0) by rules for the ports and networks that need it",
        ))),
        group("sg-0c3d4e5f60718293a", "web", "eu-west-1", Outcome::Passed { reason: None }),
        group("sg-0d4e5f60718293a4b", "shared-services", "eu-west-1", unreadable("ec2:GetManagedPrefixListEntries: AccessDenied")),
        bucket("s3-bucket-public-read-prohibited", "annual-report-drafts", failed("public read through acl AllUsers:Read", opt_in(
            &["- BlockPublicAcls: false", "+ BlockPublicAcls: true", "- IgnorePublicAcls: false", "+ IgnorePublicAcls: true"],
            json!({"PutPublicAccessBlock": {"Bucket": "annual-report-drafts", "PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true}}}),
            "aws s3api put-public-access-block --bucket annual-report-drafts \\\n  --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true",
        ))),
        bucket("s3-bucket-public-read-prohibited", "www-example-com", failed("public read through policy statement PublicRead", Some(PlanView {
            blocker: Some("the bucket serves a website".to_owned()),
            ..view(&["- BlockPublicPolicy: false", "+ BlockPublicPolicy: true"], vec![call(
                Level::L2,
                json!({"PutPublicAccessBlock": {"Bucket": "www-example-com", "PublicAccessBlockConfiguration": {"BlockPublicPolicy": true}}}),
                Some("aws s3api put-public-access-block --bucket www-example-com --public-access-block-configuration BlockPublicPolicy=true"),
            )])
        }))),
        bucket("s3-bucket-public-read-prohibited", "invoices", Outcome::Passed { reason: Some("the account blocks public access".to_owned()) }),
        bucket("s3-bucket-public-read-prohibited", "payroll", unreadable("s3:GetBucketPolicy: AccessDenied")),
        instance("i-0123456789abcdef0", "build-agent", failed("HttpTokens is optional", Some(PlanView {
            blocker: Some("CloudWatch saw 112 requests without a token in 14 days".to_owned()),
            ..view(&["- HttpTokens: optional", "+ HttpTokens: required"], vec![call(
                Level::L2,
                json!({"ModifyInstanceMetadataOptions": {"InstanceId": "i-0123456789abcdef0", "HttpTokens": "required"}}),
                Some("aws ec2 modify-instance-metadata-options --region eu-west-1 --instance-id i-0123456789abcdef0 --http-tokens required"),
            )])
        }))),
        instance("i-0fedcba9876543210", "api", Outcome::NotApplicable { reason: "the instance is terminated".to_owned() }),
        vpc("vpc-0a1b2c3d4e5f60718", "eu-west-1", failed("no flow log records rejected traffic", None)),
        vpc("vpc-0b2c3d4e5f6071829", "us-east-1", Outcome::Passed { reason: None }),
        of_account("iam-root-access-key-check", failed("the root user has 1 access key", manual(
            "a step requires an operator",
            "sign in as root, open Security credentials, deactivate the key, and delete it after a week without errors",
        ))),
        of_account("root-account-mfa-enabled", Outcome::Passed { reason: Some("MFA device registered".to_owned()) }),
        user("AIDAEXAMPLEEXAMPLE01", "deploy", failed("key AKIA…7Q2X is 412 days old; expected at most 90", Some(view(
            &["- AKIA…7Q2X: Active", "+ AKIA…7Q2X: Inactive"],
            vec![
                StepView { level: Level::L0, text: "create a second key and store it where deploy runs".to_owned(), call: None, command: None },
                call(Level::L2, json!({"UpdateAccessKey": {"UserName": "deploy", "AccessKeyId": "AKIA…7Q2X", "Status": "Inactive"}}), None),
            ],
        )).map(|plan| PlanView { blocker: Some("a step requires an operator".to_owned()), ..plan }))),
        user("AIDAEXAMPLEEXAMPLE02", "reporting", Outcome::Passed { reason: None }),
        database("db-M5ENSHXFPU6XHZ4G4ZEI5QIO2U", "orders", failed("orders has no deletion protection", Some(view(
            &["- DeletionProtection: false", "+ DeletionProtection: true"],
            vec![call(
                Level::L1,
                json!({"ModifyDBInstance": {"DBInstanceIdentifier": "orders", "DeletionProtection": true}}),
                Some("aws rds modify-db-instance --region eu-west-1 --db-instance-identifier orders --deletion-protection"),
            )],
        )))),
        database("db-N6FOTIYGQV7YIA5H5AFJ6RJP3V", "sessions", Outcome::NotApplicable { reason: "member of a cluster".to_owned() }),
        key("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", "alias/ledger", failed("rotation is off", Some(view(
            &["- KeyRotationEnabled: false", "+ KeyRotationEnabled: true"],
            vec![call(
                Level::L1,
                json!({"EnableKeyRotation": {"KeyId": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}}),
                Some("aws kms enable-key-rotation --region eu-west-1 --key-id 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"),
            )],
        )))),
        row("cloud-trail-encryption-enabled", "eu-west-1", "AWS::CloudTrail::Trail", "organization", None, unreadable("cloudtrail:DescribeTrails: Throttled: rate exceeded")),
        row("required-tags", "eu-west-1", "AWS::EC2::Volume", "*", None, Outcome::NotScanned { reason: "no tag is required: `tag1Key` is not set".to_owned() }),
    ];
    for row in rows.iter_mut().filter(|row| row.resource_type == "AWS::RDS::DBInstance" || row.resource_type == "AWS::KMS::Key") {
        row.place.account = OTHER_ACCOUNT.to_owned();
    }
    rows
}

fn place(account: &str, region: &str) -> Place {
    Place { account: account.to_owned(), region: region.to_owned() }
}

fn row(control: &str, region: &str, resource_type: &str, id: &str, name: Option<&str>, outcome: Outcome) -> Row {
    Row {
        control: control.to_owned(),
        place: place(ACCOUNT, region),
        resource_type: resource_type.to_owned(),
        resource_id: id.to_owned(),
        name: name.map(ToOwned::to_owned),
        arn: None,
        source: None,
        outcome,
    }
}

fn failed(reason: &str, plan: Option<PlanView>) -> Outcome {
    Outcome::Failed { reason: reason.to_owned(), plan }
}

fn unreadable(reason: &str) -> Outcome {
    Outcome::Unreadable { reason: reason.to_owned() }
}

fn call(level: Level, call: Value, command: Option<&str>) -> StepView {
    let text = rectify_compliance::plan::call_text(&call);
    StepView { level, text, call: Some(call), command: command.map(ToOwned::to_owned) }
}

fn view(changes: &[&str], steps: Vec<StepView>) -> PlanView {
    PlanView {
        level: steps.iter().map(|step| step.level).max(),
        changes: changes.iter().map(ToString::to_string).collect(),
        steps,
        blocker: None,
        needs_opt_in: false,
    }
}

fn opt_in(changes: &[&str], input: Value, command: &str) -> Option<PlanView> {
    let plan = view(changes, vec![call(Level::L2, input, Some(command))]);
    Some(PlanView { needs_opt_in: true, ..plan })
}

fn manual(blocker: &str, instruction: &str) -> Option<PlanView> {
    let step = StepView { level: Level::L0, text: instruction.to_owned(), call: None, command: None };
    Some(PlanView { blocker: Some(blocker.to_owned()), ..view(&[], vec![step]) })
}

/// Texts that break out of careless markup, or hide what they say.
pub const HOSTILE: [&str; 4] = [
    "</script><script>document.title='owned'</script>",
    "\"><img src=x onerror=\"document.title='owned'\"></details></table>'`",
    "\u{202e}gpj.exe\u{2066}\u{200b}\u{0}\u{1b}[31m",
    "&lt;b&gt;&amp;]]><!--\r\n",
];

/// The scan with a hostile text after every text that the scanned account can choose.
#[must_use]
pub fn hostile(mut scan: Scan) -> Scan {
    let hostile = HOSTILE.concat();
    let spoil = |text: &mut String| text.push_str(&hostile);
    spoil(&mut scan.source);
    for row in &mut scan.rows {
        if row.resource_id != "*" {
            spoil(&mut row.resource_id);
        }
        spoil(&mut row.resource_type);
        row.name.iter_mut().chain(&mut row.arn).for_each(spoil);
        row.source.iter_mut().for_each(|source| spoil(&mut source.file));
        let plan = match &mut row.outcome {
            Outcome::Passed { reason } => {
                reason.iter_mut().for_each(spoil);
                None
            }
            Outcome::Failed { reason, plan } => {
                spoil(reason);
                plan.as_mut()
            }
            Outcome::NotApplicable { reason } | Outcome::Unreadable { reason } | Outcome::NotScanned { reason } => {
                spoil(reason);
                None
            }
        };
        let Some(plan) = plan else { continue };
        plan.changes.iter_mut().chain(&mut plan.blocker).for_each(spoil);
        for step in &mut plan.steps {
            spoil(&mut step.text);
            step.command.iter_mut().for_each(spoil);
        }
    }
    scan
}

/// A scan of `number` rows: those of `scan`, again and again, each with its own id.
#[must_use]
pub fn repeated(scan: &Scan, number: usize) -> Scan {
    let rows = scan.rows.iter().cycle().take(number).enumerate();
    let mut rows: Vec<Row> =
        rows.map(|(index, row)| Row { resource_id: format!("{}-{index}", row.resource_id), ..row.clone() }).collect();
    rows.sort_by(|one, other| (&one.control, &one.place).cmp(&(&other.control, &other.place)));
    Scan { rows, ..scan.clone() }
}
