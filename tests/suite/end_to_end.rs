//! End to end: the built binaries, deployed as the template says, against the emulator and AWS Config's engine.
//!
//! | module | subject |
//! |---|---|
//! | `env` | one local AWS for all tests, one test at a time |
//! | `deliveries` | events delivered twice, late, out of order, or to a function that dies |
//! | `faults` | denied and throttled calls, and oversized items |
//! | `modes` | modes `plan` and `enforce`, and resources managed by a stack |

mod deliveries;
mod env;
mod faults;
mod modes;
