//! The types of AWS Lambda's answers. They know no control.

pub mod function;
