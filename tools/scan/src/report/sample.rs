//! A small scan with every outcome, and one with hostile names. Nothing in them exists.

use rectify_compliance::{Level, Timestamp};
use serde_json::{Value, json};

use crate::plan::StepView;
use crate::result::SCHEMA_VERSION;
use crate::{Outcome, Place, PlanView, Row, Scan, Source};

/// The account of the example.
const ACCOUNT: &str = "111122223333";

/// A scan of one account in two regions.
pub(super) fn example() -> Scan {
    let rows = vec![
        Row {
            name: Some("web".to_owned()),
            ..row("restricted-ssh", "eu-west-1", "AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60001", ssh())
        },
        row("restricted-ssh", "eu-west-1", "AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60002", passed()),
        row("restricted-ssh", "us-east-1", "AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60003", passed()),
        row("s3-bucket-public-read-prohibited", "eu-west-1", "AWS::S3::Bucket", "example-site", site()),
        row("s3-bucket-public-read-prohibited", "us-east-1", "AWS::S3::Bucket", "example-logs", denied()),
        row("iam-root-access-key-check", "us-east-1", "AWS::::Account", ACCOUNT, root()),
        row("iam-user-mfa-enabled", "us-east-1", "AWS::IAM::User", "*", not_scanned()),
        row("rds-instance-deletion-protection-enabled", "eu-west-1", "AWS::RDS::DBInstance", "db-EXAMPLE1", database()),
        row("cmk-backing-key-rotation-enabled", "eu-west-1", "AWS::KMS::Key", "example-key", not_applicable()),
        row("efs-encrypted-check", "eu-west-1", "AWS::EFS::FileSystem", "fs-0a1b2c3d", file_system()),
    ];
    let mut controls: Vec<String> = rows.iter().map(|row| row.control.clone()).collect();
    controls.dedup();
    Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started: Timestamp::constant(1_796_032_800, 0),
        finished: Timestamp::constant(1_796_032_842, 0),
        source: "live".to_owned(),
        places: vec![place("eu-west-1"), place("us-east-1")],
        controls,
        rows,
        since: None,
    }
}

fn place(region: &str) -> Place {
    Place { account: ACCOUNT.to_owned(), region: region.to_owned() }
}

fn row(control: &str, region: &str, resource_type: &str, id: &str, outcome: Outcome) -> Row {
    let arn = match resource_type {
        "AWS::EC2::SecurityGroup" => Some(format!("arn:aws:ec2:{region}:{ACCOUNT}:security-group/{id}")),
        "AWS::S3::Bucket" => Some(format!("arn:aws:s3:::{id}")),
        _ => None,
    };
    Row {
        control: control.to_owned(),
        place: place(region),
        resource_type: resource_type.to_owned(),
        resource_id: id.to_owned(),
        name: None,
        arn,
        source: None,
        outcome,
    }
}

fn passed() -> Outcome {
    Outcome::Passed { reason: None }
}

fn not_applicable() -> Outcome {
    Outcome::NotApplicable { reason: "example-key: AWS manages this key".to_owned() }
}

fn denied() -> Outcome {
    Outcome::Unreadable { reason: "s3:GetBucketPolicy: AccessDenied".to_owned() }
}

fn not_scanned() -> Outcome {
    Outcome::NotScanned { reason: "the snapshot has no credential report".to_owned() }
}

fn file_system() -> Outcome {
    Outcome::Failed { reason: "fs-0a1b2c3d is not encrypted at rest".to_owned(), plan: None }
}

fn ssh() -> Outcome {
    let call = json!({ "RevokeSecurityGroupIngress": {
        "GroupId": "sg-0a1b2c3d4e5f60001", "SecurityGroupRuleIds": ["sgr-0a1b2c3d4e5f60001"],
    } });
    let command = "aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-0a1b2c3d4e5f60001 \
                   --security-group-rule-ids sgr-0a1b2c3d4e5f60001";
    failed(
        "SSH open to the internet: tcp 22 from 0.0.0.0/0",
        PlanView {
            level: Some(Level::L2),
            changes: vec!["- ingress tcp 22 0.0.0.0/0 \"temporary\"".to_owned()],
            steps: vec![step(Level::L2, call, command)],
            blocker: None,
            needs_opt_in: true,
        },
    )
}

fn site() -> Outcome {
    let call = json!({ "PutPublicAccessBlock": { "Bucket": "example-site" } });
    let command = "aws s3api put-public-access-block --bucket example-site --public-access-block-configuration \
                   BlockPublicPolicy=true,RestrictPublicBuckets=true";
    failed(
        "example-site: its policy lets everyone read objects: statement `PublicRead` allows s3:GetObject to `*`",
        PlanView {
            level: Some(Level::L2),
            changes: vec!["- BlockPublicPolicy: false".to_owned(), "+ BlockPublicPolicy: true".to_owned()],
            steps: vec![step(Level::L2, call, command)],
            blocker: Some("the bucket is a website".to_owned()),
            needs_opt_in: false,
        },
    )
}

fn root() -> Outcome {
    let step = StepView {
        level: Level::L0,
        text: "sign in as the root user and delete its access keys".to_owned(),
        call: None,
        command: None,
    };
    let blocker = Some("a step requires an operator".to_owned());
    failed(
        "the root user has an active access key",
        PlanView { level: None, changes: Vec::new(), steps: vec![step], blocker, needs_opt_in: false },
    )
}

fn database() -> Outcome {
    let call =
        json!({ "ModifyDBInstance": { "DBInstanceIdentifier": "example-database", "DeletionProtection": true } });
    let command = "aws rds modify-db-instance --db-instance-identifier example-database --deletion-protection";
    failed(
        "example-database: deletion protection is off",
        PlanView {
            level: Some(Level::L1),
            changes: vec!["- deletion protection: off".to_owned(), "+ deletion protection: on".to_owned()],
            steps: vec![step(Level::L1, call, command)],
            blocker: None,
            needs_opt_in: false,
        },
    )
}

fn failed(reason: &str, plan: PlanView) -> Outcome {
    Outcome::Failed { reason: reason.to_owned(), plan: Some(plan) }
}

fn step(level: Level, call: Value, command: &str) -> StepView {
    let text = rectify_compliance::plan::call_text(&call);
    StepView { level, text, call: Some(call), command: Some(command.to_owned()) }
}

/// Names that a principal in the account could give to a resource to deceive the reader of a report, or to break it.
pub(super) const HOSTILE: [&str; 15] = [
    "=cmd|'/C calc'!A1",
    " =1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\u{ff1d}1+1",
    "a,\"b\";'c'",
    "<script>alert(1)</script>]]>&amp;",
    "two\r\nlines\u{2028}three\u{85}four",
    "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{7f}",
    "\u{202e}gpj.exe\u{2066}\u{200f}\u{feff}\u{e0041}",
    "nul\u{0}\u{ffff}\u{8}",
    "[click](https://example.com) {0} \\ `x`",
    " \n ",
];

/// The example with two resources that a template and a plan declare; the others exist.
pub(super) fn declared() -> Scan {
    let mut scan = example();
    let sources = [("./stacks/my network.yaml", Some(12)), ("plan.json", None)];
    for (row, (file, line)) in scan.rows.iter_mut().zip(sources) {
        row.source = Some(Source { file: file.to_owned(), line });
    }
    scan
}

/// The example with rows of every outcome for each of these names, everywhere that a resource's text comes through.
pub(super) fn hostile() -> Scan {
    let mut scan = example();
    scan.rows = HOSTILE.iter().flat_map(|name| named(name)).collect();
    scan.source = HOSTILE.concat();
    scan.controls = vec!["restricted-ssh".to_owned()];
    scan
}

fn named(name: &str) -> impl Iterator<Item = Row> {
    let text = Some(name.to_owned());
    outcomes(name).into_iter().zip(1..).map(move |(outcome, number)| Row {
        resource_id: format!("{}{number}", text.as_deref().unwrap_or_default()),
        name: text.clone(),
        arn: text.clone(),
        source: text.clone().map(|file| Source { file, line: Some(12) }),
        ..row("restricted-ssh", "eu-west-1", "AWS::EC2::SecurityGroup", "", outcome)
    })
}

/// The hostile rows with these names for what an account cannot choose, but a file that was not made by a scan can.
pub(super) fn forged() -> Scan {
    let mut scan = hostile();
    for row in &mut scan.rows {
        let name = row.name.clone().unwrap_or_default();
        row.place = Place { account: name.clone(), region: name.clone() };
        (row.control, row.resource_type) = (name.clone(), name);
    }
    scan.places = scan.rows.iter().map(|row| row.place.clone()).collect();
    scan.controls = HOSTILE.map(str::to_owned).to_vec();
    scan
}

fn outcomes(name: &str) -> [Outcome; 5] {
    let reason = name.to_owned();
    let plan = PlanView {
        level: Some(Level::L2),
        changes: vec![name.to_owned()],
        steps: vec![
            step(Level::L2, json!({ "Operation": { "Name": name } }), name),
            StepView { level: Level::L0, text: name.to_owned(), call: None, command: None },
        ],
        blocker: Some(name.to_owned()),
        needs_opt_in: false,
    };
    [
        Outcome::Passed { reason: Some(reason.clone()) },
        Outcome::Failed { reason: reason.clone(), plan: Some(plan) },
        Outcome::NotApplicable { reason: reason.clone() },
        Outcome::Unreadable { reason: reason.clone() },
        Outcome::NotScanned { reason },
    ]
}
