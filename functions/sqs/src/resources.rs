//! The types of SQS's answers. They know no control.

pub mod queue;
