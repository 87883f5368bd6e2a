//! The ids that controls declare, or that a list has, and that do not hold at all times.

use jiff::civil::date;
use rectify_compliance::Framework::Fsbp;

use super::Exception;
use super::Instead::Nothing;

/// One row for each id. Controls declare the ids of Security Hub as ids of FSBP, its largest standard; those that are
/// only in another standard are rows without dates.
pub const EXCEPTIONS: &[Exception] = &[
    outside("CloudWatch.16"),
    outside("EC2.13"),
    outside("EC2.14"),
    Exception {
        framework: Fsbp,
        id: "EKS.3",
        since: None,
        until: Some(date(2026, 8, 10)),
        instead: Nothing("AWS announced its retirement for this day"),
    },
    outside("IAM.9"),
    outside("IAM.10"),
    outside("IAM.15"),
    outside("IAM.16"),
    outside("IAM.19"),
    outside("IAM.22"),
    outside("KMS.4"),
    Exception {
        framework: Fsbp,
        id: "S3.4",
        since: None,
        until: Some(date(2026, 6, 30)),
        instead: Nothing("retired before this list was read: S3 encrypts every new object since January 2023"),
    },
    outside("S3.14"),
    outside("S3.20"),
    outside("S3.17"),
    outside("SNS.1"),
];

/// A control of Security Hub that is not in FSBP.
const fn outside(id: &'static str) -> Exception {
    let why = Nothing("a control of Security Hub that only other standards have");
    Exception { framework: Fsbp, id, since: None, until: None, instead: why }
}
