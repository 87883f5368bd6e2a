//! The engine's clock, which never returns the same millisecond twice.
//!
//! AWS Config orders items by capture time and results by ordering time.
//! Two items of one resource in the same millisecond would have no order, so each reading is unique.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Number, Value};

/// A clock whose readings are at least a millisecond apart.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    /// The time now, or one millisecond after the last reading, whichever is later.
    pub(super) fn now(&self) -> Timestamp {
        let wall = Timestamp::now().as_millisecond();
        let last =
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(wall.max(last + 1))).unwrap_or(wall);
        // Outside of jiff's range only after the year 9999; then the wall time will do.
        Timestamp::from_millisecond(wall.max(last + 1)).unwrap_or_else(|_| Timestamp::now())
    }

    /// Moves the clock to an external time, so that later readings are later than it.
    pub(super) fn advance_to(&self, time: Timestamp) {
        self.0.fetch_max(time.as_millisecond(), Ordering::SeqCst);
    }
}

/// RFC 3339 with milliseconds and `Z`, as in AWS Config's notifications.
pub(super) fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Epoch seconds with a fraction: the timestamp format of AWS JSON 1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Epoch(pub(super) Timestamp);

impl Epoch {
    /// The JSON number.
    pub(super) fn value(self) -> Value {
        let milliseconds = self.0.as_millisecond();
        // Exact to the millisecond: an f64 holds 2^53, milliseconds since 1970 need 2^41.
        #[allow(clippy::cast_precision_loss)]
        Number::from_f64(milliseconds as f64 / 1000.0).map_or(Value::Null, Value::Number)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // Rounded, not truncated: 1.512 s arrives as 1.5119999…
        #[allow(clippy::cast_possible_truncation)]
        let milliseconds = (seconds * 1000.0).round() as i64;
        Timestamp::from_millisecond(milliseconds).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn readings_strictly_increase() {
        let clock = Clock::default();
        let readings: Vec<Timestamp> = (0..1000).map(|_| clock.now()).collect();
        assert!(readings.windows(2).all(|pair| pair[0] < pair[1]), "{readings:?}");
    }

    #[test]
    fn clock_advances_past_a_later_external_time() {
        let clock = Clock::default();
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(60);
        clock.advance_to(later);
        assert!(clock.now() > later);
    }

    #[test]
    fn milliseconds_survive_the_wire() {
        let time: Timestamp = "2026-03-04T05:06:07.512Z".parse().unwrap();
        let wire = serde_json::to_string(&Epoch(time)).unwrap();
        assert_eq!(wire, "1772600767.512");
        assert_eq!(serde_json::from_str::<Epoch>(&wire).unwrap(), Epoch(time));
        assert_eq!(iso(time), "2026-03-04T05:06:07.512Z");
    }
}
