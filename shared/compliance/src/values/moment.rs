//! A point in time as a parameter.

use super::{Deserialize, Deserializer, FromStr, Serialize, Serializer, fmt, from_scalar};
use crate::Timestamp;

/// A point in time, RFC 3339 with an offset: `2026-03-04T05:06:07Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        text.parse().map(Self).map_err(|_| format!("expected an RFC 3339 time with an offset: received `{text}`"))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

parameter_value!([] Moment, "Moment", { "type": "string", "format": "date-time" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_requires_an_offset() {
        assert_eq!("2026-03-04T06:06:07+01:00".parse::<Moment>().unwrap().to_string(), "2026-03-04T05:06:07Z");
        for text in ["2026-03-04", "2026-03-04T05:06:07", "yesterday"] {
            let error = text.parse::<Moment>().unwrap_err();
            assert_eq!(error, format!("expected an RFC 3339 time with an offset: received `{text}`"));
        }
    }
}
