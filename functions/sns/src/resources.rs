//! The types of SNS's answers. They know no control.

pub mod topic;
