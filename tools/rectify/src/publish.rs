//! `rectify publish`: a release in one bucket per region, from which the accounts of an organization deploy.
//!
//! Lambda loads code only from a bucket of its own region. Every bucket is examined before the first one is changed, and
//! `manifest.json` is uploaded last: a version with a manifest is complete.

mod bucket;
mod release;

use futures_util::{StreamExt, TryStreamExt, stream};
use rectify_compliance::Region;
use rectify_runtime::settings::Environment;
use serde_json::json;

use crate::arguments::PublishArguments;
use crate::caller::Caller;
use crate::cli_error::CliError;
use crate::report::{Report, columns};
use crate::scan::progress;
use bucket::{Bucket, Examined};
use release::Release;

/// How many objects are read or written concurrently.
const CONCURRENCY: usize = 8;

/// Publishes the release.
///
/// # Errors
/// [`CliError::Usage`] for a release that is damaged; [`CliError::Refused`] for a bucket that is not as `publish` makes
/// it, or an object with other content; [`CliError::Error`] when a call fails.
pub(crate) async fn run(arguments: &PublishArguments, environment: &Environment) -> Result<Report, CliError> {
    let release = Release::read(&arguments.release)?;
    let caller = Caller::new(arguments.regions.first().map(Region::as_str), environment).await?;
    let account = caller.identity().await?.account.as_str();
    let mut buckets = Vec::new();
    for region in &arguments.regions {
        let name = format!("{}-{region}", arguments.bucket_prefix);
        if !buckets.iter().any(|it: &Bucket| it.name() == name) {
            buckets.push(Bucket::new(&caller.config_in(region), region, name, account, &arguments.organization));
        }
    }
    let mut examined = Vec::new();
    for bucket in &buckets {
        examined.push(bucket.examine(&release).await?);
    }
    let files = examined.iter().map(|it| it.absent.len()).sum();
    let bar = progress(files);
    for (bucket, examined) in buckets.iter().zip(&examined) {
        bar.set_message(bucket.name().to_owned());
        bucket.prepare(examined).await?;
        upload(bucket, &release, examined, || bar.inc(1)).await?;
        bucket.share(examined).await?;
    }
    bar.finish_and_clear();
    Ok(report(arguments, &release, &buckets, &examined))
}

async fn upload(bucket: &Bucket, release: &Release, examined: &Examined, done: impl Fn()) -> Result<(), CliError> {
    let (manifest, files): (Vec<_>, Vec<_>) = examined.absent.iter().partition(|it| it.path == release::MANIFEST);
    for batch in [files, manifest] {
        stream::iter(batch)
            .map(|file| async {
                bucket.put(&release.key(file), file, release.content(file)?).await?;
                done();
                Ok::<(), CliError>(())
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
    }
    Ok(())
}

fn report(arguments: &PublishArguments, release: &Release, buckets: &[Bucket], examined: &[Examined]) -> Report {
    let mut rows = Vec::new();
    let mut listed = Vec::new();
    for (bucket, examined) in buckets.iter().zip(examined) {
        let (uploaded, state) = (examined.absent.len(), if examined.exists { "existing" } else { "created" });
        let unchanged = release.files.len() - uploaded;
        rows.push(vec![bucket.name().to_owned(), state.to_owned(), uploaded.to_string(), unchanged.to_string()]);
        listed.push(json!({
            "region": bucket.region(), "bucket": bucket.name(), "created": !examined.exists,
            "uploaded": uploaded, "unchanged": unchanged,
        }));
    }
    let header = ["BUCKET", "STATE", "UPLOADED", "UNCHANGED"].map(str::to_owned).to_vec();
    let (prefix, version) = (&arguments.bucket_prefix, &release.version);
    let text = format!(
        "{}deploy {version}/template.yaml from the bucket of its region, with ArtifactBucketPrefix={prefix}\n",
        columns(header, rows)
    );
    let json = json!({ "version": version, "template": format!("{version}/template.yaml"), "buckets": listed });
    Report::fine(text, json)
}
