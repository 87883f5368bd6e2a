//! Answers of moto with a wrong XML root, which the Rust SDK rejects and botocore ignores.
//!
//! moto 5.2.5 names the root of three bucket reads after the operation (`GetBucketVersioningResponse`), while S3 and
//! its service model name it after the document (`VersioningConfiguration`). This module reads the leaves of such an
//! answer. Remove it when moto uses the right names: then the SDK parses the answer and this module is never reached.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;

/// A successful answer whose root is named after its operation.
#[derive(Debug)]
pub(super) struct WrongXmlRoot<'a>(&'a str);

impl<'a> WrongXmlRoot<'a> {
    /// The answer inside an error, if its only defect is the root.
    pub(super) fn inside<E>(error: &'a SdkError<E, HttpResponse>, operation: &str) -> Option<Self> {
        let response = error.raw_response()?;
        let body = std::str::from_utf8(response.body().bytes()?).ok()?;
        (response.status().is_success() && has_root(body, operation)).then_some(Self(body))
    }

    /// The text of the only element of this name; none if it is missing.
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
    fn only_a_root_named_after_the_operation_is_recognized() {
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
