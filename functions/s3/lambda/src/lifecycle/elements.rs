//! The elements of an answer that the SDK drops: they cannot be sent again, so a replacement would lose them.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use rectify_compliance::ShapeError;

/// The known elements of a lifecycle configuration, by parent element (service model of S3,
/// `GetBucketLifecycleConfigurationOutput`).
const KNOWN: [(&str, &[&str]); 11] = [
    ("", &["LifecycleConfiguration"]),
    ("LifecycleConfiguration", &["Rule"]),
    (
        "Rule",
        &[
            "ID",
            "Status",
            "Prefix",
            "Filter",
            "Expiration",
            "Transition",
            "NoncurrentVersionTransition",
            "NoncurrentVersionExpiration",
            "AbortIncompleteMultipartUpload",
        ],
    ),
    ("Filter", &["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "And"]),
    ("And", &["Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"]),
    ("Tag", &["Key", "Value"]),
    ("Expiration", &["Date", "Days", "ExpiredObjectDeleteMarker"]),
    ("Transition", &["Date", "Days", "StorageClass"]),
    ("NoncurrentVersionTransition", &["NoncurrentDays", "NewerNoncurrentVersions", "StorageClass"]),
    ("NoncurrentVersionExpiration", &["NoncurrentDays", "NewerNoncurrentVersions"]),
    ("AbortIncompleteMultipartUpload", &["DaysAfterInitiation"]),
];

/// Finds unknown elements in the answer of one call; clones share the result.
#[derive(Debug, Clone, Default)]
pub(super) struct Unknown(Arc<Mutex<Option<Vec<String>>>>);

impl Unknown {
    /// The unknown elements of the answer, each as `Parent.Element`.
    ///
    /// # Errors
    /// [`ShapeError`] when the answer was not examined.
    pub(super) fn found(&self) -> Result<Vec<String>, ShapeError> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        found.ok_or_else(|| ShapeError::missing("LifecycleConfiguration", "the text of the answer"))
    }
}

impl Intercept for Unknown {
    fn name(&self) -> &'static str {
        "Unknown"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let text = context.response().body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text.map(unknown);
        Ok(())
    }
}

/// The unknown elements of an XML document, in order, each once.
///
/// The SDK has already parsed the document, so it is well-formed. A `<` that starts neither an element nor a
/// declaration (CDATA, a comment) is reported as an unknown element, since its content is not examined.
fn unknown(document: &str) -> Vec<String> {
    let (mut open, mut found) = (Vec::new(), Vec::<String>::new());
    for tag in document.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        if tag.starts_with('?') {
            continue;
        }
        if tag.starts_with('/') {
            open.pop();
            continue;
        }
        let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let parent = open.last().copied().unwrap_or_default();
        let known = KNOWN.iter().any(|(element, children)| *element == parent && children.contains(&name));
        let path = format!("{parent}.{name}");
        if !known && !found.contains(&path) {
            found.push(path);
        }
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_current_element_is_known_under_its_parent() {
        let document = concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
            "<Rule><ID>a &lt;b&gt;</ID><Filter/><Status>Enabled</Status><Transition><Days>3</Days><StorageClass>GLACIER</StorageClass>",
            "</Transition></Rule>\n<Rule><Prefix/><Filter><And><Prefix>x</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And>",
            "</Filter><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>",
            "</LifecycleConfiguration>"
        );
        assert_eq!(unknown(document), [""; 0]);
    }

    #[test]
    fn new_or_misplaced_element_is_reported_once() {
        let rule = |inner: &str| format!("<LifecycleConfiguration><Rule>{inner}</Rule></LifecycleConfiguration>");
        for (document, expected) in [
            (rule("<Pause/><Pause>1</Pause><ID>a</ID>"), vec!["Rule.Pause"]),
            (rule("<Expiration><NewerVersions>1</NewerVersions></Expiration>"), vec!["Expiration.NewerVersions"]),
            (rule("<Pause><Days>3</Days></Pause>"), vec!["Rule.Pause", "Pause.Days"]),
            (rule("<Days>3</Days>"), vec!["Rule.Days"]),
            (rule("<!-- x -->"), vec!["Rule.!--"]),
            ("<Other/>".to_owned(), vec![".Other"]),
        ] {
            assert_eq!(unknown(&document), expected, "{document}");
        }
    }
}
