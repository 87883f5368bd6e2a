//! Corrects the XML root of answers where moto's differs from the service model's.
//!
//! moto 5.2.5 names the root of S3 Control's access point reads and of `GetBucketVersioning` after the operation
//! (`ListAccessPointsResponse`), while the service model has another name. botocore ignores the root; the Rust SDK
//! checks it. Remove this module when moto uses the right names.
//!
//! moto 5.2.5 answers `GetBucketRequestPayment`, which it lacks, with a list of objects. Its buckets' owners pay.

use axum::body::Bytes;

/// The answer that moto lacks: the owner of the bucket pays.
const OWNER_PAYS: &str = "<RequestPaymentConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Payer>BucketOwner</Payer></RequestPaymentConfiguration>";

/// The answer of this operation with the root of its service model.
#[must_use]
pub fn put_right(service: &str, operation: &str, body: Bytes) -> Bytes {
    let root = match (service, operation) {
        ("s3control", _) => format!("{operation}Result"),
        ("s3", "GetBucketVersioning") => "VersioningConfiguration".to_owned(),
        ("s3", "GetBucketRequestPayment") => {
            let is_list = String::from_utf8_lossy(&body).contains("<ListBucketResult");
            return if is_list { Bytes::from_static(OWNER_PAYS.as_bytes()) } else { body };
        }
        _ => return body,
    };
    renamed(&body, &format!("{operation}Response"), &root).unwrap_or(body)
}

/// Renames the document's root element; `None` if the root has another name.
fn renamed(body: &[u8], from: &str, to: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let (declaration, document) = text.split_at(text.find("?>").map_or(0, |end| end + 2));
    let rest = document.trim_start().strip_prefix(&format!("<{from}"))?;
    // The name must end here: `<ListAccessPointsResponseMore` is a different root.
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
    fn root_follows_the_service_model() {
        let body = |text: &'static str| Bytes::from(text);
        let (given, expected) = ("<GetBucketVersioningResponse/>", "<VersioningConfiguration/>");
        assert_eq!(put_right("s3", "GetBucketVersioning", body(given)), body(expected));
        assert_eq!(put_right("s3", "GetBucketAcl", body(given)), body(given));
        let (given, expected) = ("<ListAccessPointsResponse/>", "<ListAccessPointsResult/>");
        assert_eq!(put_right("s3control", "ListAccessPoints", body(given)), body(expected));
    }

    #[test]
    fn list_of_objects_becomes_the_payer_and_an_error_stays() {
        let payer = |text: &'static str| put_right("s3", "GetBucketRequestPayment", Bytes::from(text));
        let xml = "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"x\"><Name>logs</Name></ListBucketResult>";
        assert_eq!(payer(xml), Bytes::from(OWNER_PAYS));
        assert_eq!(payer("<Error><Code>NoSuchBucket</Code></Error>"), "<Error><Code>NoSuchBucket</Code></Error>");
    }

    #[test]
    fn only_the_root_element_is_renamed() {
        let text = |body: &str| renamed(body.as_bytes(), "AResponse", "AResult");
        let expected = "<?xml version=\"1.0\"?><AResult xmlns=\"x\"><B>AResponse</B></AResult>";
        let given = "<?xml version=\"1.0\"?>\n<AResponse xmlns=\"x\"><B>AResponse</B></AResponse>";
        assert_eq!(text(given), Some(Bytes::from(expected)));
        assert_eq!(text("<AResponse/>"), Some(Bytes::from("<AResult/>")));
        assert_eq!(text("<AResponseMore/>"), None);
        assert_eq!(text("<ErrorResponse><Code/></ErrorResponse>"), None);
    }
}
