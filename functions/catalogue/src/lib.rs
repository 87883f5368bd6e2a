//! All controls in one table.
//!
//! Links no SDK. The same controls with their API calls are in `rectify-catalogue-lambda`.

pub mod frameworks;
pub mod profiles;

use rectify_compliance::Entry;
use rectify_compliance::entry::SharedEvents;

/// The services that have controls; each has a folder `functions/<service>`.
pub const SERVICES: [&str; 15] = [
    "ec2",
    "s3",
    "iam",
    "rds",
    "cloudtrail",
    "logs",
    "kms",
    "sns",
    "sqs",
    "awslambda",
    "config",
    "dynamodb",
    "elb",
    "ssm",
    "efs",
];

/// Every control, grouped by service, in the order of each service's crate.
pub fn controls() -> impl Iterator<Item = &'static Entry> {
    [
        rectify_ec2::CONTROLS,
        rectify_s3::CONTROLS,
        rectify_iam::CONTROLS,
        rectify_rds::CONTROLS,
        rectify_cloudtrail::CONTROLS,
        rectify_logs::CONTROLS,
        rectify_kms::CONTROLS,
        rectify_sns::CONTROLS,
        rectify_sqs::CONTROLS,
        rectify_awslambda::CONTROLS,
        rectify_config::CONTROLS,
        rectify_dynamodb::CONTROLS,
        rectify_elb::CONTROLS,
        rectify_ssm::CONTROLS,
        rectify_efs::CONTROLS,
    ]
    .into_iter()
    .flatten()
}

/// Sample events that several controls have.
pub const SHARED_EVENTS: &[SharedEvents] = &[rectify_logs::SHARED_EVENTS];

/// The control with this id.
pub fn find(id: &str) -> Option<&'static Entry> {
    controls().find(|control| control.meta.id == id)
}

/// The service a control belongs to: the folder `functions/<service>` that declares it.
pub fn service(control: &Entry) -> &'static str {
    let path = source(control);
    path.split(['/', '\\']).nth(1).unwrap_or(path)
}

/// The path of the file that declares a control, relative to the root of the repository.
pub fn source(control: &Entry) -> &'static str {
    let path = control.meta.source;
    path.rfind("functions").and_then(|at| path.get(at..)).unwrap_or(path)
}

/// The folder with the control's tests and stored attempts, relative to the root of the repository.
pub fn folder(control: &Entry) -> &'static str {
    let source = source(control);
    source.strip_suffix(".rs").unwrap_or(source)
}

#[cfg(test)]
mod parameters_law;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_is_found_by_its_id_in_the_folder_of_a_service() {
        for control in controls() {
            assert!(find(control.meta.id).is_some_and(|found| std::ptr::eq(found.meta, control.meta)));
            assert!(SERVICES.contains(&service(control)), "{}", control.meta.source);
        }
        assert!(find("no-such-control").is_none());
    }
}
