//! Request ids in AWS's format, unique on one machine and ascending.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static COUNT: AtomicU64 = AtomicU64::new(1);

/// A new id in UUID format, built from the millisecond and a counter. It is not random; nothing may rely on randomness.
pub(crate) fn next() -> String {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let high = (millis >> 16) & 0xffff_ffff;
    let low = millis & 0xffff;
    format!("{high:08x}-{low:04x}-4000-8000-{count:012x}")
}
