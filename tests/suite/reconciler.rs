//! The reconciler: what was lost is asked about again, what must be left alone is, and no dead letter disappears.
//!
//! | module | noun |
//! |---|---|
//! | `bounds` | how often what keeps failing is asked about, and evaluated |
//! | `findings` | what a rule still reports |
//! | `letters` | dead letters of both hops |
//! | `open` | attempts that have not ended |
//! | `stage` | one reconciler over made-up widgets: AWS Config replayed, ledger, bus and queues in moto |
//! | `deployed` | the built functions, as the template deploys them |

mod bounds;
mod deployed;
mod findings;
mod letters;
mod open;
mod stage;
