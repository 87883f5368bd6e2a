//! The operations of Lambda, by method and path: its protocol names none.

use axum::http::Method;

/// Where the paths of functions begin.
const FUNCTIONS: &str = "/2015-03-31/functions";
/// Where the paths of tags begin.
const TAGS: &str = "/2017-03-31/tags/";

/// The operation of a request; `None` for one that no control makes.
#[must_use]
pub fn operation(method: &Method, path: &str) -> Option<&'static str> {
    if path.starts_with(TAGS) && method == Method::GET {
        return Some("ListTags");
    }
    let path = path.strip_prefix(FUNCTIONS)?.trim_matches('/');
    let parts: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", []) => Some("ListFunctions"),
        ("POST", []) => Some("CreateFunction"),
        ("POST", [_, "invocations"]) => Some("Invoke"),
        ("GET", [_, "policy"]) => Some("GetPolicy"),
        ("POST", [_, "policy"]) => Some("AddPermission"),
        ("DELETE", [_, "policy", _]) => Some("RemovePermission"),
        _ => None,
    }
}

/// The function that a path names: its name, or its ARN if the path is about tags.
#[must_use]
pub fn function(path: &str) -> Option<&str> {
    let named =
        path.strip_prefix(FUNCTIONS).map(|it| it.trim_start_matches('/')).or_else(|| path.strip_prefix(TAGS))?;
    named.split('/').next().filter(|it| !it.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn operation_follows_from_method_and_path() {
        for (method, path, expected, named) in [
            (Method::GET, "/2015-03-31/functions/", Some("ListFunctions"), None),
            (Method::GET, "/2015-03-31/functions/resize/policy", Some("GetPolicy"), Some("resize")),
            (Method::POST, "/2015-03-31/functions/resize/policy", Some("AddPermission"), Some("resize")),
            (Method::DELETE, "/2015-03-31/functions/resize/policy/A", Some("RemovePermission"), Some("resize")),
            (Method::POST, "/2015-03-31/functions/resize/invocations", Some("Invoke"), Some("resize")),
            (Method::GET, "/2017-03-31/tags/arn%3Ax", Some("ListTags"), Some("arn%3Ax")),
            (Method::GET, "/2015-03-31/functions/resize", None, Some("resize")),
            (Method::GET, "/other", None, None),
        ] {
            assert_eq!((operation(&method, path), function(path)), (expected, named), "{method} {path}");
        }
    }
}
