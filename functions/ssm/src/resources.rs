//! Resources as the API describes them; AWS Config records neither. Depends on no control.

pub mod document;
pub mod sharing_setting;
