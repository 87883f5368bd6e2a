//! Resources as the API describes them; AWS Config does not record their sharing. Depends on no control.

pub mod document;
