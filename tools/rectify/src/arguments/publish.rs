//! The arguments of `publish`.

use std::path::PathBuf;

use clap::Args;
use rectify_compliance::Region;

pub(super) const EXAMPLES: &str = "\
The bucket of a region is named NAME-REGION. It is created if it is absent: versioned, without public access, readable by
the accounts of the organization through TLS only. An object with the same content is skipped. One with other content, and
a bucket with another policy, are refused before anything is written: deployed stacks may refer to them.

Examples:
  rectify publish --release target/releases/0.1.0 --bucket-prefix acme-rectify --regions eu-west-1,us-east-1 \\
      --organization o-exampleorgid";

/// The longest name of a bucket.
const MAX_NAME: usize = 63;

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    /// The folder that `make release` wrote.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) release: PathBuf,
    /// What the names of the buckets begin with, before a hyphen and the region.
    #[arg(long, value_name = "NAME", value_parser = bucket_prefix)]
    pub(crate) bucket_prefix: String,
    /// The regions in which stacks are deployed, comma-separated.
    #[arg(long, value_name = "REGIONS", value_delimiter = ',', required = true, value_parser = region)]
    pub(crate) regions: Vec<Region>,
    /// The organization whose accounts may read the release.
    #[arg(long, value_name = "ID", value_parser = organization)]
    pub(crate) organization: String,
}

/// No dots: the certificate of S3 covers one label.
fn bucket_prefix(text: &str) -> Result<String, String> {
    let is_name = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    if (2..=47).contains(&text.len()) && text.bytes().all(is_name) && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err(format!("expected 2 to 47 lowercase letters, digits and hyphens: received `{text}`"))
    }
}

fn region(text: &str) -> Result<Region, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |it: &&str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_lowercase());
    let (words, number) = parts.split_at(parts.len().saturating_sub(1));
    let is_number = number.iter().all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
    if words.len() >= 2 && words.iter().all(is_word) && is_number && text.len() < MAX_NAME - 47 {
        Ok(Region::new(text))
    } else {
        Err(format!("expected the name of a region, e.g. eu-west-1: received `{text}`"))
    }
}

fn organization(text: &str) -> Result<String, String> {
    let is_id = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    match text.strip_prefix("o-") {
        Some(id) if (10..=32).contains(&id.len()) && id.bytes().all(is_id) => Ok(text.to_owned()),
        _ => Err(format!("expected `o-` and 10 to 32 lowercase letters and digits: received `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_bucket_can_have_are_refused() {
        for good in ["ab", "acme-rectify", &"a".repeat(47)] {
            assert_eq!(bucket_prefix(good).as_deref(), Ok(good));
        }
        for bad in ["", "a", "-a", "Acme", "acme.rectify", "a_b", "a/b", &"a".repeat(48)] {
            assert!(bucket_prefix(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn regions_and_organizations_are_recognized() {
        for good in ["eu-west-1", "us-gov-west-1", "ap-southeast-2", "eusc-de-east-1", "us-isob-east-1"] {
            assert_eq!(region(good), Ok(Region::new(good)));
        }
        for bad in ["", "eu", "eu-west", "west-1", "EU-WEST-1", "eu-west-1a", "eu--1", "eu-west-", "../eu-west-1"] {
            assert!(region(bad).is_err(), "{bad}");
        }
        assert_eq!(organization("o-exampleorgid").as_deref(), Ok("o-exampleorgid"));
        for bad in ["", "o-", "o-short", "exampleorgid", "o-EXAMPLEORGID", "ou-exam-pleorgid12", "o-example*orgid"] {
            assert!(organization(bad).is_err(), "{bad}");
        }
    }
}
