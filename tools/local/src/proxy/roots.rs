//! Answers that moto gives under another XML root than the service model names, put right.
//!
//! moto 5.2.5 names the root of S3 Control's access point reads, and of S3's read of versioning, after the operation with
//! `Response` (`ListAccessPointsResponse`) where the model has another name; botocore does not look at the root and the Rust
//! SDK does. Goes when moto names them right.

use axum::body::Bytes;

/// The answer of this operation with the root its model names.
#[must_use]
pub fn put_right(service: &str, operation: &str, body: Bytes) -> Bytes {
    let root = match (service, operation) {
        ("s3control", _) => format!("{operation}Result"),
        ("s3", "GetBucketVersioning") => "VersioningConfiguration".to_owned(),
        _ => return body,
    };
    renamed(&body, &format!("{operation}Response"), &root).unwrap_or(body)
}

/// The document with its root element renamed; `None` if its root is another one.
fn renamed(body: &[u8], from: &str, to: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let (declaration, document) = text.split_at(text.find("?>").map_or(0, |end| end + 2));
    let rest = document.trim_start().strip_prefix(&format!("<{from}"))?;
    // The name must end here: `<ListAccessPointsResponseMore` is another root.
    if !rest.starts_with(['>', ' ', '/', '\n']) {
        return None;
    }
    let rest = rest.replace(&format!("</{from}>"), &format!("</{to}>"));
    Some(Bytes::from(format!("{declaration}<{to}{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_the_one_the_model_of_the_operation_names() {
        let body = |text: &'static str| Bytes::from(text);
        let (given, expected) = ("<GetBucketVersioningResponse/>", "<VersioningConfiguration/>");
        assert_eq!(put_right("s3", "GetBucketVersioning", body(given)), body(expected));
        assert_eq!(put_right("s3", "GetBucketAcl", body(given)), body(given));
        let (given, expected) = ("<ListAccessPointsResponse/>", "<ListAccessPointsResult/>");
        assert_eq!(put_right("s3control", "ListAccessPoints", body(given)), body(expected));
    }

    #[test]
    fn a_root_is_renamed_at_both_ends_and_nothing_else_is() {
        let text = |body: &str| renamed(body.as_bytes(), "AResponse", "AResult");
        let expected = "<?xml version=\"1.0\"?><AResult xmlns=\"x\"><B>AResponse</B></AResult>";
        let given = "<?xml version=\"1.0\"?>\n<AResponse xmlns=\"x\"><B>AResponse</B></AResponse>";
        assert_eq!(text(given), Some(Bytes::from(expected)));
        assert_eq!(text("<AResponse/>"), Some(Bytes::from("<AResult/>")));
        assert_eq!(text("<AResponseMore/>"), None);
        assert_eq!(text("<ErrorResponse><Code/></ErrorResponse>"), None);
    }
}
