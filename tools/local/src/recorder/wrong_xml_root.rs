//! Answers that moto gives under a wrong XML root, which the Rust SDK refuses and botocore does not look at.
//!
//! moto 5.2.5 names the root of three bucket reads after the operation (`GetBucketVersioningResponse`) where S3 and its
//! service model name the document (`VersioningConfiguration`). This module reads the leaves of such an answer.
//! It can go when moto names the roots right: then the SDK's own answer comes first and nothing here is reached.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

/// An answer of status 200 whose root is named after its operation.
#[derive(Debug)]
pub(super) struct WrongXmlRoot<'a>(&'a str);

impl<'a> WrongXmlRoot<'a> {
    /// The answer inside an error, if all that is wrong with it is its root.
    pub(super) fn inside<E>(error: &'a SdkError<E, HttpResponse>, operation: &str) -> Option<Self> {
        let response = error.raw_response()?;
        let body = std::str::from_utf8(response.body().bytes()?).ok()?;
        (response.status().is_success() && has_root(body, operation)).then_some(Self(body))
    }

    /// The text of the one element of this name; none if it is not there.
    pub(super) fn leaf(&self, name: &str) -> Option<&'a str> {
        let (_, after) = self.0.split_once(&format!("<{name}>"))?;
        let (text, _) = after.split_once('<')?;
        Some(text.trim())
    }
}

fn has_root(body: &str, operation: &str) -> bool {
    let document = body.split_once("?>").map_or(body, |(_, document)| document);
    document.trim_start().starts_with(&format!("<{operation}Response"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    const ANSWER: &str = concat!(
        r#"<?xml version="1.0" encoding="utf-8"?>"#,
        "\n",
        r#"<GetBucketVersioningResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/">"#,
        "<Status>Enabled</Status></GetBucketVersioningResponse>"
    );

    #[test]
    fn a_root_named_after_the_operation_is_recognized_and_no_other() {
        assert!(has_root(ANSWER, "GetBucketVersioning"));
        assert!(!has_root(ANSWER, "GetBucketAccelerateConfiguration"));
        assert!(!has_root("<VersioningConfiguration/>", "GetBucketVersioning"));
        assert!(!has_root("<!doctype html><title>500</title>", "GetBucketVersioning"));
    }

    #[test]
    fn leaves_are_read_by_name() {
        assert_eq!(WrongXmlRoot(ANSWER).leaf("Status"), Some("Enabled"));
        assert_eq!(WrongXmlRoot(ANSWER).leaf("MfaDelete"), None);
        assert_eq!(WrongXmlRoot("<GetBucketVersioningResponse/>").leaf("Status"), None);
    }
}
