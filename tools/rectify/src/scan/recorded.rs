//! Controls without a live read, evaluated by what AWS Config recorded of their resources.

use aws_types::SdkConfig;
use futures_util::stream::{self, StreamExt};
use rectify_compliance::{ResourceKey, Target};
use rectify_runtime::Error;
use rectify_runtime::client::{AccountRegion, Found};
use rectify_runtime::config_service::ConfigService;
use rectify_scan::judges::{ControlParameters, Judges};
use rectify_scan::{Outcome, Row};

use super::selection::Job;
use super::{ALL, brief, row, whole};

/// How many resources of a control are read concurrently, a call each.
const CONCURRENCY: usize = 4;

/// The rows of one control in one region. A type that AWS Config does not record, or cannot list, is one row.
pub(super) async fn rows(
    job: &Job,
    place: &AccountRegion,
    config: &SdkConfig,
    wanted: impl Fn(&ResourceKey, Option<&str>) -> bool,
) -> Vec<Row> {
    let without = |outcome| vec![row(job, place, whole(job), outcome)];
    let parameters: ControlParameters = [(job.control.meta.id.to_owned(), job.parameters.clone())].into();
    let judges = match Judges::new(&[job.control], &parameters, None) {
        Ok(judges) => judges,
        Err(error) => return without(Outcome::Unreadable { reason: error.to_string() }),
    };
    let service = ConfigService::new(config);
    let types = job.control.meta.resource_types;
    let unrecorded = match service.unrecorded(types).await {
        Ok(unrecorded) => unrecorded,
        Err(error) => return without(Outcome::Unreadable { reason: brief(&error.into()) }),
    };
    let mut rows = Vec::new();
    for kind in types.iter().copied() {
        let about_type = |outcome| row(job, place, ResourceKey::new(kind, ALL), outcome);
        if unrecorded.contains(&kind) {
            let reason = format!(
                "has no live read, and AWS Config, which this control evaluates, does not record {kind}: record it to scan its resources"
            );
            rows.push(about_type(Outcome::NotScanned { reason }));
            continue;
        }
        match service.discovered(kind).await {
            Ok(found) => {
                let reads = found.into_iter().filter(|it| wanted(&it.resource, it.name.as_deref()));
                let reads = reads.map(|it| judged(job, place, &service, &judges, it));
                let reads: Vec<Vec<Row>> =
                    stream::iter(reads.collect::<Vec<_>>()).buffered(CONCURRENCY).collect().await;
                rows.extend(reads.into_iter().flatten());
            }
            Err(error) => rows.push(about_type(Outcome::Unreadable { reason: brief(&error.into()) })),
        }
    }
    rows
}

/// The row of one resource; none if it is already gone.
async fn judged(
    job: &Job,
    place: &AccountRegion,
    service: &ConfigService,
    judges: &Judges,
    Found { resource, name }: Found,
) -> Vec<Row> {
    let AccountRegion { account, region } = place.clone();
    let target = Target { account, region, resource, name, arn: None };
    let unreadable = |error: &Error| {
        let row = row(job, place, target.resource.clone(), Outcome::Unreadable { reason: brief(error) });
        vec![Row { name: target.name.clone(), ..row }]
    };
    match service.recorded(&target).await {
        Ok(item) => item.map_or_else(Vec::new, |item| judges.rows(&item)),
        Err(error) => unreadable(&error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rectify_compliance::{AccountId, Region};
    use serde_json::{Value, json};

    use super::super::aggregator::tests::config_service;
    use super::*;

    fn item(id: &str, encrypted: bool) -> (u16, Value) {
        let item = json!({
            "accountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::EFS::FileSystem",
            "resourceId": id, "configurationItemStatus": "OK", "configurationItemCaptureTime": 1_772_600_767.89,
            "configuration": json!({ "Encrypted": encrypted }).to_string(),
        });
        (200, json!({ "configurationItems": [item] }))
    }

    /// A recorder of all types, with four file systems.
    fn recording(body: &Value) -> (u16, Value) {
        match (body["resourceType"].as_str(), body["resourceId"].as_str()) {
            (None, _) => (
                200,
                json!({
                    "ConfigurationRecordersStatus": [{ "name": "default", "recording": true }],
                    "ConfigurationRecorders": [{ "name": "default", "recordingGroup": { "allSupported": true } }],
                }),
            ),
            (Some(kind), None) => {
                let found =
                    ["fs-1", "fs-2", "fs-3", "fs-4"].map(|id| json!({ "resourceType": kind, "resourceId": id }));
                (200, json!({ "resourceIdentifiers": found }))
            }
            (_, Some("fs-1")) => item("fs-1", false),
            (_, Some("fs-2")) => item("fs-2", true),
            (_, Some("fs-3")) => (400, json!({ "__type": "AccessDeniedException", "message": "no" })),
            (_, Some(_)) => (400, json!({ "__type": "ResourceNotDiscoveredException", "message": "gone" })),
        }
    }

    fn scanned(answer: fn(&Value) -> (u16, Value), wanted: &str) -> Vec<String> {
        let (config, _) = config_service(answer);
        let control = rectify_catalogue::find("efs-encrypted-check").unwrap();
        let region = Region::new("eu-west-1");
        let job = Job { at: 0, control, parameters: "{}".to_owned(), region: region.clone() };
        let place = AccountRegion { account: AccountId::new("111122223333"), region };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(rows(&job, &place, &config, |it, _| wanted == ALL || it.id == wanted));
        let shown = |row: Row| match row.outcome {
            Outcome::Passed { .. } => format!("{} passed", row.resource_id),
            Outcome::Failed { reason, .. } => format!("{} failed: {reason}", row.resource_id),
            Outcome::NotApplicable { reason } | Outcome::Unreadable { reason } | Outcome::NotScanned { reason } => {
                format!("{} {reason}", row.resource_id)
            }
        };
        found.into_iter().map(shown).collect()
    }

    #[test]
    fn recorded_resources_are_evaluated_and_one_that_is_gone_is_no_row() {
        let expected = [
            "fs-1 failed: fs-1 is not encrypted",
            "fs-2 passed",
            "fs-3 config:GetResourceConfigHistory: AccessDeniedException",
        ];
        assert_eq!(scanned(recording, ALL), expected);
        assert_eq!(scanned(recording, "fs-2"), ["fs-2 passed"]);
    }

    #[test]
    fn a_type_that_is_not_recorded_or_not_listed_is_one_row() {
        let reason = "has no live read, and AWS Config, which this control evaluates, does not record AWS::EFS::FileSystem: record it to scan its resources";
        assert_eq!(scanned(|_| (200, json!({ "ConfigurationRecordersStatus": [] })), ALL), [format!("* {reason}")]);
        let denied = |_: &Value| (400, json!({ "__type": "AccessDeniedException", "message": "no" }));
        assert_eq!(scanned(denied, ALL), ["* config:DescribeConfigurationRecorderStatus: AccessDeniedException"]);
    }
}
