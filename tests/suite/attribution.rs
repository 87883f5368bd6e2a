//! Attribution: who is named for a finding, when it is said, and what CloudTrail is asked.
//!
//! | module | noun |
//! |---|---|
//! | `asking` | the calls on the wire: CloudTrail and the queue replayed, ledger and bus in moto |
//! | `deployed` | the built function, as the template deploys it, over a CloudTrail of our own |

mod asking;
mod deployed;
