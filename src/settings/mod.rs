//! The settings: one file or folder each, and the little that they share.

pub mod api_access;
pub mod blocks;
pub mod users;
