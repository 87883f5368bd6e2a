//! The router: what is known about a finding, and its tickets.
//!
//! | module | subject |
//! |---|---|
//! | `tickets` | messages, ledger and queue in moto, with faults |
//! | `deployed` | the built function, as the template deploys it |

mod deployed;
mod tickets;
