use super::*;
use crate::report::sample::{example, forged, hostile};
use crate::{Outcome, Place, Row};

fn plain(width: usize) -> Layout {
    Layout { width, color: false, verbose: false }
}

fn verbose(width: usize) -> Layout {
    Layout { verbose: true, ..plain(width) }
}

/// The scan with texts that are longer than any terminal is wide, of letters that take one cell and two.
fn long() -> Scan {
    let mut scan = example();
    for (row, word) in scan.rows.iter_mut().zip(["word ", "漢字"].iter().cycle()) {
        row.resource_id = word.repeat(90);
        row.name = Some(word.repeat(90));
        if let Outcome::Failed { reason, .. } | Outcome::Unreadable { reason } = &mut row.outcome {
            *reason = word.repeat(90);
        }
    }
    scan
}

#[test]
fn an_account_that_cannot_be_entered_takes_one_line() {
    let mut scan = example();
    let outcome = Outcome::Unreadable { reason: "sts:AssumeRole: AccessDenied".to_owned() };
    let place = Place { account: "444455556666".to_owned(), region: "us-east-1".to_owned() };
    let row = |control: &String| Row {
        control: control.clone(),
        place: place.clone(),
        resource_id: "*".to_owned(),
        name: None,
        arn: None,
        outcome: outcome.clone(),
        ..scan.rows[0].clone()
    };
    let rows: Vec<Row> = scan.controls.iter().map(row).collect();
    scan.rows.extend(rows);
    let shown = text(&scan, plain(100));
    let expected =
        "NO VERDICT\n  all controls\n    all resources  444455556666/us-east-1  sts:AssumeRole: AccessDenied\n";
    assert!(shown.contains(expected), "{shown}");
    assert_eq!(shown.matches("sts:AssumeRole").count(), 1, "{shown}");
    // With a verdict of one control there, each of the others is listed.
    scan.rows.pop();
    assert_eq!(text(&scan, plain(100)).matches("sts:AssumeRole").count(), scan.controls.len() - 1);
}

#[test]
fn the_most_severe_come_first_and_the_numbers_last() {
    let expected = "\
Scan of account 111122223333, 2 regions
2026-11-30 10:00:00Z, 42 s: 7 controls, 10 results

CRITICAL  s3-bucket-public-read-prohibited  S3 bucket content can be read by th…
  example-site  eu-west-1  example-site: its policy lets everyone read objects:…

CRITICAL  iam-root-access-key-check  Root user has access keys
  111122223333  us-east-1  the root user has an active access key

HIGH      restricted-ssh  Security group lets the whole internet reach SSH
  sg-0a1b2c3d4e5f60001 (web)  eu-west-1  SSH open to the internet: tcp 22 from…

MEDIUM    efs-encrypted-check  File system is not encrypted at rest
  fs-0a1b2c3d  eu-west-1  fs-0a1b2c3d is not encrypted at rest

LOW       rds-instance-deletion-protection-enabled  Database can be deleted by…
  db-EXAMPLE1  eu-west-1  example-database: deletion protection is off

NO VERDICT
  s3-bucket-public-read-prohibited
    example-logs  us-east-1  s3:GetBucketPolicy: AccessDenied
  iam-user-mfa-enabled
    all resources  us-east-1  the snapshot has no credential report

RESULTS           failed  passed  unreadable  unscanned  n/a
by severity
  critical             2       0           1          0    0
  high                 1       2           0          0    0
  medium               1       0           0          1    1
  low                  1       0           0          0    0
by service
  ec2                  1       2           0          0    0
";
    let text = text(&example(), plain(80));
    assert!(text.starts_with(expected), "{text}");
    let ending = "
all                    5       2           1          1    1

5 findings: 2 critical, 1 high, 1 medium, 1 low
2 results without a verdict
";
    assert!(text.ends_with(ending), "{text}");
}

#[test]
fn details_are_the_whole_reason_the_changes_and_the_fix() {
    let expected = "
HIGH      restricted-ssh  Security group lets the whole int…
  sg-0a1b2c3d4e5f60001  eu-west-1  SSH open to the internet…
    SSH open to the internet: tcp 22 from 0.0.0.0/0
    - ingress tcp 22 0.0.0.0/0 \"temporary\"
    L2: aws ec2 revoke-security-group-ingress --region eu-west-1 --group-id sg-0a1b2c3d4e5f60001 --security-group-rule-ids sgr-0a1b2c3d4e5f60001
    opt-in: applied only where allowL2 is set for this
    control
  docs/controls/restricted-ssh.md
";
    let text = text(&example(), verbose(60));
    assert!(text.contains(expected), "{text}");
    assert!(
        text.contains("    L0: sign in as the root user and delete its access keys\n    not automatic: a step"),
        "{text}"
    );
}

#[test]
fn no_line_but_a_command_is_wider_than_the_terminal() {
    for (scan, width) in
        [example(), hostile(), forged(), long()].iter().flat_map(|scan| [60, 80, 120].map(|width| (scan, width)))
    {
        for layout in [plain(width), verbose(width)] {
            for line in text(scan, layout).lines().filter(|line| !line.contains(": aws ")) {
                assert!(width_of(line) <= width, "{width}: {line}");
                assert_eq!(line.trim_end(), line);
            }
        }
    }
}

#[test]
fn color_changes_no_letter() {
    let colored = text(&example(), Layout { color: true, ..verbose(80) });
    let mut parts = colored.split("\u{1b}[");
    let first = parts.next().unwrap().to_owned();
    let stripped = parts.fold(first, |text, part| text + part.split_once('m').unwrap().1);
    assert_eq!(stripped, text(&example(), verbose(80)));
    assert!(colored.contains("\u{1b}[31;1mCRITICAL\u{1b}[0m"));
}

#[test]
fn no_finding_is_no_pass_where_a_verdict_is_missing() {
    let mut scan = example();
    scan.rows.retain(|row| !row.outcome.is_failed());
    assert!(text(&scan, plain(80)).ends_with("\n\nNo findings\n2 results without a verdict\n"));
    scan.rows.retain(|row| !row.outcome.is_unknown());
    let text = text(&scan, plain(80));
    assert!(text.ends_with("\n\nNo findings\n"), "{text}");
    assert!(!text.contains("NO VERDICT"), "{text}");
}

#[test]
fn a_place_is_shown_only_where_it_distinguishes() {
    let mut scan = example();
    scan.rows.truncate(2);
    assert!(text(&scan, plain(80)).contains("sg-0a1b2c3d4e5f60001 (web)  SSH open"));
    scan.rows[1].place.account = "444455556666".to_owned();
    assert!(text(&scan, plain(80)).contains("sg-0a1b2c3d4e5f60001 (web)  111122223333  SSH open"));
}
