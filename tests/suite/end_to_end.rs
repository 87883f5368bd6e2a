//! End to end: the built binaries, deployed as the template says, against the emulator and AWS Config's engine.
//!
//! | module | noun |
//! |---|---|
//! | `stage` | one world for all tests, one test at a time |
//! | `deliveries` | events that come twice, late, out of order, or whose function dies |
//! | `faults` | AWS on a bad day, and items too big to send |
//! | `modes` | plan and enforce, and what a stack manages |

mod deliveries;
mod faults;
mod modes;
mod stage;
