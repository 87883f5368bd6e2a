//! The encoding in which AWS Config and IAM return policy documents.

use rectify_compliance::ShapeError;
use serde_json::Value;

/// Decodes an IAM policy document: percent-encoded (RFC 3986, so `+` stays a plus) or plain JSON.
///
/// # Errors
/// [`ShapeError`] if it is neither; an undecodable policy is never treated as harmless. The error does not repeat the
/// text, since policies do not belong in logs.
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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_may_be_encoded_or_plain() {
        let encoded = "%7B%22Sid%22%3A%20%22a+b%22%7D";
        assert_eq!(decode("p", encoded).unwrap(), json!({"Sid": "a+b"}));
        assert_eq!(decode("p", r#"{"Sid": "a+b"}"#).unwrap(), json!({"Sid": "a+b"}));
    }

    #[test]
    fn an_error_does_not_repeat_the_text() {
        let error = decode("configuration.policy", "secret-looking text").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().starts_with("configuration.policy: expected a policy document"), "{error}");
    }
}
