//! The resources that an AWS Config aggregator has, for `--aggregator`.

use std::pin::pin;

use aws_types::SdkConfig;
use futures_util::StreamExt;
use rectify_compliance::{Entry, Timestamp};
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::{AwsError, Error};
use rectify_scan::judges::{ControlParameters, Judges};
use rectify_scan::result::SCHEMA_VERSION;
use rectify_scan::snapshot::collection::Collection;
use rectify_scan::{Scan, aggregated};

use super::{brief, progress};
use crate::cli_error::CliError;

/// Queries the resources of each type, and evaluates them by the controls that need no more than that. A query that
/// fails is a row of each control of its type.
///
/// # Errors
/// [`CliError::Usage`] for invalid parameters, and if there is no such aggregator.
pub(super) async fn scan(
    aggregator: &str,
    config: &SdkConfig,
    parameters: &ControlParameters,
    controls: &[&'static Entry],
) -> Result<Scan, CliError> {
    let started = Timestamp::now();
    let judges =
        Judges::new(controls, parameters, Some(started)).map_err(|error| CliError::usage(error.to_string()))?;
    let service = ConfigService::new(config);
    let source = format!("aggregator {aggregator}");
    let types = aggregated::types(&judges);
    let bar = progress(types.len());
    let mut collection = Collection::default();
    for kind in types {
        bar.set_message(kind);
        let mut pages = pin!(service.aggregated(aggregator, aggregated::query(kind)));
        let mut position = 0;
        while let Some(page) = pages.next().await {
            match page {
                Ok(results) => {
                    for result in results {
                        position += 1;
                        collection.add(&source, aggregated::judge(&judges, kind, position, &result));
                    }
                }
                Err(error) if is_absent(&error) => {
                    return Err(CliError::usage(format!(
                        "--aggregator: expected an aggregator of this account and region: received `{aggregator}`"
                    )));
                }
                Err(error) => {
                    collection.unread(Some(kind.to_owned()), brief(&Error::from(error)));
                    break;
                }
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let (places, rows) = collection.finish_with(&judges, |place| aggregated::unanswered(&judges, place));
    Ok(Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        finished: Timestamp::now(),
        source,
        places,
        controls: controls.iter().map(|control| control.meta.id.to_owned()).collect(),
        rows,
        since: None,
    })
}

fn is_absent(error: &AwsError) -> bool {
    error.is("NoSuchConfigurationAggregatorException")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;
    use std::sync::{Arc, Mutex};

    use rectify_compliance::Region;
    use rectify_runtime::clients::sdk_config;
    use rectify_runtime::settings::Environment;
    use rectify_scan::Outcome;
    use serde_json::{Value, json};

    use super::*;

    /// The answer to a request body.
    pub(in crate::scan) type Answer = fn(&Value) -> (u16, Value);

    /// AWS Config on loopback, and the bodies of its requests.
    pub(in crate::scan) fn config_service(answer: Answer) -> (SdkConfig, Arc<Mutex<Vec<Value>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).unwrap() > 2 {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let body: Value = serde_json::from_slice(&body).unwrap();
                let (status, text) = answer(&body);
                requests.lock().unwrap().push(body);
                let text = text.to_string();
                let head =
                    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", text.len());
                stream.write_all((head + &text).as_bytes()).unwrap();
            }
        });
        let environment = Environment::of([
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]);
        (sdk_config(&environment, &Region::new("eu-west-1")).unwrap(), received)
    }

    fn scanned(answer: Answer, ids: &[&str]) -> (Result<Scan, CliError>, Vec<Value>) {
        let (config, received) = config_service(answer);
        let controls: Vec<_> = ids.iter().map(|id| rectify_catalogue::find(id).unwrap()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(scan("organization", &config, &ControlParameters::new(), &controls));
        let received = received.lock().unwrap().clone();
        (found, received)
    }

    fn system(id: &str, account: &str, encrypted: bool) -> Value {
        let result = json!({
            "accountId": account, "awsRegion": "eu-west-1", "resourceType": "AWS::EFS::FileSystem", "resourceId": id,
            "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": {"Encrypted": encrypted}, "tags": [], "relationships": [],
        });
        Value::String(result.to_string())
    }

    #[test]
    fn all_pages_of_all_accounts_are_evaluated() {
        let (found, received) = scanned(
            |body| match body["NextToken"].as_str() {
                None => (200, json!({"Results": [system("fs-1", "111122223333", false)], "NextToken": "2"})),
                Some(_) => (200, json!({"Results": [system("fs-2", "444455556666", true), "{}"]})),
            },
            &["efs-encrypted-check", "s3-bucket-logging-enabled"],
        );
        let scan = found.unwrap();
        let rows: Vec<_> = scan.rows.iter().map(|row| (row.resource_id.as_str(), &row.outcome)).collect();
        let [("*", unread), ("fs-1", open), ("fs-2", encrypted), ("*", unanswered)] = rows[..] else {
            panic!("{rows:?}")
        };
        assert!(matches!(unread, Outcome::Unreadable { .. }) && open.is_failed(), "{rows:?}");
        assert!(matches!((encrypted, unanswered), (Outcome::Passed { .. }, Outcome::NotScanned { .. })), "{rows:?}");
        assert_eq!((scan.places.len(), scan.source.as_str()), (2, "aggregator organization"));
        assert_eq!(received.len(), 2, "buckets are not queried");
        assert_eq!(
            (&received[0]["ConfigurationAggregatorName"], &received[0]["Limit"]),
            (&json!("organization"), &json!(100))
        );
    }

    #[test]
    fn a_query_that_fails_is_a_row_and_an_absent_aggregator_an_error() {
        let denied = |_: &Value| (400, json!({"__type": "AccessDeniedException", "message": "no"}));
        let (found, _) = scanned(denied, &["efs-encrypted-check"]);
        let rows = found.unwrap().rows;
        let expected = "config:SelectAggregateResourceConfig: AccessDeniedException";
        assert!(
            matches!(&rows[..], [row] if row.outcome == Outcome::Unreadable { reason: expected.to_owned() }),
            "{rows:?}"
        );
        let absent = |_: &Value| (400, json!({"__type": "NoSuchConfigurationAggregatorException", "message": "no"}));
        let (found, _) = scanned(absent, &["efs-encrypted-check"]);
        let error = found.unwrap_err().to_string();
        assert_eq!(error, "--aggregator: expected an aggregator of this account and region: received `organization`");
    }
}
