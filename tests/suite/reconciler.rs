//! The reconciler: lost findings are requested again, excluded ones are left alone, and no dead letter is lost.
//!
//! | module | subject |
//! |---|---|
//! | `bounds` | how often a failing finding is requested and a failing rule is evaluated |
//! | `findings` | findings that a rule still reports |
//! | `dead_letters` | dead letters of EventBridge and of Lambda |
//! | `open` | attempts that have not ended |
//! | `env` | one reconciler over fake widgets: AWS Config replayed, ledger, bus and queues in moto |
//! | `deployed` | the built functions, as the template deploys them |

mod bounds;
mod dead_letters;
mod deployed;
mod env;
mod findings;
mod open;
