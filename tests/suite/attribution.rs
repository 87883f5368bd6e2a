//! Attribution: the principal named for a finding, when it is announced, and the CloudTrail calls behind it.
//!
//! | module | subject |
//! |---|---|
//! | `lookups` | the calls on the wire: CloudTrail and the queue replayed, ledger and bus in moto |
//! | `deployed` | the built function, as the template deploys it, with the proxy's CloudTrail |

mod deployed;
mod lookups;
