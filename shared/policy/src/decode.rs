//! Policy documents as AWS Config and IAM deliver them.

use rectify_compliance::ShapeError;
use serde_json::Value;

/// Decodes an IAM policy document: percent-encoded (RFC 3986, so `+` stays a plus) or already plain JSON.
///
/// # Errors
/// [`ShapeError`] when it is neither; an undecodable policy is never treated as harmless. The text itself is not
/// repeated, since policies do not belong into logs.
pub fn decode(path: &str, text: &str) -> Result<Value, ShapeError> {
    let trimmed = text.trim_start();
    let plain = if trimmed.starts_with('{') || trimmed.starts_with('[') {
        std::borrow::Cow::Borrowed(text)
    } else {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| ShapeError::new(path, "a percent-encoded policy document", "text that is not UTF-8"))?
    };
    serde_json::from_str(&plain).map_err(|error| {
        ShapeError::new(path, "a policy document", format!("{} characters, {error}", plain.chars().count()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_is_read_encoded_and_plain_and_a_plus_stays_a_plus() {
        let encoded = "%7B%22Sid%22%3A%20%22a+b%22%7D";
        assert_eq!(decode("p", encoded).unwrap(), json!({"Sid": "a+b"}));
        assert_eq!(decode("p", r#"{"Sid": "a+b"}"#).unwrap(), json!({"Sid": "a+b"}));
    }

    #[test]
    fn what_is_no_document_is_an_error_that_does_not_repeat_it() {
        let error = decode("configuration.policy", "secret-looking text").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().starts_with("configuration.policy: expected a policy document"), "{error}");
    }
}
